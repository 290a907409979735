#include "identity/openid/discovery.h"

#include <algorithm>
#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "core/crypto/compact.h"
#include "core/crypto/json.h"

namespace tsunagi::openid {
namespace {

using Json = nlohmann::json;
using crypto::StringMember;

constexpr size_t kMaxUrl = 2048;
constexpr size_t kMaxError = 64;

absl::Status Bad(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("the provider's discovery document ", what));
}

bool IsVisibleAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

absl::StatusOr<std::string> Endpoint(const Json& document, const char* name) {
  std::string url = StringMember(document, name);
  const bool good = absl::StartsWith(url, "https://") && url.size() <= kMaxUrl && IsVisibleAscii(url) &&
                    !absl::StrContains(url, '#');
  if (good) return url;
  return Bad(absl::StrCat("has no `", name, "` that is an https URL"));
}

// Whether the list says one of `wanted`; `unsaid` when there is no such list.
bool Lists(const Json& document, const char* name, std::initializer_list<absl::string_view> wanted,
           bool unsaid) {
  const auto list = document.find(name);
  if (list == document.end()) return unsaid;
  return list->is_array() && std::any_of(list->begin(), list->end(), [&](const Json& one) {
           return one.is_string() &&
                  std::find(wanted.begin(), wanted.end(), one.get_ref<const std::string&>()) != wanted.end();
         });
}

absl::Status CheckAbilities(const Json& document) {
  if (!Lists(document, "response_types_supported", {"code"}, false)) {
    return Bad("lists no response type `code`");
  }
  // Many that do it do not say so; one that lists other methods does not do it.
  if (!Lists(document, "code_challenge_methods_supported", {"S256"}, true)) {
    return Bad("lists PKCE methods without `S256`");
  }
  if (!Lists(document, "id_token_signing_alg_values_supported", {"RS256", "PS256", "ES256"}, false)) {
    return Bad("lists no signing algorithm of ID tokens that is known here: RS256, PS256 or ES256");
  }
  return absl::OkStatus();
}

}  // namespace

std::string DiscoveryUrl(absl::string_view issuer) {
  return absl::StrCat(absl::StripSuffix(issuer, "/"), "/.well-known/openid-configuration");
}

absl::StatusOr<Provider> ParseDiscovery(absl::string_view text, absl::string_view issuer) {
  const Json document = crypto::ParseStrictObject(text);
  if (document.is_discarded()) return Bad("is not one JSON object without duplicate names");
  if (StringMember(document, "issuer") != issuer) {
    return Bad("names another `issuer` than the configuration: they must be equal to the last character");
  }
  Provider provider;
  ASSIGN_OR_RETURN(provider.authorization_endpoint, Endpoint(document, "authorization_endpoint"));
  ASSIGN_OR_RETURN(provider.token_endpoint, Endpoint(document, "token_endpoint"));
  ASSIGN_OR_RETURN(provider.jwks_uri, Endpoint(document, "jwks_uri"));
  RETURN_IF_ERROR(CheckAbilities(document));
  constexpr char kMethods[] = "token_endpoint_auth_methods_supported";
  if (!Lists(document, kMethods, {"client_secret_basic"}, true)) {
    provider.secret_in = SecretIn::kForm;
    if (!Lists(document, kMethods, {"client_secret_post", "none"}, false)) {
      return Bad("lists none of client_secret_basic, client_secret_post and none");
    }
  }
  const auto names_itself = document.find("authorization_response_iss_parameter_supported");
  provider.names_itself = names_itself != document.end() && *names_itself == true;
  return provider;
}

absl::StatusOr<std::string> ParseTokenResponse(absl::string_view body) {
  const Json response = crypto::ParseStrictObject(body);
  if (response.is_discarded()) {
    return absl::UnauthenticatedError(
        "the provider's token response is not one JSON object without duplicate names");
  }
  if (!absl::EqualsIgnoreCase(StringMember(response, "token_type"), "Bearer")) {
    return absl::UnauthenticatedError("the provider's token response has another `token_type` than Bearer");
  }
  std::string id_token = StringMember(response, "id_token");
  if (id_token.empty()) return absl::UnauthenticatedError("the provider's token response has no `id_token`");
  return id_token;
}

std::string TokenError(absl::string_view body) {
  const Json response = crypto::ParseStrictObject(body);
  const std::string error = response.is_discarded() ? "" : StringMember(response, "error");
  const bool word =
      !error.empty() && error.size() <= kMaxError && std::all_of(error.begin(), error.end(), [](char c) {
        return absl::ascii_islower(static_cast<unsigned char>(c)) || c == '_';
      });
  return word ? absl::StrCat("`", error, "`") : "an unknown error";
}

}  // namespace tsunagi::openid
