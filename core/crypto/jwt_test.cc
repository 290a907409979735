#include "core/crypto/jwt.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/base/bytes.h"
#include "core/crypto/digest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::crypto {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr char kTyp[] = "at+jwt";
constexpr char kClaims[] = R"({"sub":"did:web:maker.example","exp":1795219200})";

class JwtTest : public testing::Test {
 protected:
  // A token with this header and a right signature of the key over it.
  std::string Token(absl::string_view header, absl::string_view claims = kClaims) const {
    const std::string input = absl::StrCat(ToBase64Url(header), ".", ToBase64Url(claims));
    return absl::StrCat(input, ".", ToBase64Url(key_.Sign(input)));
  }
  // The right header, with `kKid` replaced by the key's id and `extra` before its end.
  std::string Header(absl::string_view extra = "") const {
    return absl::StrCat(R"({"alg":"ES256","kid":")", key_.id(), R"(","typ":"at+jwt")", extra, "}");
  }
  absl::StatusOr<nlohmann::json> Verify(absl::string_view token) const {
    return VerifyJwt(token, kTyp, [this](const std::string&) { return key_.public_key(); });
  }
  void ExpectRefused(const std::string& token, absl::string_view why) const {
    EXPECT_THAT(Verify(token), StatusIs(StatusCode::kUnauthenticated, HasSubstr(std::string(why))));
  }

  const PrivateKey key_ = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
};

TEST_F(JwtTest, VerifiesWhatItSigned) {
  const auto token = SignJwt(key_, kTyp, kClaims);

  ASSERT_THAT(token, IsOk());
  EXPECT_THAT(Verify(*token), IsOkAndHolds(nlohmann::json::parse(kClaims)));
}

TEST_F(JwtTest, VerifiesATokenThatOthersMade) {
  EXPECT_THAT(Verify(Token(Header())), IsOkAndHolds(nlohmann::json::parse(kClaims)));
}

