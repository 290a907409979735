#include "passport/model/values.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::passport {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

const absl::Time kToday = absl::FromUnixSeconds(1795219200);  // 2026-11-21 00:00 UTC

Decimal D(int64_t unscaled, int exponent) {
  Decimal decimal;
  decimal.set_unscaled(unscaled);
  decimal.set_exponent(exponent);
  return decimal;
}

struct GoodDecimal {
  const char* name;
  const char* text;
  int64_t unscaled;
  int exponent;
};

class DecimalTest : public ::testing::TestWithParam<GoodDecimal> {};

TEST_P(DecimalTest, KeepsTheNumberAsGiven) {
  const absl::StatusOr<Decimal> decimal = ParseDecimal(GetParam().text, "lithium_kg");

  ASSERT_THAT(decimal, IsOk());
  EXPECT_EQ(decimal->unscaled(), GetParam().unscaled);
  EXPECT_EQ(decimal->exponent(), GetParam().exponent);
  EXPECT_EQ(PrintDecimal(*decimal), GetParam().text);
  EXPECT_THAT(CheckDecimal(*decimal, "lithium_kg"), IsOk());
}

INSTANTIATE_TEST_SUITE_P(
    ValuesTest, DecimalTest,
    ::testing::Values(GoodDecimal{"Worked", "0.481149", 481149, -6},
                      GoodDecimal{"TrailingZero", "12.50", 1250, -2}, GoodDecimal{"Zero", "0", 0, 0},
                      GoodDecimal{"ZeroWithPlaces", "0.00", 0, -2}, GoodDecimal{"Negative", "-3.5", -35, -1},
                      GoodDecimal{"Whole", "1200", 1200, 0},
                      GoodDecimal{"EighteenDigits", "999999999999999999", 999999999999999999, 0},
                      GoodDecimal{"EighteenPlaces", "0.000000000000000001", 1, -18}),
    [](const auto& param) { return param.param.name; });

TEST(ValuesTest, RefusesWhatIsNoPlainNumber) {
  for (const char* text : {"", "-", ".5", "5.", "+1", "01", "1e3", "1,5", "-0", "-0.0", " 1", "1 ", "0x1",
                           "NaN", "1.2.3", "１", "1000000000000000000", "0.0000000000000000001"}) {
    EXPECT_THAT(ParseDecimal(text, "mass_kg"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("mass_kg")))
        << text;
  }
}

TEST(ValuesTest, PrintsPositiveExponentsAsThePlainNumber) {
  EXPECT_EQ(PrintDecimal(D(12, 2)), "1200");
  EXPECT_EQ(PrintDecimal(D(0, 5)), "0");
}

TEST(ValuesTest, ComparesValuesNotDigits) {
  EXPECT_TRUE(CompareDecimals(D(1250, -2), D(125, -1)) == 0);
  EXPECT_TRUE(CompareDecimals(D(1, 18), D(999'999'999'999'999'999, 0)) > 0);
  EXPECT_TRUE(CompareDecimals(D(1, -18), D(0, 0)) > 0);
  EXPECT_TRUE(CompareDecimals(D(-1, 0), D(1, -18)) < 0);
  EXPECT_TRUE(CompareDecimals(D(-2, 0), D(-1, 0)) < 0);
  EXPECT_TRUE(CompareDecimals(D(0, 3), D(0, -3)) == 0);
  EXPECT_TRUE(CompareDecimals(D(999'999'999'999'999'999, -18), D(1, 0)) < 0);
  EXPECT_TRUE(CompareDecimals(D(1, 18), D(1, -18)) > 0);
}

TEST(ValuesTest, BoundsDigitsAndExponent) {
  EXPECT_THAT(CheckDecimal(D(1'000'000'000'000'000'000, 0), "x"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckDecimal(D(-1'000'000'000'000'000'000, 0), "x"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckDecimal(D(INT64_MIN, 0), "x"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckDecimal(D(1, 19), "x"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckDecimal(D(1, -19), "x"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ValuesTest, ChecksThatDaysExist) {
  const auto check = [](absl::string_view text) {
    return CheckCivilDate(*ParseCivilDate(text, "day"), kToday, "day");
  };
  EXPECT_THAT(check("2024-02-29"), IsOk());
  EXPECT_THAT(check("2023-02-29"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("2023-02-29")));
  EXPECT_THAT(check("1989-12-31"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(check("2026-11-21"), IsOk());
  EXPECT_THAT(check("2026-11-22"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ValuesTest, ChecksThatMonthsHaveBegunInJapan) {
  const auto check = [](absl::string_view text) {
    return CheckYearMonth(*ParseYearMonth(text, "manufactured"), kToday, "manufactured");
  };
  EXPECT_THAT(check("2026-11"), IsOk());
  EXPECT_THAT(check("2026-12"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(check("2024-13"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(check("2024-00"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ValuesTest, ReadsDatesStrictly) {
  for (const char* text :
       {"", "2024", "2024-5", "2024/05", "2024-05-1", "2024-05-01T", "24-05-01", "2024-05-0a"}) {
    EXPECT_THAT(ParseCivilDate(text, "day"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("day")))
        << text;
  }
  EXPECT_EQ(PrintCivilDate(*ParseCivilDate("2024-05-01", "day")), "2024-05-01");
  EXPECT_EQ(PrintYearMonth(*ParseYearMonth("2024-05", "month")), "2024-05");
}

}  // namespace
}  // namespace tsunagi::passport
