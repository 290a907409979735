#include "identity/openid/discovery.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"

namespace tsunagi::openid {
namespace {

using Json = nlohmann::json;
using absl::StatusCode;
using testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr char kIssuer[] = "https://login.oem.example";

Json Document() {
  return {{"issuer", kIssuer},
          {"authorization_endpoint", "https://login.oem.example/auth"},
          {"token_endpoint", "https://login.oem.example/token"},
          {"jwks_uri", "https://keys.oem.example/jwks"},
          {"response_types_supported", {"code", "code id_token"}},
          {"code_challenge_methods_supported", {"S256"}},
          {"id_token_signing_alg_values_supported", {"EdDSA", "RS256"}},
          {"token_endpoint_auth_methods_supported", {"client_secret_basic", "client_secret_post"}}};
}

absl::StatusOr<Provider> Parse(const Json& document) { return ParseDiscovery(document.dump(), kIssuer); }

TEST(DiscoveryTest, TakesWhereTheProviderIs) {
  const absl::StatusOr<Provider> provider = Parse(Document());

  ASSERT_THAT(provider, IsOk());
  EXPECT_EQ(provider->authorization_endpoint, "https://login.oem.example/auth");
  EXPECT_EQ(provider->token_endpoint, "https://login.oem.example/token");
  EXPECT_EQ(provider->jwks_uri, "https://keys.oem.example/jwks");
  EXPECT_EQ(provider->secret_in, SecretIn::kHeader);
  EXPECT_FALSE(provider->names_itself);
}

TEST(DiscoveryTest, IsBelowTheIssuer) {
  EXPECT_EQ(DiscoveryUrl("https://a.example"), "https://a.example/.well-known/openid-configuration");
  EXPECT_EQ(DiscoveryUrl("https://a.example/tenant/"),
            "https://a.example/tenant/.well-known/openid-configuration");
}

TEST(DiscoveryTest, RefusesAnyOtherIssuer) {
  for (const char* issuer : {"https://login.oem.example/", "https://LOGIN.oem.example",
                             "http://login.oem.example", "https://login.oem.example.thief.example", ""}) {
    Json document = Document();
    document["issuer"] = issuer;
    EXPECT_THAT(Parse(document), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("another `issuer`")))
        << issuer;
  }
  Json document = Document();
  document.erase("issuer");
  EXPECT_THAT(Parse(document), StatusIs(StatusCode::kFailedPrecondition));
}

TEST(DiscoveryTest, RefusesEndpointsThatAreNoHttpsUrls) {
  for (const char* name : {"authorization_endpoint", "token_endpoint", "jwks_uri"}) {
    for (const Json& url : {Json("http://login.oem.example/x"), Json("javascript:alert(1)"), Json(1),
                            Json(""), Json("https://login.oem.example/a b"),
                            Json("https://login.oem.example/\n"), Json("https://login.oem.example/#x"),
                            Json(absl::StrCat("https://login.oem.example/", std::string(2048, 'x')))}) {
      Json document = Document();
      document[name] = url;
      EXPECT_THAT(Parse(document), StatusIs(StatusCode::kFailedPrecondition, HasSubstr(name))) << url;
    }
  }
}

TEST(DiscoveryTest, RefusesProvidersThatCannotDoIt) {
  for (const auto& [name, value] :
       {std::pair<const char*, Json>{"response_types_supported", {"id_token"}},
        {"response_types_supported", "code"},
        {"response_types_supported", Json::array({1})},
        {"code_challenge_methods_supported", Json::array({"plain"})},
        {"id_token_signing_alg_values_supported", {"HS256", "none"}},
        {"token_endpoint_auth_methods_supported", Json::array({"private_key_jwt"})}}) {
    Json document = Document();
    document[name] = value;
    EXPECT_THAT(Parse(document), StatusIs(StatusCode::kFailedPrecondition)) << name << value;
  }
}

TEST(DiscoveryTest, FollowsWhatIsSaidOfSecretsAndIss) {
  Json document = Document();
  document["token_endpoint_auth_methods_supported"] = Json::array({"client_secret_post"});
  document["authorization_response_iss_parameter_supported"] = true;
  EXPECT_EQ(Parse(document)->secret_in, SecretIn::kForm);
  EXPECT_TRUE(Parse(document)->names_itself);

  document.erase("token_endpoint_auth_methods_supported");
  document.erase("code_challenge_methods_supported");
  EXPECT_EQ(Parse(document)->secret_in, SecretIn::kHeader);
}

TEST(DiscoveryTest, RefusesWhatIsNotOneObject) {
  for (const std::string& text :
       {std::string(), std::string("[]"), Document().dump() + "{}",
        absl::StrCat(R"({"issuer":")", kIssuer, R"(",)", Document().dump().substr(1))}) {
    EXPECT_THAT(ParseDiscovery(text, kIssuer),
                StatusIs(StatusCode::kFailedPrecondition, HasSubstr("one JSON object")))
        << text;
  }
}

TEST(TokenResponseTest, HasAnIdToken) {
  EXPECT_THAT(ParseTokenResponse(R"({"access_token":"x","token_type":"bearer","id_token":"a.b.c"})"),
              IsOkAndHolds("a.b.c"));

  for (const char* body :
       {"", "<html>", R"({"token_type":"Bearer"})", R"({"token_type":"Bearer","id_token":1})",
        R"({"token_type":"DPoP","id_token":"a.b.c"})", R"({"id_token":"a.b.c"})",
        R"({"token_type":"Bearer","id_token":"a.b.c","id_token":"d.e.f"})"}) {
    EXPECT_THAT(ParseTokenResponse(body), StatusIs(StatusCode::kUnauthenticated)) << body;
  }
}

TEST(TokenResponseTest, ShowsErrorsThatAreWords) {
  EXPECT_EQ(TokenError(R"({"error":"invalid_grant","error_description":"no"})"), "`invalid_grant`");
  for (const char* body :
       {"", "{}", R"({"error":1})", R"({"error":"\u001b[2J"})", R"({"error":"Bad Thing"})"}) {
    EXPECT_EQ(TokenError(body), "an unknown error") << body;
  }
}

}  // namespace
}  // namespace tsunagi::openid
