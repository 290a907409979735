// What an OpenID Connect provider says of itself (OpenID Connect Discovery 1.0 section 3), and its answers at
// the token endpoint.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::openid {

// Where the discovery document of an issuer is (section 4.1).
std::string DiscoveryUrl(absl::string_view issuer);

// How the token endpoint takes the client's secret (OpenID Connect Core 1.0 section 9).
enum class SecretIn { kHeader, kForm };

struct Provider {
  // https URLs of visible ASCII; no more is known of them.
  std::string authorization_endpoint;
  std::string token_endpoint;
  std::string jwks_uri;
  SecretIn secret_in = SecretIn::kHeader;
  // Whether authorization responses carry `iss` (RFC 9207).
  bool names_itself = false;
};

// Takes a discovery document. FAILED_PRECONDITION naming the member that does not do: not one JSON object
// without duplicate names, another `issuer` than this one (compared byte by byte), an endpoint that is
// missing or no https URL of at most 2,048 bytes, no response type `code`, no PKCE by S256 although methods
// are listed, no algorithm that JwkSet verifies, no way for the secret.
absl::StatusOr<Provider> ParseDiscovery(absl::string_view document, absl::string_view issuer);

// The `id_token` of an answer with status 200 (Core section 3.1.3.3). UNAUTHENTICATED naming what is wrong.
absl::StatusOr<std::string> ParseTokenResponse(absl::string_view body);

// The `error` of another answer, such as invalid_grant (RFC 6749 section 5.2); `an unknown error` when it has
// none.
std::string TokenError(absl::string_view body);

}  // namespace tsunagi::openid
