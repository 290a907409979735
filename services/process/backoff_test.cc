#include "services/process/backoff.h"

#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"

namespace tsunagi::process {
namespace {

class BackoffTest : public ::testing::Test {
 protected:
  // How long it takes after a failure until it is due, to the millisecond.
  absl::Duration Wait() {
    backoff_.Failed();
    const absl::Time begin = clock_.Now();
    while (!backoff_.Due()) clock_.Advance(absl::Milliseconds(1));
    return clock_.Now() - begin;
  }

  testing::FakeClock clock_;
  testing::FakeRandom random_;
  Backoff backoff_{clock_, random_};
};

TEST_F(BackoffTest, IsDueAtFirst) { EXPECT_TRUE(backoff_.Due()); }

TEST_F(BackoffTest, DoublesUpToThirtySecondsWithHalfOfItAtRandom) {
  absl::Duration whole = Backoff::kFirst;
  for (int failure = 0; failure < 12; ++failure) {
    const absl::Duration wait = Wait();

    EXPECT_GE(wait, whole / 2) << failure;
    EXPECT_LE(wait, whole + absl::Milliseconds(1)) << failure;
    whole = std::min(2 * whole, absl::Seconds(30));
  }
  EXPECT_NE(Wait(), Wait());
}

TEST_F(BackoffTest, BeginsAnewAfterASuccess) {
  for (int failure = 0; failure < 10; ++failure) Wait();

  backoff_.Succeeded();

  EXPECT_LE(Wait(), Backoff::kFirst + absl::Milliseconds(1));
}

TEST_F(BackoffTest, IsNotHeldUpByAClockThatWasPutBack) {
  backoff_.Failed();

  clock_.Advance(-absl::Hours(1));

  EXPECT_TRUE(backoff_.Due());
}

}  // namespace
}  // namespace tsunagi::process
