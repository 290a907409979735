// Key sets of an OpenID Connect provider: whatever is taken refuses a token that nobody signed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/crypto/jwk_set.h"

namespace {

// {"alg":"RS256","kid":"1"}.{}.{256 bytes of zeros}, and the same for PS256 and ES256 (64 bytes).
const std::string kTokens[] = {
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30." + std::string(342, 'A'),
    "eyJhbGciOiJQUzI1NiIsImtpZCI6IjEifQ.e30." + std::string(342, 'A'),
    "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.e30." + std::string(86, 'A'),
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto keys = tsunagi::crypto::JwkSet::Parse({reinterpret_cast<const char*>(data), size});
  if (!keys.ok()) return 0;
  if (keys->size() == 0 || keys->size() > 64) std::abort();
  for (const std::string& token : kTokens) {
    if (keys->Verify(token).ok()) std::abort();
  }
  return 0;
}
