// Tokens and credentials: compact JWS with ES256 (RFC 7515, 7519), by libcjose.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/crypto/key.h"

namespace tsunagi::crypto {

// Signs a JSON claims object. Header: {"alg":"ES256","kid":<kid>,"typ":<typ>}; `kid` is the key's id unless
// one is given: the functions below take no other.
absl::StatusOr<std::string> SignJwt(const PrivateKey& key, absl::string_view typ,
                                    absl::string_view claims_json, absl::string_view kid = "");

// The `kid` of a token's header. UNAUTHENTICATED on: more than 8 KiB, not three strict base64url parts, a
// header that is not a JSON object without duplicate names, alg other than ES256, typ other than `typ`, any
// other parameter (jku, x5u, jwk, x5c, crit, …), kid missing or not 32 lower-case hex digits, a signature
// that is not 64 bytes.
absl::StatusOr<std::string> JwtKeyId(absl::string_view token, absl::string_view typ);

// The claims JSON of a token whose signature `key` verifies. Checks everything that JwtKeyId checks first,
// and that the claims are one JSON object without duplicate names. UNAUTHENTICATED otherwise.
absl::StatusOr<std::string> VerifyJwt(absl::string_view token, absl::string_view typ, const PublicKey& key);

}  // namespace tsunagi::crypto
