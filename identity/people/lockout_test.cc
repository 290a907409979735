#include "identity/people/lockout.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::people {
namespace {

using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(LockoutTest, DoublesTheWaitUpToAQuarterOfAnHour) {
  EXPECT_EQ(DelayAfter(1), absl::Seconds(1));
  EXPECT_EQ(DelayAfter(2), absl::Seconds(2));
  EXPECT_EQ(DelayAfter(10), absl::Seconds(512));
  EXPECT_EQ(DelayAfter(11), absl::Minutes(15));
  EXPECT_EQ(DelayAfter(4'000'000'000), absl::Minutes(15));
}

TEST(LockoutTest, RefusesUntilTheWaitIsOverAndSaysHowLong) {
  testing::FakeClock clock;
  Lockout lockout(clock);
  ASSERT_THAT(lockout.Begin("a"), IsOk());
  EXPECT_THAT(lockout.Begin("a"), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("in 1 s")));
  clock.Advance(absl::Seconds(1));
  ASSERT_THAT(lockout.Begin("a"), IsOk());
  clock.Advance(absl::Milliseconds(1500));

  EXPECT_THAT(lockout.Begin("a"), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("in 1 s")));
  EXPECT_THAT(lockout.Begin("b"), IsOk());
}

TEST(LockoutTest, StartsAnewAfterASuccess) {
  testing::FakeClock clock;
  Lockout lockout(clock);
  for (int i = 0; i < 8; ++i) {
    ASSERT_THAT(lockout.Begin("a"), IsOk());
    clock.Advance(absl::Minutes(15));
  }
  lockout.Succeeded("a");
  ASSERT_THAT(lockout.Begin("a"), IsOk());
  clock.Advance(absl::Seconds(1));

  EXPECT_THAT(lockout.Begin("a"), IsOk());
}

TEST(LockoutTest, RemembersABoundedNumberThatWaitsLongest) {
  testing::FakeClock clock;
  Lockout lockout(clock);
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(lockout.Begin("victim"), IsOk());
    clock.Advance(DelayAfter(static_cast<uint32_t>(i + 1)));
  }
  ASSERT_THAT(lockout.Begin("victim"), IsOk());

  for (size_t i = 0; i < Lockout::kMaxKeys + 10; ++i) ASSERT_THAT(lockout.Begin(absl::StrCat(i)), IsOk());

  EXPECT_EQ(lockout.size(), Lockout::kMaxKeys);
  EXPECT_THAT(lockout.Begin("victim"), StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace tsunagi::people
