// Public keys that members list: one encoding for each key, and no signature that was not made.
#include <cstdlib>
#include <string>

#include "core/crypto/key.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tsunagi::crypto::PublicKey;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (const auto raw = PublicKey::FromEd25519(bytes); raw.ok() && raw->Ed25519Raw() != bytes) std::abort();
  const auto key = PublicKey::FromDer(bytes);
  if (!key.ok()) return 0;
  if (key->der() != bytes || key->id().size() != 32) std::abort();
  // r and s of 0, and every other length, are no signature.
  if (key->Verify("message", std::string(64, '\0')) || key->Verify("message", bytes)) std::abort();
  return 0;
}
