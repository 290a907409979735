#include "identity/openid/id_token.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::openid {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr int64_t kNow = 1795219200;

Expected Wanted() {
  return {"https://login.oem.example", "tsunagi", "n-0S6_WzA2Mj", "sub", absl::FromUnixSeconds(kNow - 30)};
}

Json Claims() {
  return {{"iss", "https://login.oem.example"},
          {"sub", "248289761001"},
          {"aud", "tsunagi"},
          {"nonce", "n-0S6_WzA2Mj"},
          {"exp", kNow + 600},
          {"iat", kNow - 5}};
}

absl::StatusOr<std::string> Check(const Json& claims, const Expected& expected = Wanted()) {
  return CheckIdToken(Json::parse(claims.dump()), expected, absl::FromUnixSeconds(kNow));
}

TEST(IdTokenTest, NamesThePerson) {
  EXPECT_THAT(Check(Claims()), IsOkAndHolds("248289761001"));
  Json claims = Claims();
  claims["aud"] = Json::array({"tsunagi"});
  claims["azp"] = "tsunagi";
  claims["nbf"] = kNow;
  EXPECT_THAT(Check(claims), IsOkAndHolds("248289761001"));
}

struct Case {
  const char* name;
  const char* claim;
  Json value;  // discarded: the claim is not there
  const char* refused;
};

class RefusedIdTokenTest : public ::testing::TestWithParam<Case> {};

TEST_P(RefusedIdTokenTest, IsRefused) {
  Json claims = Claims();
  claims.erase(GetParam().claim);
  if (!GetParam().value.is_discarded()) claims[GetParam().claim] = GetParam().value;

  EXPECT_THAT(Check(claims), StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr(GetParam().refused)));
}

const Json kAbsent(Json::value_t::discarded);

INSTANTIATE_TEST_SUITE_P(
    IdTokenTest, RefusedIdTokenTest,
    ::testing::Values(
        Case{"AnotherIssuer", "iss", "https://login.oem.example/", "iss"},
        Case{"NoIssuer", "iss", kAbsent, "iss"},
        Case{"IssuerInAList", "iss", {"https://login.oem.example"}, "iss"},
        Case{"AnotherAudience", "aud", "other", "aud"}, Case{"NoAudience", "aud", kAbsent, "aud"},
        Case{"FurtherAudience", "aud", {"tsunagi", "other"}, "aud"},
        Case{"EmptyAudience", "aud", Json::array(), "aud"}, Case{"AudienceThatIsANumber", "aud", 1, "aud"},
        Case{"AnotherAuthorizedParty", "azp", "other", "azp"},
        Case{"AuthorizedPartyNull", "azp", nullptr, "azp"},
        Case{"AnotherNonce", "nonce", "n-0S6_WzA2Mk", "nonce"}, Case{"NoNonce", "nonce", kAbsent, "nonce"},
        Case{"Expired", "exp", kNow - 60, "exp"}, Case{"NoExpiry", "exp", kAbsent, "exp"},
        Case{"ExpiryInText", "exp", "1795219800", "exp"},
        Case{"ExpiryWithFraction", "exp", 1795219800.5, "exp"}, Case{"ExpiryBeforeTime", "exp", -1, "exp"},
        Case{"ExpiryBeyondTime", "exp", 18446744073709551615ull, "exp"},
        Case{"IssuedLater", "iat", kNow + 61, "iat"}, Case{"NoIssueTime", "iat", kAbsent, "iat"},
        Case{"IssuedBeforeItBegan", "iat", kNow - 91, "iat is before"},
        Case{"NotYetValid", "nbf", kNow + 61, "nbf"}, Case{"NotBeforeInText", "nbf", "now", "nbf"},
        Case{"NoSubject", "sub", kAbsent, "sub"}, Case{"EmptySubject", "sub", "", "sub"},
        Case{"LongSubject", "sub", std::string(256, 'x'), "sub"},
        Case{"SubjectThatIsANumber", "sub", 248289761001, "sub"},
        Case{"SubjectWithABreak", "sub", "a\nb", "sub"}, Case{"SubjectBeyondAscii", "sub", "佐藤", "sub"}),
    [](const auto& tested) { return tested.param.name; });

TEST(IdTokenTest, ToleratesAClockDifferenceOf60Seconds) {
  Json claims = Claims();
  claims["exp"] = kNow - 59;
  claims["iat"] = kNow - 90;
  EXPECT_THAT(Check(claims), IsOk());
  claims["iat"] = kNow + 60;
  claims["nbf"] = kNow + 60;
  EXPECT_THAT(Check(claims), IsOk());
}

TEST(IdTokenTest, NamesThePersonByTheConfiguredClaim) {
  Expected expected = Wanted();
  expected.account_claim = "employee";
  Json claims = Claims();
  EXPECT_THAT(Check(claims, expected), StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("`employee`")));
  claims["employee"] = "佐藤 花子";
  EXPECT_THAT(Check(claims, expected), IsOkAndHolds("佐藤 花子"));
  for (const Json& value : {Json(1), Json(""), Json(std::string(256, 'x')), Json("a\u202eb")}) {
    claims["employee"] = value;
    EXPECT_THAT(Check(claims, expected),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("`employee`")));
  }
}

TEST(IdTokenTest, TakesAnAddressOnlyWhenTheProviderHasVerifiedIt) {
  Expected expected = Wanted();
  expected.account_claim = "email";
  Json claims = Claims();
  claims["email"] = "hanako@oem.example";
  EXPECT_THAT(Check(claims, expected),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("email_verified")));
  for (const Json& value : {Json(false), Json("true"), Json(1), Json(nullptr)}) {
    claims["email_verified"] = value;
    EXPECT_THAT(Check(claims, expected),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("email_verified")));
  }
  claims["email_verified"] = true;
  EXPECT_THAT(Check(claims, expected), IsOkAndHolds("hanako@oem.example"));
}

}  // namespace
}  // namespace tsunagi::openid
