// Key sets that another party publishes (RFC 7517), and the JWTs that they verify: libcjose does the
// verifying.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace tsunagi::crypto {

// Public keys by their `kid`. A value.
class JwkSet {
 public:
  // Takes from a key set (RFC 7517 section 5) the keys for signatures that Verify knows: RSA of 2,048 to
  // 8,192 bits with exponent 65537, and P-256, each with a `kid` of 1 to 256 bytes; leaves out other types,
  // uses and algorithms. INVALID_ARGUMENT unless it is one JSON object without duplicate names whose `keys`
  // are at most 64 objects, or when a `kid` names two keys or none is left.
  static absl::StatusOr<JwkSet> Parse(absl::string_view text);

  // The claims of a token whose signature the key of its `kid` verifies. RS256, PS256 or ES256, whichever is
  // for the key; `typ` JWT or none; no other header parameter but x5t and x5t#S256, which are not looked at.
  //   NOT_FOUND        the set has no key of this `kid`
  //   UNAUTHENTICATED  more than 16 KiB, not three strict base64url parts, a header that is not one JSON
  //                    object without duplicate names, any other alg, typ or parameter (jku, x5u, jwk, x5c,
  //                    crit, …), no `kid`, a key for another algorithm, a wrong signature, claims that are
  //                    not one JSON object without duplicate names
  absl::StatusOr<nlohmann::json> Verify(absl::string_view token) const;

  size_t size() const { return keys_.size(); }

 private:
  struct Key {
    std::string type;       // kty
    std::string algorithm;  // that it is for alone; empty for any of its type
    std::string json;       // its public members
  };
  std::map<std::string, Key> keys_;
};

}  // namespace tsunagi::crypto
