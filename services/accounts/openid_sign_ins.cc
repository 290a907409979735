#include "services/accounts/openid_sign_ins.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"

namespace tsunagi::people {
namespace {

constexpr size_t kSecretSize = 32;
constexpr size_t kMaxCode = 4096;
constexpr int kMaxPort = 65535;

absl::Status NoProvider() {
  return absl::FailedPreconditionError(
      "no OpenID Connect provider is configured here: sign in with a password, or set `openid_provider`");
}

}  // namespace

absl::StatusOr<std::unique_ptr<OpenIdSignIns>> OpenIdSignIns::Open(const internal::v1::OpenIdProvider& config,
                                                                   People& people, const Clock& clock,
                                                                   Random& random) {
  std::unique_ptr<OpenIdProvider> provider;
  if (!config.issuer().empty()) {
    ASSIGN_OR_RETURN(provider, OpenIdProvider::Open(config, clock));
  }
  return std::unique_ptr<OpenIdSignIns>(new OpenIdSignIns(std::move(provider), people, clock, random));
}

absl::StatusOr<v1::BeginOpenIdSignInResponse> OpenIdSignIns::Begin(
    const Caller& caller, const v1::BeginOpenIdSignInRequest& request) {
  if (provider_ == nullptr) return NoProvider();
  const int port = request.redirect_port();
  if (port < 1 || port > kMaxPort) {
    return InvalidArgument({"PORT_INVALID", "redirect_port", absl::StrCat(port), "1 to 65535"});
  }
  RETURN_IF_ERROR(tries_.Begin(caller.certificate_sha256()));
  const auto secret = [this] { return ToBase64Url(random_.Bytes(kSecretSize)); };
  const openid::PendingSignIn pending = {caller.certificate_sha256(),
                                         secret(),
                                         secret(),
                                         secret(),
                                         absl::StrCat("http://127.0.0.1:", port, "/callback"),
                                         clock_.Now()};
  v1::BeginOpenIdSignInResponse response;
  ASSIGN_OR_RETURN(*response.mutable_authorization_url(), provider_->AuthorizationUrl(pending));
  response.set_handle(secret());
  response.set_state(pending.state);
  RETURN_IF_ERROR(pending_.Add(response.handle(), pending));
  return response;
}

absl::StatusOr<std::string> OpenIdSignIns::PersonOf(const v1::CompleteOpenIdSignInRequest& request,
                                                    const openid::PendingSignIn& pending) {
  if (!crypto::ConstantTimeEquals(request.state(), pending.state)) {
    return absl::UnauthenticatedError("`state` is not the one of this sign-in: begin again");
  }
  return provider_->Redeem(request.code(), request.issuer(), pending);
}

absl::StatusOr<v1::CompleteOpenIdSignInResponse> OpenIdSignIns::Complete(
    const Caller& caller, const v1::CompleteOpenIdSignInRequest& request) {
  if (provider_ == nullptr) return NoProvider();
  if (request.code().empty() || request.code().size() > kMaxCode) {
    return InvalidArgument({"CODE_INVALID", "code", "(not shown)", "1 to 4096 bytes"});
  }
  ASSIGN_OR_RETURN(const openid::PendingSignIn pending,
                   pending_.Take(request.handle(), caller.certificate_sha256()));
  const absl::StatusOr<std::string> person = PersonOf(request, pending);
  if (!person.ok()) {
    log::Warning("sign-in through the OpenID Connect provider refused",
                 {{"reason", std::string(person.status().message())}});
    RETURN_IF_ERROR(people_.sign_ins().RecordOpenIdRefusal(caller, ""));
    return person.status();
  }
  auto response = people_.sign_ins().SignInLinked(caller, provider_->issuer(), *person);
  if (response.ok()) tries_.Succeeded(caller.certificate_sha256());
  return response;
}

}  // namespace tsunagi::people
