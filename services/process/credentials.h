// The certificate and token that a process shows, renewed while it runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/crypto/certificate.h"
#include "core/crypto/key.h"
#include "grpcpp/channel.h"
#include "identity/token.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::process {

// One certificate with one token. Immutable: a renewal makes a new one.
struct Identity {
  std::vector<crypto::Certificate> chain;  // leaf first
  std::string token;
  absl::Time token_issued;
  absl::Time token_expires;
};

// Thread-safe. Renewals block on the registrar; Current never does.
class Credentials {
 public:
  // `trust` and `clock` must outlive this object.
  Credentials(const internal::v1::NodeConfig& config, std::string process, crypto::PrivateKey key,
              const identity::TrustStore& trust, std::vector<crypto::Certificate> chain, const Clock& clock);

  // Takes over <data_dir>/token when it is valid and bound to this certificate. NOT_FOUND or UNAUTHENTICATED
  // otherwise.
  absl::Status TakeKeptToken(identity::TokenVerifier& tokens);

  // Renews what is due: the certificate in the second half of its life or when its issuing CA retires, the
  // token after 5 minutes or in the second half of its life. A new certificate is kept and shown only
  // together with a token of its own.
  absl::Status Renew();

  // Renews both whatever is left of their life; passes on the end of the new certificate.
  absl::StatusOr<absl::Time> RenewNow();

  std::shared_ptr<const Identity> Current() const;

  // A new channel with `identity`; see rpc::NewChannel.
  std::shared_ptr<grpc::Channel> NewChannel(const Identity& identity, const std::string& address,
                                            const std::string& expected_name) const;

 private:
  bool ChainDue(const Identity& identity) const;
  absl::Status RenewChain(const Identity& current);
  absl::Status RenewToken(const Identity& current);
  absl::StatusOr<std::shared_ptr<Identity>> WithNewToken(std::vector<crypto::Certificate> chain) const;
  absl::Status KeepToken(const std::string& token) const;
  void Show(std::shared_ptr<const Identity> identity);

  const internal::v1::NodeConfig config_;
  const std::string process_;
  const crypto::PrivateKey key_;
  const identity::TrustStore& trust_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::shared_ptr<const Identity> current_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::process
