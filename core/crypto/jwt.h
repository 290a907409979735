// Tokens and credentials: compact JWS with ES256 (RFC 7515, 7519), made by libcjose.
#pragma once

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/crypto/key.h"
#include "nlohmann/json.hpp"

namespace tsunagi::crypto {

// Signs a JSON claims object. Header: {"alg":"ES256","kid":<kid>,"typ":<typ>}; `kid` is the key's id unless
// one is given: the functions below take no other.
absl::StatusOr<std::string> SignJwt(const PrivateKey& key, absl::string_view typ,
                                    absl::string_view claims_json, absl::string_view kid = "");

// The key that a `kid` names, or an error that becomes the verification's.
using FindJwtKey = absl::FunctionRef<absl::StatusOr<PublicKey>(const std::string& kid)>;

// The claims of a token whose signature the key verifies that `find_key` gives for its `kid`. UNAUTHENTICATED
// on: more than 8 KiB, not three strict base64url parts, a header that is not a JSON object without duplicate
// names, alg other than ES256, typ other than `typ`, any other parameter (jku, x5u, jwk, x5c, crit, …), kid
// missing or not 32 lower-case hex digits, a signature that is not 64 bytes (all of this before a key is
// looked for), a key that is not the named one or not for ES256, a wrong signature, claims that are not one
// JSON object without duplicate names.
absl::StatusOr<nlohmann::json> VerifyJwt(absl::string_view token, absl::string_view typ, FindJwtKey find_key);

}  // namespace tsunagi::crypto
