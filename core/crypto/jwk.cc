#include "core/crypto/jwk.h"

#include <string>

#include "core/base/bytes.h"

namespace tsunagi::crypto {

nlohmann::json PublicJwk(const PublicKey& key) {
  const std::string point = key.P256Point();
  const size_t half = point.size() / 2;
  return {{"kty", "EC"},
          {"crv", "P-256"},
          {"x", ToBase64Url(point.substr(0, half))},
          {"y", ToBase64Url(point.substr(half))}};
}

}  // namespace tsunagi::crypto
