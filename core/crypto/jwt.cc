#include "core/crypto/jwt.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cjose/cjose.h"
#include "core/base/status_macros.h"
#include "core/crypto/compact.h"
#include "core/crypto/json.h"
#include "core/crypto/openssl.h"
#include "openssl/core_names.h"
#include "openssl/crypto.h"

namespace tsunagi::crypto {
namespace {

constexpr size_t kMaxTokenBytes = 8192;
constexpr size_t kSignatureSize = 64;
constexpr size_t kKeyIdSize = 32;
constexpr size_t kCoordinateSize = 32;

void ReleaseJwk(cjose_jwk_t* jwk) { cjose_jwk_release(jwk); }
using JwkPtr = SslUniquePtr<cjose_jwk_t, ReleaseJwk>;
using JwsPtr = SslUniquePtr<cjose_jws_t, cjose_jws_release>;
using HeaderPtr = SslUniquePtr<cjose_header_t, cjose_header_release>;

bool IsKeyId(absl::string_view text) {
  return text.size() == kKeyIdSize && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Checks the header before anything is verified, so that no other algorithm or key source is ever tried.
// Returns kid.
absl::StatusOr<std::string> CheckHeader(absl::string_view header, absl::string_view typ) {
  const nlohmann::json parsed = ParseStrictObject(header);
  if (parsed.is_discarded()) return RefuseToken("the header is not one JSON object without duplicate names");
  for (const auto& member : parsed.items()) {
    if (member.key() != "alg" && member.key() != "kid" && member.key() != "typ") {
      return RefuseToken("the header has a parameter other than alg, kid and typ");
    }
  }
  if (StringMember(parsed, "alg") != "ES256") return RefuseToken("alg is not ES256");
  if (StringMember(parsed, "typ") != typ) return RefuseToken(absl::StrCat("typ is not ", typ));
  std::string kid = StringMember(parsed, "kid");
  if (!IsKeyId(kid)) return RefuseToken("kid is not 32 lower-case hex digits");
  return kid;
}

std::string SecretOf(const PrivateKey& key) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key.native(), OSSL_PKEY_PARAM_PRIV_KEY, &number);
  const BignumPtr owned(number);
  std::string secret(kCoordinateSize, '\0');
  if (number == nullptr || BN_bn2binpad(number, Bytes(secret), static_cast<int>(kCoordinateSize)) < 0)
    return "";
  return secret;
}

JwkPtr MakeJwk(const PrivateKey& key) {
  std::string point = key.public_key().P256Point();
  std::string secret = SecretOf(key);
  if (secret.empty()) return nullptr;
  cjose_jwk_ec_keyspec spec = {};
  spec.crv = CJOSE_JWK_EC_P_256;
  spec.d = Bytes(secret);
  spec.dlen = secret.size();
  spec.x = Bytes(point);
  spec.xlen = kCoordinateSize;
  spec.y = Bytes(point) + kCoordinateSize;
  spec.ylen = kCoordinateSize;
  cjose_err error;
  JwkPtr jwk(cjose_jwk_create_EC_spec(&spec, &error));
  OPENSSL_cleanse(secret.data(), secret.size());
  return jwk;
}

}  // namespace

absl::StatusOr<std::string> SignJwt(const PrivateKey& key, absl::string_view typ,
                                    absl::string_view claims_json, absl::string_view kid) {
  if (key.algorithm() != common::v1::SIGNATURE_ALGORITHM_ES256) {
    return absl::InvalidArgumentError("tokens are signed with ES256 keys only");
  }
  if (ParseStrictObject(claims_json).is_discarded()) {
    return absl::InvalidArgumentError("claims are not one JSON object without duplicate names");
  }
  cjose_err error;
  const HeaderPtr header(cjose_header_new(&error));
  const JwkPtr jwk = MakeJwk(key);
  if (header == nullptr || jwk == nullptr ||
      !cjose_header_set(header.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_ES256, &error) ||
      !cjose_header_set(header.get(), CJOSE_HDR_KID, std::string(kid.empty() ? key.id() : kid).c_str(),
                        &error) ||
      !cjose_header_set(header.get(), "typ", std::string(typ).c_str(), &error)) {
    return SslError(absl::StatusCode::kInternal, "preparing a token failed");
  }
  const JwsPtr jws(cjose_jws_sign(jwk.get(), header.get(), Bytes(claims_json), claims_json.size(), &error));
  const char* compact = nullptr;
  if (jws == nullptr || !cjose_jws_export(jws.get(), &compact, &error)) {
    return SslError(absl::StatusCode::kInternal, "signing a token failed");
  }
  return std::string(compact);
}

absl::StatusOr<nlohmann::json> VerifyJwt(absl::string_view token, absl::string_view typ,
                                         FindJwtKey find_key) {
  ASSIGN_OR_RETURN(const CompactParts parts, SplitCompact(token, kMaxTokenBytes));
  if (parts.signature.size() != kSignatureSize) return RefuseToken("the signature is not 64 bytes");
  ASSIGN_OR_RETURN(const std::string kid, CheckHeader(parts.header, typ));
  ASSIGN_OR_RETURN(const PublicKey key, find_key(kid));
  if (key.algorithm() != common::v1::SIGNATURE_ALGORITHM_ES256)
    return RefuseToken("the key is not for ES256");
  if (kid != key.id()) return RefuseToken("kid names another key");
  // By our own key and not by libcjose, which imports the key and parses the token anew with each call: that
  // costs four times what the signature does.
  if (!key.Verify(token.substr(0, token.rfind('.')), parts.signature))
    return RefuseToken("the signature is wrong");
  nlohmann::json claims = ParseStrictObject(parts.claims);
  if (claims.is_discarded()) return RefuseToken("the claims are not one JSON object without duplicate names");
  return claims;
}

}  // namespace tsunagi::crypto
