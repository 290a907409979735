// Public keys as JSON Web Keys (RFC 7517, 7518).
#pragma once

#include "core/crypto/key.h"
#include "nlohmann/json.hpp"

namespace tsunagi::crypto {

// kty, crv, x and y of a P-256 key. `key` must be one.
nlohmann::json PublicJwk(const PublicKey& key);

}  // namespace tsunagi::crypto
