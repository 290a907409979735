#include "services/accounts/openid_provider.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/openid/id_token.h"
#include "services/http/form.h"
#include "services/http/url.h"

namespace tsunagi::people {
namespace {

constexpr size_t kMaxSecretFile = 4096;
constexpr size_t kMaxRoots = 1 << 20;

using Fields = std::vector<std::pair<std::string, std::string>>;

// What hinders a request is a matter of the configuration unless it may pass: codes such as NOT_FOUND would
// say something of accounts.
absl::Status Explain(const absl::Status& status, absl::string_view doing) {
  const std::string message = absl::StrCat(doing, ": ", status.message());
  return absl::IsUnavailable(status) ? absl::UnavailableError(message)
                                     : absl::FailedPreconditionError(message);
}

absl::StatusOr<std::string> ReadRoots(const std::string& path) {
  ASSIGN_OR_RETURN(std::string pem, ReadFile(path, kMaxRoots));
  // Of any kind of key: OpenSSL reads them with the first request.
  if (absl::StrContains(pem, "-----BEGIN CERTIFICATE-----")) return pem;
  return absl::FailedPreconditionError(absl::StrCat("`", path, "` holds no certificates in PEM"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<OpenIdProvider>> OpenIdProvider::Open(
    const internal::v1::OpenIdProvider& config, const Clock& clock) {
  std::unique_ptr<OpenIdProvider> provider(new OpenIdProvider(config, clock));
  provider->egress_.allowed_addresses.assign(config.allowed_addresses().begin(),
                                             config.allowed_addresses().end());
  if (!config.ca_file().empty()) {
    ASSIGN_OR_RETURN(provider->egress_.root_pem, ReadRoots(config.ca_file()));
  }
  if (!config.client_secret_file().empty()) {
    ASSIGN_OR_RETURN(const std::string secret, ReadSecretFile(config.client_secret_file(), kMaxSecretFile));
    provider->secret_ = std::string(absl::StripAsciiWhitespace(secret));
    if (provider->secret_.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("`", config.client_secret_file(), "` holds no secret"));
    }
  }
  return provider;
}

absl::StatusOr<openid::Provider> OpenIdProvider::Discover() {
  {
    MutexLock lock(mutex_);
    if (discovered_.has_value() && clock_.Now() < discovered_->time + kFresh) return discovered_->value;
  }
  const auto document = http::FetchDocument(openid::DiscoveryUrl(issuer()), egress_);
  if (!document.ok()) return Explain(document.status(), "fetching the provider's discovery document");
  ASSIGN_OR_RETURN(openid::Provider provider, openid::ParseDiscovery(*document, issuer()));
  for (const std::string& url :
       {provider.authorization_endpoint, provider.token_endpoint, provider.jwks_uri}) {
    if (const auto parsed = http::ParseHttpsUrl(url); !parsed.ok()) {
      return Explain(parsed.status(), "the provider's discovery document");
    }
  }
  MutexLock lock(mutex_);
  discovered_ = {provider, clock_.Now()};
  return provider;
}

absl::StatusOr<crypto::JwkSet> OpenIdProvider::Keys(const std::string& url, absl::Duration age) {
  {
    MutexLock lock(mutex_);
    if (keys_.has_value() && clock_.Now() < keys_->time + age) return keys_->value;
  }
  const auto document = http::FetchDocument(url, egress_);
  if (!document.ok()) return Explain(document.status(), "fetching the provider's keys");
  auto keys = crypto::JwkSet::Parse(*document);
  if (!keys.ok()) return Explain(keys.status(), "the provider's keys");
  MutexLock lock(mutex_);
  keys_ = {*keys, clock_.Now()};
  return keys;
}

absl::StatusOr<std::string> OpenIdProvider::AuthorizationUrl(const openid::PendingSignIn& pending) {
  ASSIGN_OR_RETURN(const openid::Provider provider, Discover());
  std::vector<std::string> scopes = {"openid"};
  scopes.insert(scopes.end(), config_.scopes().begin(), config_.scopes().end());
  const std::string query =
      http::EncodeForm({{"response_type", "code"},
                        {"client_id", config_.client_id()},
                        {"redirect_uri", pending.redirect_uri},
                        {"scope", absl::StrJoin(scopes, " ")},
                        {"state", pending.state},
                        {"nonce", pending.nonce},
                        {"code_challenge", ToBase64Url(crypto::Sha256(pending.verifier))},
                        {"code_challenge_method", "S256"}});
  const absl::string_view joint = absl::StrContains(provider.authorization_endpoint, '?') ? "&" : "?";
  return absl::StrCat(provider.authorization_endpoint, joint, query);
}

absl::StatusOr<std::string> OpenIdProvider::AskForIdToken(const openid::Provider& provider,
                                                          absl::string_view code,
                                                          const openid::PendingSignIn& pending) const {
  http::Headers headers = {{"accept", "application/json"}};
  Fields fields = {{"grant_type", "authorization_code"},
                   {"code", std::string(code)},
                   {"redirect_uri", pending.redirect_uri},
                   {"code_verifier", pending.verifier}};
  if (!secret_.empty() && provider.secret_in == openid::SecretIn::kHeader) {
    const std::string both =
        absl::StrCat(http::EncodeFormValue(config_.client_id()), ":", http::EncodeFormValue(secret_));
    headers.emplace_back("authorization", absl::StrCat("Basic ", ToBase64(both)));
  } else {
    fields.emplace_back("client_id", config_.client_id());
    if (!secret_.empty()) fields.emplace_back("client_secret", secret_);
  }
  const auto answer =
      http::PostForm(provider.token_endpoint, std::move(headers), http::EncodeForm(fields), egress_);
  if (!answer.ok()) return Explain(answer.status(), "redeeming the code at the provider");
  if (answer->status == 200) return openid::ParseTokenResponse(answer->body);
  if (answer->status == 400 || answer->status == 401) {
    return absl::UnauthenticatedError(
        absl::StrCat("the provider refuses the code or this client: ", openid::TokenError(answer->body)));
  }
  return absl::UnavailableError(
      absl::StrCat("the provider's token endpoint answers with status ", answer->status));
}

absl::StatusOr<nlohmann::json> OpenIdProvider::VerifySignature(const openid::Provider& provider,
                                                               const std::string& id_token) {
  ASSIGN_OR_RETURN(const crypto::JwkSet keys, Keys(provider.jwks_uri, kFresh));
  absl::StatusOr<nlohmann::json> claims = keys.Verify(id_token);
  if (!absl::IsNotFound(claims.status())) return claims;
  // The keys may have been rolled since.
  ASSIGN_OR_RETURN(const crypto::JwkSet newest, Keys(provider.jwks_uri, kPause));
  claims = newest.Verify(id_token);
  if (!absl::IsNotFound(claims.status())) return claims;
  return absl::UnauthenticatedError(claims.status().message());
}

absl::StatusOr<std::string> OpenIdProvider::Redeem(absl::string_view code, absl::string_view issuer,
                                                   const openid::PendingSignIn& pending) {
  ASSIGN_OR_RETURN(const openid::Provider provider, Discover());
  if ((provider.names_itself || !issuer.empty()) && issuer != config_.issuer()) {
    return absl::UnauthenticatedError(
        "the browser comes from another provider: `iss` is not the configured issuer");
  }
  ASSIGN_OR_RETURN(const std::string id_token, AskForIdToken(provider, code, pending));
  ASSIGN_OR_RETURN(const nlohmann::json claims, VerifySignature(provider, id_token));
  openid::Expected expected{config_.issuer(), config_.client_id(), pending.nonce, "sub", pending.began};
  if (!config_.account_claim().empty()) expected.account_claim = config_.account_claim();
  return openid::CheckIdToken(claims, expected, clock_.Now());
}

}  // namespace tsunagi::people
