// The federation's keys: certification authority and what the registrar signs with. One key per purpose.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/crypto/certificate.h"
#include "core/crypto/key.h"
#include "identity/names.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {

// A key and the certificate that names its purpose.
struct CertifiedKey {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

// The keys in use. Immutable: a rotation makes a new one.
struct Authority {
  CertifiedKey root;              // certifies issuing, directory and status; 30 years
  CertifiedKey issuing;           // certifies processes; 15 years
  CertifiedKey directory;         // signs directory and entries; 15 years
  CertifiedKey status;            // signs the status list; 15 years
  crypto::PrivateKey token;       // ES256: access tokens
  crypto::PrivateKey approval;    // ES256: approvals of amendments
  crypto::PrivateKey credential;  // ES256: credentials and their status lists
  crypto::PrivateKey log;         // Ed25519: the registrar's own log
  crypto::PrivateKey witness;     // Ed25519: cosignatures
  // Signs tokens until `token_from`, while the newest key is being made known.
  std::optional<crypto::PrivateKey> former_token = std::nullopt;
  absl::Time token_from = absl::InfinitePast();

  const crypto::PrivateKey& TokenKeyAt(absl::Time now) const {
    return former_token.has_value() && now < token_from ? *former_token : token;
  }
};

// What everybody signs with, changed while the registrar runs. Thread-safe.
class AuthorityInUse {
 public:
  explicit AuthorityInUse(Authority authority) { Set(std::move(authority)); }

  std::shared_ptr<const Authority> Get() const {
    MutexLock lock(mutex_);
    return authority_;
  }
  void Set(Authority authority) {
    auto next = std::make_shared<const Authority>(std::move(authority));
    MutexLock lock(mutex_);
    authority_ = std::move(next);
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const Authority> authority_ ABSL_GUARDED_BY(mutex_);
};

// Reads the keys and certificates that `stored` says are in use from `folder`, making what is missing at time
// `now`: key files of mode 0600 in a folder of mode 0700. FAILED_PRECONDITION when a certificate is not of
// its key or of another federation.
absl::StatusOr<Authority> LoadOrCreateAuthority(const std::string& folder, absl::string_view federation,
                                                absl::Time now,
                                                const internal::v1::StoredAuthority& stored = {});

// Name of the `number`th key of a kind, from 1: `root`, `root-2`, …
std::string KeyName(absl::string_view kind, uint32_t number);

// Keys of a number beside those in use, made and certified by `issuer` when they are missing. A file that a
// crash left behind is used again.
absl::StatusOr<CertifiedKey> LoadOrMakeRoot(const std::string& folder, absl::string_view federation,
                                            uint32_t number, absl::Time now);
absl::StatusOr<CertifiedKey> LoadOrMakeIssuing(const std::string& folder, absl::string_view federation,
                                               uint32_t number, const CertifiedKey& root, absl::Time now);
absl::StatusOr<CertifiedKey> LoadOrMakeDirectory(const std::string& folder, absl::string_view federation,
                                                 uint32_t number, const CertifiedKey& root, absl::Time now);
absl::StatusOr<CertifiedKey> LoadOrMakeStatus(const std::string& folder, absl::string_view federation,
                                              uint32_t number, const CertifiedKey& root, absl::Time now);
absl::StatusOr<crypto::PrivateKey> LoadOrMakeToken(const std::string& folder, uint32_t number);

// A root key whose file is still there. NOT_FOUND when it was taken away, as a key ceremony may.
absl::StatusOr<crypto::PrivateKey> LoadRootKey(const std::string& folder, uint32_t number);

// The certificate of a process (server and client): exactly one URI and one DNS name. Valid from a little
// before `now`, since clocks differ, until `now` + `life`, not beyond the issuing CA.
absl::StatusOr<crypto::Certificate> IssueProcessCertificate(const Authority& authority,
                                                            const ProcessName& name,
                                                            const crypto::PublicKey& key, absl::Time now,
                                                            absl::Duration life);

// The certificate of an HTTPS edge: `hosts` are DNS names or IP addresses; no URI, so that it is no
// process's.
absl::StatusOr<crypto::Certificate> IssueServerCertificate(const Authority& authority,
                                                           const std::vector<std::string>& hosts,
                                                           const crypto::PublicKey& key, absl::Time now,
                                                           absl::Duration life);

}  // namespace tsunagi::identity
