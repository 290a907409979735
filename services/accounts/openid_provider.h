// The company's OpenID Connect provider, asked over HTTPS (ADR 0015).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/crypto/jwk_set.h"
#include "identity/openid/discovery.h"
#include "identity/openid/pending.h"
#include "services/http/egress.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::people {

// Thread-safe. Blocks, at most 10 s for each of three requests: never on a handler's thread.
class OpenIdProvider {
 public:
  // How long discovery document and keys are taken as they are, and how soon an unknown key asks for them
  // again.
  static constexpr absl::Duration kFresh = absl::Minutes(10);
  static constexpr absl::Duration kPause = absl::Minutes(1);

  // Reads the files that a configuration without mistakes names. NOT_FOUND or FAILED_PRECONDITION naming the
  // file, e.g. when others can read the secret. `clock` must outlive this.
  static absl::StatusOr<std::unique_ptr<OpenIdProvider>> Open(const internal::v1::OpenIdProvider& config,
                                                              const Clock& clock);

  const std::string& issuer() const { return config_.issuer(); }

  // The page at which a person signs in for what is `pending`.
  //   FAILED_PRECONDITION  the discovery document does not do, or may not be fetched where it is
  //   UNAVAILABLE          the provider cannot be reached
  absl::StatusOr<std::string> AuthorizationUrl(const openid::PendingSignIn& pending);

  // Whom the ID token names that the provider gives for `code`, verified: the value of the configured claim.
  // `issuer` is what the browser brought (RFC 9207), or empty.
  //   UNAUTHENTICATED  the provider refuses the code, or its ID token does not prove it (JwkSet,
  //                    CheckIdToken)
  //   and those of AuthorizationUrl
  absl::StatusOr<std::string> Redeem(absl::string_view code, absl::string_view issuer,
                                     const openid::PendingSignIn& pending);

 private:
  OpenIdProvider(const internal::v1::OpenIdProvider& config, const Clock& clock)
      : config_(config), clock_(clock) {}

  // What was fetched, and when.
  template <class Value>
  struct Fetched {
    Value value;
    absl::Time time;
  };

  absl::StatusOr<openid::Provider> Discover();
  // Keys that were fetched less than `age` ago.
  absl::StatusOr<crypto::JwkSet> Keys(const std::string& url, absl::Duration age);
  absl::StatusOr<std::string> AskForIdToken(const openid::Provider& provider, absl::string_view code,
                                            const openid::PendingSignIn& pending) const;
  absl::StatusOr<nlohmann::json> VerifySignature(const openid::Provider& provider,
                                                 const std::string& id_token);

  const internal::v1::OpenIdProvider config_;
  const Clock& clock_;
  std::string secret_;
  http::EgressOptions egress_;
  Mutex mutex_;
  std::optional<Fetched<openid::Provider>> discovered_ ABSL_GUARDED_BY(mutex_);
  std::optional<Fetched<crypto::JwkSet>> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::people
