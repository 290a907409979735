#include "core/crypto/jwk_set.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cjose/cjose.h"
#include "core/base/bytes.h"
#include "core/crypto/digest.h"
#include "core/crypto/jwk.h"
#include "core/crypto/jwt.h"
#include "core/crypto/openssl.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::crypto {
namespace {

using Json = nlohmann::json;
using absl::StatusCode;
using testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr char kClaims[] = R"({"sub":"248289761001","exp":1795219200})";

void Release(cjose_jwk_t* jwk) { cjose_jwk_release(jwk); }
using JwkPtr = SslUniquePtr<cjose_jwk_t, Release>;
using JwsPtr = SslUniquePtr<cjose_jws_t, cjose_jws_release>;
using HeaderPtr = SslUniquePtr<cjose_header_t, cjose_header_release>;

// An RSA key of a provider.
class RsaKey {
 public:
  explicit RsaKey(size_t bits = 2048) {
    cjose_err error;
    const uint8_t exponent[] = {1, 0, 1};
    jwk_.reset(cjose_jwk_create_RSA_random(bits, exponent, sizeof exponent, &error));
  }
  // As it is published.
  Json Public(const std::string& kid) const {
    cjose_err error;
    char* const text = cjose_jwk_to_json(jwk_.get(), false, &error);
    Json jwk = Json::parse(text);
    cjose_get_dealloc()(text);
    jwk["kid"] = kid;
    return jwk;
  }
  std::string Sign(const Json& parameters, absl::string_view claims = kClaims) const {
    cjose_err error;
    const HeaderPtr header(cjose_header_new(&error));
    for (const auto& member : parameters.items()) {
      cjose_header_set(header.get(), member.key().c_str(), member.value().get<std::string>().c_str(), &error);
    }
    const JwsPtr jws(cjose_jws_sign(jwk_.get(), header.get(), Bytes(claims), claims.size(), &error));
    const char* compact = nullptr;
    EXPECT_TRUE(jws != nullptr && cjose_jws_export(jws.get(), &compact, &error));
    return compact;
  }

 private:
  JwkPtr jwk_;
};

Json With(Json object, const std::string& name, Json value) {
  object[name] = std::move(value);
  return object;
}

std::string SetOf(const std::vector<Json>& keys) { return Json{{"keys", keys}}.dump(); }

class JwkSetTest : public ::testing::Test {
 protected:
  static Json Ec(const PrivateKey& key, const std::string& kid) {
    return With(PublicJwk(key.public_key()), "kid", kid);
  }
  std::string EcToken(const std::string& kid = "ec") const { return *SignJwt(key_, "JWT", kClaims, kid); }
  // A token with this header and a right signature of the P-256 key over it.
  std::string Signed(const std::string& header, absl::string_view claims = kClaims) const {
    const std::string input = absl::StrCat(ToBase64Url(header), ".", ToBase64Url(claims));
    return absl::StrCat(input, ".", ToBase64Url(key_.Sign(input)));
  }
  void ExpectRefused(const std::string& token, const std::string& why) const {
    EXPECT_THAT(set_.Verify(token), StatusIs(StatusCode::kUnauthenticated, HasSubstr(why)));
  }
  static void ExpectBad(const std::string& set, const std::string& why) {
    EXPECT_THAT(JwkSet::Parse(set), StatusIs(StatusCode::kInvalidArgument, HasSubstr(why)));
  }

