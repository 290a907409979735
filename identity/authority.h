// The federation's keys: certification authority and what the registrar signs with. One key per purpose.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/crypto/certificate.h"
#include "core/crypto/key.h"
#include "identity/names.h"

namespace tsunagi::identity {

// A key and the certificate that names its purpose.
struct CertifiedKey {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

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
};

// Reads keys and certificates from `folder`, making what is missing at time `now`: key files of mode 0600 in
// a folder of mode 0700. FAILED_PRECONDITION when a certificate is not of its key or of another federation.
absl::StatusOr<Authority> LoadOrCreateAuthority(const std::string& folder, absl::string_view federation,
                                                absl::Time now);

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
