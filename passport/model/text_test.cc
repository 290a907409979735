#include "passport/model/text.h"

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::passport {
namespace {

using tsunagi::testing::IsOkAndHolds;
using tsunagi::testing::StatusIs;

TEST(FoldForSearchTest, MakesWidthAndCaseAlike) {
  EXPECT_THAT(FoldForSearch("ＡbC"), IsOkAndHolds("abc"));
  EXPECT_THAT(FoldForSearch("ﾊﾞｯﾃﾘ"), IsOkAndHolds("バッテリ"));
  EXPECT_THAT(FoldForSearch("Straße"), IsOkAndHolds("strasse"));
  EXPECT_THAT(FoldForSearch("㈱電池"), IsOkAndHolds("(株)電池"));
  EXPECT_THAT(FoldForSearch(""), IsOkAndHolds(""));
}

TEST(FoldForSearchTest, RefusesWhatIsNoUtf8) {
  EXPECT_THAT(FoldForSearch("\xff"), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tsunagi::passport
