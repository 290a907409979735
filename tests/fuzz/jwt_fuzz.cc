// Access tokens: nothing but the seed, which the example key of RFC 6979 signed, verifies under that key.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/bytes.h"
#include "core/crypto/jwt.h"

namespace {

constexpr char kKey[] =
    "3059301306072a8648ce3d020106082a8648ce3d0301070342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce6"
    "69622e60"
    "f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
constexpr char kClaims[] = R"({"sub":"did:web:maker.example","exp":1795219200})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const tsunagi::crypto::PublicKey key =
      tsunagi::crypto::PublicKey::FromDer(tsunagi::FromHex(kKey).value()).value();
  const absl::string_view token(reinterpret_cast<const char*>(data), size);
  const auto claims = tsunagi::crypto::VerifyJwt(token, "at+jwt", [](const std::string&) { return key; });
  if (claims.ok() && *claims != nlohmann::json::parse(kClaims)) std::abort();
  return 0;
}
