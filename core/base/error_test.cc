#include "core/base/error.h"

#include "tests/support/status_matchers.h"

namespace tsunagi {
namespace {

using absl::StatusCode;
using testing::IsOk;
using testing::StatusIs;

absl::Status BadLithium(absl::string_view value) {
  return InvalidArgument({"NOT_A_NUMBER", "lithium_kg", value, "a number of kilograms such as 0.481"});
}

TEST(ErrorTest, NamesFieldValueAndWhatWasExpected) {
  const absl::Status status = BadLithium("much");

  EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument,
                               "`lithium_kg` is `much`: expected a number of kilograms such as 0.481"));
  const std::optional<ErrorDetail> detail = DetailOf(status);
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->reason(), "NOT_A_NUMBER");
  EXPECT_EQ(detail->field(), "lithium_kg");
  EXPECT_EQ(detail->value(), "much");
  EXPECT_EQ(detail->expected(), "a number of kilograms such as 0.481");
}

TEST(ErrorTest, CutsLongValuesAtACharacter) {
  const absl::Status status = BadLithium(std::string(127, 'a') + "電池");

  EXPECT_EQ(DetailOf(status)->value(), std::string(127, 'a'));
}

TEST(ErrorTest, KeepsAMessageOnOneLineAndInUtf8) {
  const absl::Status status = BadLithium("1\n{\"level\":\"error\"}\xff");

  EXPECT_EQ(status.message().find('\n'), absl::string_view::npos);
  EXPECT_EQ(DetailOf(status)->value(), "1\\u000a{\"level\":\"error\"}\\xff");
}

TEST(ErrorTest, ReplacesADetail) {
  ErrorDetail detail;
  detail.set_row(17);

  const absl::Status status = WithDetail(BadLithium("x"), detail);

  EXPECT_EQ(DetailOf(status)->row(), 17u);
  EXPECT_EQ(DetailOf(status)->field(), "");
}

TEST(ErrorTest, HasNoDetailUnlessOneWasAttached) {
  EXPECT_FALSE(DetailOf(absl::NotFoundError("x")).has_value());
  EXPECT_FALSE(DetailOf(absl::OkStatus()).has_value());
  EXPECT_THAT(WithDetail(absl::OkStatus(), ErrorDetail()), IsOk());
}

TEST(ErrorTest, AnnotatesWithoutLosingCodeOrDetail) {
  const absl::Status status = Annotate(BadLithium("x"), "row 17");

  EXPECT_THAT(status,
              StatusIs(StatusCode::kInvalidArgument, testing::StartsWith("row 17: `lithium_kg` is `x`")));
  EXPECT_EQ(DetailOf(status)->field(), "lithium_kg");
  EXPECT_THAT(Annotate(absl::OkStatus(), "row 17"), IsOk());
}

}  // namespace
}  // namespace tsunagi