TEST_F(JwtTest, SignsOnlyObjectsAndOnlyWithEs256) {
  const PrivateKey ed25519 = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);

  EXPECT_THAT(SignJwt(ed25519, kTyp, kClaims), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(SignJwt(key_, kTyp, "[]"), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(SignJwt(key_, kTyp, R"({"sub":1,"sub":2})"), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(JwtTest, RefusesAlgNone) {
  const std::string header = absl::StrReplaceAll(Header(), {{"ES256", "none"}});

  ExpectRefused(absl::StrCat(ToBase64Url(header), ".", ToBase64Url(kClaims), "."),
                "signature is not 64 bytes");
  ExpectRefused(Token(header), "alg is not ES256");
}

TEST_F(JwtTest, RefusesOtherAlgorithmsAndSpellings) {
  for (const char* alg : {"\"es256\"", "\"ES384\"", "\"HS256\"", "\"EdDSA\"", "\"RS256\"", "\"ES256 \"",
                          "\"\"", "null", "1", "[\"ES256\"]"}) {
    ExpectRefused(Token(absl::StrReplaceAll(Header(), {{"\"ES256\"", alg}})), "alg is not ES256");
  }
}

TEST_F(JwtTest, RefusesHs256KeyedWithThePublicKey) {
  const std::string& der = key_.public_key().der();
  const std::string pem =
      absl::StrCat("-----BEGIN PUBLIC KEY-----\n", ToBase64(der), "\n-----END PUBLIC KEY-----\n");
  const std::string header = absl::StrReplaceAll(Header(), {{"ES256", "HS256"}});
  const std::string input = absl::StrCat(ToBase64Url(header), ".", ToBase64Url(kClaims));

  for (const std::string& secret : {pem, der, key_.public_key().P256Point()}) {
    const Digest mac = HmacSha256(secret, {input});
    ExpectRefused(absl::StrCat(input, ".", ToBase64Url(mac)), "signature is not 64 bytes");
    ExpectRefused(absl::StrCat(input, ".", ToBase64Url(mac + mac)), "alg is not ES256");
  }
}

TEST_F(JwtTest, RefusesEveryOtherHeaderParameter) {
  for (const char* extra : {R"(,"jku":"https://evil.example/keys")", R"(,"x5u":"https://evil.example/cert")",
                            R"(,"jwk":{"kty":"EC"})", R"(,"x5c":["MIIB"])", R"(,"crit":["exp"])",
                            R"(,"b64":false)", R"(,"zip":"DEF")", R"(,"cty":"JWT")"}) {
    ExpectRefused(Token(Header(extra)), "parameter other than");
  }
}

TEST_F(JwtTest, RefusesKeyIdsThatAreNoIds) {
  for (const char* kid :
       {"", "../../etc/passwd", "/dev/null", "' OR 1=1 --", "0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0"}) {
    const std::string header = absl::StrReplaceAll(Header(), {{key_.id(), kid}});
    ExpectRefused(Token(header), "kid is not 32");
  }
  ExpectRefused(Token(R"({"alg":"ES256","typ":"at+jwt"})"), "kid is not 32");
  ExpectRefused(Token(R"({"alg":"ES256","typ":"at+jwt","kid":7})"), "kid is not 32");
}

TEST_F(JwtTest, LooksForNoKeyBeforeTheHeaderIsRight) {
  int looked = 0;
  const auto find = [&](const std::string& kid) -> absl::StatusOr<PublicKey> {
    EXPECT_EQ(kid, key_.id());
    ++looked;
    return absl::UnauthenticatedError("not listed");
  };

  EXPECT_THAT(VerifyJwt(Token(Header(R"(,"jku":"https://evil.example")")), kTyp, find),
              StatusIs(StatusCode::kUnauthenticated));
  EXPECT_EQ(looked, 0);
  EXPECT_THAT(VerifyJwt(Token(Header()), kTyp, find),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("not listed")));
  EXPECT_EQ(looked, 1);
}

TEST_F(JwtTest, RefusesAnotherKeysId) {
  ExpectRefused(Token(absl::StrReplaceAll(Header(), {{key_.id(), std::string(32, 'a')}})), "another key");
}

TEST_F(JwtTest, RefusesAnotherTyp) {
  for (const char* typ : {"JWT", "AT+JWT", "application/at+jwt", ""}) {
    ExpectRefused(Token(absl::StrReplaceAll(Header(), {{"at+jwt", typ}})), "typ is not at+jwt");
  }
}

TEST_F(JwtTest, RefusesDuplicateNames) {
  ExpectRefused(Token(Header(R"(,"alg":"ES256")")), "the header is not one JSON object");
  ExpectRefused(Token(Header(R"(,"\u0061lg":"none")")), "the header is not one JSON object");
  ExpectRefused(Token(Header(), R"({"sub":"a","sub":"b"})"), "the claims are not one JSON object");
  ExpectRefused(Token(Header(), R"({"cnf":{"a":1,"a":2}})"), "the claims are not one JSON object");
}

TEST_F(JwtTest, RefusesHeadersAndClaimsThatAreNoObjects) {
  for (const char* bad : {"", "[]", "null", "\"x\"", "{", "{}x", "{\"a\":1,}", "{'a':1}", "{\"a\":\"\xff\"}",
                          "{\"a\":NaN}", "/**/{}"}) {
    ExpectRefused(Token(bad), "the header is not one JSON object");
    ExpectRefused(Token(Header(), bad), "the claims are not one JSON object");
  }
  const std::string deep = "{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}";
  ExpectRefused(Token(Header(), deep), "the claims are not one JSON object");
}

TEST_F(JwtTest, RefusesOtherSpellingsOfTheSameBytes) {
  const std::string token = Token(Header());
  const std::vector<std::string> parts = absl::StrSplit(token, '.');

  ExpectRefused(absl::StrCat(parts[0], ".", parts[1], ".", parts[2], "=="), "base64url");
  ExpectRefused(absl::StrCat(parts[0], "\n.", parts[1], ".", parts[2]), "base64url");
  ExpectRefused(absl::StrCat(parts[0], ".", parts[1], ".", parts[2].substr(0, 85), "\xff"), "base64url");
  // 64 bytes leave four bits unused in the last character: the other fifteen spellings are refused.
  std::string last = token;
  last.back() = last.back() == 'A' ? 'B' : static_cast<char>(last.back() + 1);
  ExpectRefused(last, "base64url");
}

TEST_F(JwtTest, RefusesMoreOrFewerParts) {
  const std::string token = Token(Header());

  for (const std::string& bad : {std::string(), std::string("."), std::string(".."), token + ".", "." + token,
                                 token.substr(0, token.rfind('.')), absl::StrCat(token, ".", token)}) {
    EXPECT_THAT(Verify(bad), StatusIs(StatusCode::kUnauthenticated));
  }
}

TEST_F(JwtTest, RefusesADerSignature) {
  const std::string input = absl::StrCat(ToBase64Url(Header()), ".", ToBase64Url(kClaims));
  const std::string raw = key_.Sign(input);
  const std::string der = absl::StrCat(std::string("\x30\x46\x02\x21\x00", 5), raw.substr(0, 32),
                                       std::string("\x02\x21\x00", 3), raw.substr(32));

  ExpectRefused(absl::StrCat(input, ".", ToBase64Url(der)), "signature is not 64 bytes");
}

TEST_F(JwtTest, RefusesZerosAsSignature) {
  const std::string input = absl::StrCat(ToBase64Url(Header()), ".", ToBase64Url(kClaims));

  ExpectRefused(absl::StrCat(input, ".", ToBase64Url(std::string(64, '\0'))), "the signature is wrong");
}

TEST_F(JwtTest, RefusesAnyChangedCharacter) {
  const std::string token = Token(Header());

  for (size_t i = 0; i < token.size(); i += 5) {
    std::string bad = token;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_THAT(Verify(bad), StatusIs(StatusCode::kUnauthenticated)) << i;
  }
}

TEST_F(JwtTest, RefusesTheSignatureOfAnotherKey) {
  const PrivateKey other = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const std::string input = absl::StrCat(ToBase64Url(Header()), ".", ToBase64Url(kClaims));

  ExpectRefused(absl::StrCat(input, ".", ToBase64Url(other.Sign(input))), "the signature is wrong");
}

TEST_F(JwtTest, RefusesAnEd25519Key) {
  const PrivateKey other = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);

  EXPECT_THAT(VerifyJwt(Token(Header()), kTyp, [&](const std::string&) { return other.public_key(); }),
              StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(JwtTest, RefusesMoreThan8KiB) {
  const std::string claims = absl::StrCat("{\"a\":\"", std::string(10 * 1024, 'x'), "\"}");

  ExpectRefused(Token(Header(), claims), "larger than 8 KiB");
  ExpectRefused(std::string(1 << 20, '.'), "larger than 8 KiB");
}

TEST_F(JwtTest, NeverShowsTheToken) {
  const std::string token = Token(absl::StrReplaceAll(Header(), {{"ES256", "none"}}));

  EXPECT_THAT(std::string(Verify(token).status().message()), testing::Not(HasSubstr(token.substr(0, 20))));
}

}  // namespace
}  // namespace tsunagi::crypto
