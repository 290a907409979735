#include "services/http/form.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

constexpr char kType[] = "application/x-www-form-urlencoded";

TEST(FormTest, DecodesNamesAndValues) {
  EXPECT_THAT(ParseForm(kType, "grant_type=client_credentials&client%5Fid=did%3aweb%3Ax+y").value(),
              ElementsAre(Pair("client_id", "did:web:x y"), Pair("grant_type", "client_credentials")));
  EXPECT_THAT(ParseForm("Application/X-WWW-form-urlencoded; charset=UTF-8", "a=b=c&&").value(),
              ElementsAre(Pair("a", "b=c")));
}

TEST(FormTest, LeavesOutWhatHasNoValue) {
  EXPECT_THAT(ParseForm(kType, "scope=&audience").value(), IsEmpty());
  EXPECT_THAT(ParseForm(kType, "").value(), IsEmpty());
}

TEST(FormTest, RefusesOtherContentTypes) {
  for (const char* type :
       {"", "application/json", "application/x-www-form-urlencodedx", "multipart/form-data"}) {
    EXPECT_THAT(ParseForm(type, "a=b"), StatusIs(kInvalidArgument, HasSubstr(kType))) << type;
  }
}

TEST(FormTest, RefusesWhatCanBeReadInTwoWays) {
  for (const char* body : {"a=1&a=2", "a=1&%61=2", "a=&a=1", "=1", "a=%", "a=%4", "a=%4g", "a=%g4", "a=%00",
                           "a=%0d%0a", "a=\x7f", "a=\xc3\xa9", "a=%c3%a9"}) {
    EXPECT_THAT(ParseForm(kType, body), StatusIs(kInvalidArgument)) << body;
  }
}

TEST(FormTest, TakesAtMost32Fields) {
  std::string body = "f=0";
  for (int i = 1; i < 32; ++i) absl::StrAppend(&body, "&f", i, "=", i);
  EXPECT_EQ(ParseForm(kType, body)->size(), 32u);
  EXPECT_THAT(ParseForm(kType, body + "&g="), StatusIs(kInvalidArgument, HasSubstr("32 fields")));
}

TEST(FormTest, NeverTellsAValue) {
  EXPECT_THAT(std::string(ParseForm(kType, "t=secret&t=secret").status().message()),
              ::testing::Not(HasSubstr("secret")));
}

TEST(EncodeFormTest, IsReadBackAlike) {
  const std::string all = "a-._~Z9 +&=%/?:\"<>\\";

  EXPECT_EQ(EncodeForm({{"scope", "openid email"}, {"a&b", "c=d"}}), "scope=openid%20email&a%26b=c%3Dd");
  EXPECT_EQ(EncodeFormValue("\xe4\xbd\x90"), "%E4%BD%90");
  EXPECT_EQ(ParseForm("application/x-www-form-urlencoded", EncodeForm({{"x", all}}))->at("x"), all);
}

}  // namespace
}  // namespace tsunagi::http
