// ID tokens: as a token, nothing verifies but the seed, which the example key of RFC 6979 signed; as claims,
// whoever is named has a name of one line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/bytes.h"
#include "core/crypto/json.h"
#include "core/crypto/jwk.h"
#include "core/crypto/jwk_set.h"
#include "identity/openid/id_token.h"

namespace {

using namespace tsunagi;

constexpr char kKey[] =
    "3059301306072a8648ce3d020106082a8648ce3d0301070342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce6"
    "69622e60"
    "f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
constexpr char kClaims[] =
    R"({"iss":"https://login.oem.example","sub":"248289761001","aud":"tsunagi","nonce":"n","exp":1795219800,)"
    R"("iat":1795219200})";

crypto::JwkSet Keys() {
  nlohmann::json jwk = crypto::PublicJwk(crypto::PublicKey::FromDer(FromHex(kKey).value()).value());
  jwk["kid"] = "1";
  return crypto::JwkSet::Parse(nlohmann::json{{"keys", {jwk}}}.dump()).value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const crypto::JwkSet keys = Keys();
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto verified = keys.Verify(text);
  if (verified.ok() && *verified != nlohmann::json::parse(kClaims)) std::abort();

  const nlohmann::json claims = crypto::ParseStrictObject(text);
  if (claims.is_discarded()) return 0;
  const absl::Time began = absl::FromUnixSeconds(1795219200);
  const openid::Expected expected{"https://login.oem.example", "tsunagi", "n", "sub", began};
  const auto person = openid::CheckIdToken(claims, expected, began);
  if (person.ok() && (person->empty() || person->find('\n') != std::string::npos)) std::abort();
  return 0;
}
