// Sign-ins through the company's OpenID Connect provider, from their beginning to the session (ADR 0015).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "identity/openid/pending.h"
#include "identity/people/people.h"
#include "services/accounts/openid_provider.h"

namespace tsunagi::people {

// Blocks on the provider: never on a handler's thread. Thread-safe.
class OpenIdSignIns {
 public:
  // A configuration without issuer is none: then both calls are FAILED_PRECONDITION. Errors are those of
  // OpenIdProvider::Open. All but `config` must outlive this.
  static absl::StatusOr<std::unique_ptr<OpenIdSignIns>> Open(const internal::v1::OpenIdProvider& config,
                                                             People& people, const Clock& clock,
                                                             Random& random);

  // Issuer of the provider; empty when none is configured.
  std::string issuer() const { return provider_ == nullptr ? "" : provider_->issuer(); }

  //   INVALID_ARGUMENT     the port
  //   RESOURCE_EXHAUSTED   the certificate has to wait, or too many sign-ins wait
  //   and as OpenIdProvider::AuthorizationUrl
  absl::StatusOr<v1::BeginOpenIdSignInResponse> Begin(const Caller& caller,
                                                      const v1::BeginOpenIdSignInRequest& request);
  // Takes what waits, whatever comes of it. Whatever is refused then leaves a leaf.
  //   INVALID_ARGUMENT     the code is empty or longer than 4,096 bytes
  //   UNAUTHENTICATED      no such sign-in waits for this certificate, or `state` is another one
  //   and as OpenIdProvider::Redeem and SignIns::SignInLinked
  absl::StatusOr<v1::CompleteOpenIdSignInResponse> Complete(const Caller& caller,
                                                            const v1::CompleteOpenIdSignInRequest& request);

 private:
  OpenIdSignIns(std::unique_ptr<OpenIdProvider> provider, People& people, const Clock& clock, Random& random)
      : provider_(std::move(provider)),
        people_(people),
        clock_(clock),
        random_(random),
        pending_(clock),
        tries_(clock) {}
  // Whom the provider names.
  absl::StatusOr<std::string> PersonOf(const v1::CompleteOpenIdSignInRequest& request,
                                       const openid::PendingSignIn& pending);

  const std::unique_ptr<OpenIdProvider> provider_;  // null when none is configured
  People& people_;
  const Clock& clock_;
  Random& random_;
  openid::PendingSignIns pending_;
  Lockout tries_;  // by certificate: begun and not yet a session
};

}  // namespace tsunagi::people
