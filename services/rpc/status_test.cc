#include "services/rpc/status.h"

#include <string>

#include "core/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::rpc {
namespace {

using testing::HasSubstr;
using testing::IsOk;
using testing::Not;
using testing::StatusIs;

TEST(StatusTest, KeepsCodeAndMessageOnTheWayThere) {
  const grpc::Status wire = ToGrpcStatus(absl::NotFoundError("no such thing"));

  EXPECT_EQ(wire.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(wire.error_message(), "no such thing");
}

TEST(StatusTest, StaysOkBothWays) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_THAT(FromGrpcStatus(grpc::Status::OK), IsOk());
}

TEST(StatusTest, CarriesTheErrorDetailThereAndBack) {
  const absl::Status status = InvalidArgument(
      {.reason = "CHECK_DIGIT_WRONG", .field = "houjin_bangou", .value = "1", .expected = "13 digits"});

  const absl::Status back = FromGrpcStatus(ToGrpcStatus(status));

  EXPECT_THAT(back, StatusIs(absl::StatusCode::kInvalidArgument, status.message()));
  ASSERT_TRUE(DetailOf(back).has_value());
  EXPECT_EQ(DetailOf(back)->reason(), "CHECK_DIGIT_WRONG");
  EXPECT_EQ(DetailOf(back)->field(), "houjin_bangou");
}

TEST(StatusTest, IgnoresDetailsThatAreNone) {
  const grpc::Status wire(grpc::StatusCode::NOT_FOUND, "gone", "\xff\xff\xff");

  const absl::Status status = FromGrpcStatus(wire);

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, HasSubstr("gone")));
  EXPECT_FALSE(DetailOf(status).has_value());
}

class InternalCauses : public ::testing::TestWithParam<absl::StatusCode> {};

TEST_P(InternalCauses, AreNotTold) {
  const grpc::Status wire = ToGrpcStatus(absl::Status(GetParam(), "the disk of rack 7 is broken"));

  EXPECT_EQ(static_cast<int>(wire.error_code()), static_cast<int>(GetParam()));
  EXPECT_THAT(wire.error_message(), Not(HasSubstr("rack")));
  EXPECT_TRUE(wire.error_details().empty());
}

INSTANTIATE_TEST_SUITE_P(StatusTest, InternalCauses,
                         ::testing::Values(absl::StatusCode::kInternal, absl::StatusCode::kUnknown,
                                           absl::StatusCode::kDataLoss),
                         [](const auto& param) { return absl::StatusCodeToString(param.param); });

}  // namespace
}  // namespace tsunagi::rpc
