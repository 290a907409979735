#include "core/crypto/jwk_set.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cjose/cjose.h"
#include "core/base/bytes.h"
#include "core/base/status_macros.h"
#include "core/crypto/compact.h"
#include "core/crypto/json.h"
#include "core/crypto/openssl.h"
#include "openssl/err.h"

namespace tsunagi::crypto {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxTokenBytes = 16 << 10;
constexpr size_t kMaxKeys = 64;
constexpr size_t kMaxKeyId = 256;
constexpr size_t kLeastRsaBits = 2048;
constexpr size_t kMostRsaBits = 8192;
constexpr size_t kCoordinateSize = 32;
constexpr char kRsa[] = "RSA";
constexpr char kEc[] = "EC";

void ReleaseJwk(cjose_jwk_t* jwk) { cjose_jwk_release(jwk); }
using JwkPtr = SslUniquePtr<cjose_jwk_t, ReleaseJwk>;
using JwsPtr = SslUniquePtr<cjose_jws_t, cjose_jws_release>;

// The key type that an algorithm is for; empty for every algorithm but the three.
absl::string_view TypeFor(absl::string_view algorithm) {
  if (algorithm == "RS256" || algorithm == "PS256") return kRsa;
  return algorithm == "ES256" ? kEc : "";
}

// Bytes of a base64url member; empty when it is none.
std::string BytesOf(const Json& key, const char* name) {
  return FromBase64Url(StringMember(key, name)).value_or("");
}

bool IsModulus(absl::string_view bytes) {
  if (bytes.empty() || bytes[0] == 0) return false;
  const size_t bits =
      bytes.size() * 8 - static_cast<size_t>(std::countl_zero(static_cast<uint8_t>(bytes[0])));
  return bits >= kLeastRsaBits && bits <= kMostRsaBits;
}

// The public members of a key that Verify knows: whatever else stands there is never handed on.
std::optional<Json> PublicMembers(const Json& key) {
  const std::string type = StringMember(key, "kty");
  if (type == kRsa && IsModulus(BytesOf(key, "n")) && StringMember(key, "e") == "AQAB") {
    return Json{{"kty", type}, {"n", key["n"]}, {"e", key["e"]}};
  }
  if (type == kEc && StringMember(key, "crv") == "P-256" && BytesOf(key, "x").size() == kCoordinateSize &&
      BytesOf(key, "y").size() == kCoordinateSize) {
    return Json{{"kty", type}, {"crv", "P-256"}, {"x", key["x"]}, {"y", key["y"]}};
  }
  return std::nullopt;
}

bool IsForSignatures(const Json& key) {
  if (key.contains("use") && StringMember(key, "use") != "sig") return false;
  if (!key.contains("key_ops")) return true;
  const Json& operations = key["key_ops"];
  return operations.is_array() &&
         std::find(operations.begin(), operations.end(), "verify") != operations.end();
}

// What the header says, checked before anything is verified, so that no other algorithm or key source is ever
// tried.
struct Header {
  std::string algorithm;
  std::string key_id;
};

absl::StatusOr<Header> CheckHeader(absl::string_view text) {
  const Json header = ParseStrictObject(text);
  if (header.is_discarded()) return RefuseToken("the header is not one JSON object without duplicate names");
  for (const auto& member : header.items()) {
    const std::string& name = member.key();
    if (name != "alg" && name != "kid" && name != "typ" && name != "x5t" && name != "x5t#S256") {
      return RefuseToken("the header has a parameter other than alg, kid, typ and x5t");
    }
  }
  Header checked{StringMember(header, "alg"), StringMember(header, "kid")};
  if (TypeFor(checked.algorithm).empty()) return RefuseToken("alg is not RS256, PS256 or ES256");
  if (header.contains("typ") && StringMember(header, "typ") != "JWT") return RefuseToken("typ is not JWT");
  if (checked.key_id.empty() || checked.key_id.size() > kMaxKeyId)
    return RefuseToken("kid is missing or too long");
  return checked;
}

bool HasSignatureOf(absl::string_view token, const std::string& key_json) {
  cjose_err error;
  const JwkPtr key(cjose_jwk_import(key_json.data(), key_json.size(), &error));
  const JwsPtr signed_token(cjose_jws_import(token.data(), token.size(), &error));
  const bool verified =
      key != nullptr && signed_token != nullptr && cjose_jws_verify(signed_token.get(), key.get(), &error);
  // What libcjose leaves of a failure would be taken for one of TLS by this thread's next connection.
  ERR_clear_error();
  return verified;
}

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the key set ", what));
}

}  // namespace

absl::StatusOr<JwkSet> JwkSet::Parse(absl::string_view text) {
  const Json parsed = ParseStrictObject(text);
  if (parsed.is_discarded()) return Bad("is not one JSON object without duplicate names");
  const auto keys = parsed.find("keys");
  if (keys == parsed.end() || !keys->is_array()) return Bad("has no array `keys`");
  if (keys->size() > kMaxKeys) return Bad(absl::StrCat("has more than ", kMaxKeys, " keys"));
  JwkSet set;
  for (const Json& key : *keys) {
    if (!key.is_object()) return Bad("has a key that is no object");
    const std::optional<Json> members = PublicMembers(key);
    const std::string id = StringMember(key, "kid");
    const std::string algorithm = StringMember(key, "alg");
    const std::string type = StringMember(key, "kty");
    const bool fits = !key.contains("alg") || TypeFor(algorithm) == type;
    if (!members.has_value() || id.empty() || id.size() > kMaxKeyId || !IsForSignatures(key) || !fits)
      continue;
    if (!set.keys_.emplace(id, Key{type, algorithm, members->dump()}).second)
      return Bad("has two keys of one kid");
  }
  if (set.keys_.empty()) return Bad("has no key for RS256, PS256 or ES256");
  return set;
}

absl::StatusOr<Json> JwkSet::Verify(absl::string_view token) const {
  ASSIGN_OR_RETURN(const CompactParts parts, SplitCompact(token, kMaxTokenBytes));
  ASSIGN_OR_RETURN(const Header header, CheckHeader(parts.header));
  const auto key = keys_.find(header.key_id);
  if (key == keys_.end()) return absl::NotFoundError("token refused: no published key has its kid");
  if (TypeFor(header.algorithm) != key->second.type ||
      (!key->second.algorithm.empty() && key->second.algorithm != header.algorithm)) {
    return RefuseToken("the key is for another algorithm");
  }
  if (!HasSignatureOf(token, key->second.json)) return RefuseToken("the signature is wrong");
  Json claims = ParseStrictObject(parts.claims);
  if (claims.is_discarded()) return RefuseToken("the claims are not one JSON object without duplicate names");
  return claims;
}

}  // namespace tsunagi::crypto