  static const RsaKey& Rsa() {
    static const RsaKey key;
    return key;
  }
  const PrivateKey key_ = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const JwkSet set_ = JwkSet::Parse(SetOf({Rsa().Public("rsa"), Ec(key_, "ec")})).value();
};

TEST_F(JwkSetTest, VerifiesRs256Ps256AndEs256) {
  const Json claims = Json::parse(kClaims);

  EXPECT_THAT(set_.Verify(Rsa().Sign({{"alg", "RS256"}, {"kid", "rsa"}})), IsOkAndHolds(claims));
  EXPECT_THAT(set_.Verify(Rsa().Sign({{"alg", "PS256"}, {"kid", "rsa"}, {"typ", "JWT"}})),
              IsOkAndHolds(claims));
  EXPECT_THAT(set_.Verify(EcToken()), IsOkAndHolds(claims));
  EXPECT_THAT(set_.Verify(Signed(R"({"alg":"ES256","kid":"ec","x5t":"abc"})")), IsOkAndHolds(claims));
}

TEST_F(JwkSetTest, RefusesOtherAlgorithms) {
  for (const char* alg : {"\"none\"", "\"HS256\"", "\"RS384\"", "\"RS1\"", "\"ES384\"", "\"EdDSA\"",
                          "\"es256\"", "\"\"", "null", "1", "[\"ES256\"]"}) {
    ExpectRefused(Signed(absl::StrCat(R"({"kid":"ec","alg":)", alg, "}")), "alg is not");
  }
  ExpectRefused(absl::StrCat(ToBase64Url(R"({"alg":"none","kid":"rsa"})"), ".", ToBase64Url(kClaims), "."),
                "alg is not");
  ExpectRefused(Signed(R"({"kid":"ec"})"), "alg is not");
}

TEST_F(JwkSetTest, RefusesHs256KeyedWithThePublicKey) {
  const std::string input =
      absl::StrCat(ToBase64Url(R"({"alg":"HS256","kid":"ec"})"), ".", ToBase64Url(kClaims));
  const std::string mac = HmacSha256(key_.public_key().der(), {input});

  ExpectRefused(absl::StrCat(input, ".", ToBase64Url(mac)), "alg is not");
}

TEST_F(JwkSetTest, RefusesHeadersThatBringTheirOwnKey) {
  for (const char* parameter :
       {R"("jku":"https://thief.example/keys")", R"("x5u":"https://thief.example/x5u")",
        R"("jwk":{"kty":"EC"})", R"("x5c":["MII"])", R"("crit":["exp"],"exp":1)", R"("b64":false)",
        R"("zip":"DEF")", R"("cty":"JWT")"}) {
    ExpectRefused(Signed(absl::StrCat(R"({"alg":"ES256","kid":"ec",)", parameter, "}")),
                  "a parameter other than");
  }
}

TEST_F(JwkSetTest, RefusesOtherTypes) {
  for (const char* typ : {"\"at+jwt\"", "\"logout+jwt\"", "\"jwt\"", "null", "1"}) {
    ExpectRefused(Signed(absl::StrCat(R"({"alg":"ES256","kid":"ec","typ":)", typ, "}")), "typ is not JWT");
  }
}

TEST_F(JwkSetTest, NeedsAKeyIdThatIsPublished) {
  ExpectRefused(Signed(R"({"alg":"ES256"})"), "kid is missing");
  ExpectRefused(Signed(R"({"alg":"ES256","kid":1})"), "kid is missing");
  ExpectRefused(Signed(absl::StrCat(R"({"alg":"ES256","kid":")", std::string(257, 'k'), "\"}")), "too long");
  EXPECT_THAT(set_.Verify(EcToken("../../etc/passwd")), StatusIs(StatusCode::kNotFound));
}

TEST_F(JwkSetTest, RefusesASignatureOfAnotherKeyOrOverOtherClaims) {
  const PrivateKey other = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  ExpectRefused(*SignJwt(other, "JWT", kClaims, "ec"), "signature is wrong");
  const RsaKey thief;
  ExpectRefused(thief.Sign({{"alg", "RS256"}, {"kid", "rsa"}}), "signature is wrong");

  for (const std::string& token : {EcToken(), Rsa().Sign({{"alg", "RS256"}, {"kid", "rsa"}})}) {
    ExpectRefused(absl::StrReplaceAll(token, {{ToBase64Url(kClaims),
                                               ToBase64Url(R"({"sub":"248289761002","exp":1795219200})")}}),
                  "signature is wrong");
  }
}

TEST_F(JwkSetTest, RefusesAKeyOfAnotherTypeOrAlgorithm) {
  ExpectRefused(Signed(R"({"alg":"ES256","kid":"rsa"})"), "another algorithm");
  ExpectRefused(Rsa().Sign({{"alg", "RS256"}, {"kid", "ec"}}), "another algorithm");

  const JwkSet only = JwkSet::Parse(SetOf({With(Rsa().Public("rsa"), "alg", "PS256")})).value();
  EXPECT_THAT(only.Verify(Rsa().Sign({{"alg", "PS256"}, {"kid", "rsa"}})), IsOk());
  EXPECT_THAT(only.Verify(Rsa().Sign({{"alg", "RS256"}, {"kid", "rsa"}})),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("another algorithm")));
}

TEST_F(JwkSetTest, RefusesDuplicateNames) {
  ExpectRefused(Signed(R"({"alg":"ES256","kid":"ec","kid":"rsa"})"), "header is not one JSON object");
  ExpectRefused(Signed(R"({"alg":"ES256","kid":"ec"})", R"({"sub":"1","sub":"2"})"),
                "claims are not one JSON object");
}

TEST_F(JwkSetTest, RefusesWhatIsNoCompactToken) {
  const std::string token = EcToken();
  ExpectRefused("", "three parts");
  ExpectRefused(absl::StrCat(token, "."), "three parts");
  ExpectRefused(absl::StrCat(token, "="), "base64url");
  ExpectRefused(Signed("[]"), "header is not one JSON object");
  ExpectRefused(Signed(R"({"alg":"ES256","kid":"ec"})", "[]"), "claims are not one JSON object");
  ExpectRefused(absl::StrCat(token, std::string(16 << 10, 'A')), "larger than 16 KiB");
}

TEST_F(JwkSetTest, LeavesOutKeysThatAreNotForThis) {
  const Json ec = Ec(key_, "ec");
  for (const Json& other :
       {With(ec, "use", "enc"), With(ec, "alg", "ECDH-ES"), With(ec, "alg", "RS256"),
        With(ec, "key_ops", {"sign"}), With(ec, "crv", "P-384"), With(ec, "kty", "oct"), With(ec, "kty", 1),
        With(ec, "x", "AA"), With(ec, "kid", ""), With(Rsa().Public("ec"), "e", "Aw"),
        RsaKey(1024).Public("ec"), With(Rsa().Public("ec"), "n", ToBase64Url(std::string(300, '\0') + "\7")),
        With(Rsa().Public("ec"), "n", ToBase64Url("\177" + std::string(255, '\1'))),
        With(Rsa().Public("ec"), "n", ToBase64Url(std::string(1025, '\1')))}) {
    ExpectBad(SetOf({other}), "has no key for");
    const JwkSet set = JwkSet::Parse(SetOf({other, Rsa().Public("rsa")})).value();
    EXPECT_EQ(set.size(), 1) << other;
  }
  EXPECT_THAT(JwkSet::Parse(SetOf({With(With(ec, "use", "sig"), "key_ops", {"verify"})})), IsOk());
}

TEST_F(JwkSetTest, RefusesWhatIsNoKeySet) {
  const Json ec = Ec(key_, "ec");
  ExpectBad("", "not one JSON object");
  ExpectBad("[]", "not one JSON object");
  ExpectBad(R"({"keys":[],"keys":[]})", "duplicate names");
  ExpectBad("{}", "no array");
  ExpectBad(R"({"keys":{}})", "no array");
  ExpectBad(R"({"keys":[1]})", "no object");
  ExpectBad(SetOf({ec, With(Rsa().Public("ec"), "alg", "RS256")}), "two keys of one kid");
  ExpectBad(SetOf(std::vector<Json>(65, With(ec, "use", "enc"))), "more than 64 keys");
}

TEST_F(JwkSetTest, RefusesAPointThatIsNotOnTheCurve) {
  const JwkSet set =
      JwkSet::Parse(SetOf({With(Ec(key_, "ec"), "y", ToBase64Url(std::string(32, '\1')))})).value();

  EXPECT_THAT(set.Verify(EcToken()), StatusIs(StatusCode::kUnauthenticated));
}

}  // namespace
}  // namespace tsunagi::crypto
