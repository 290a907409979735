#include "identity/throttle.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using testing::IsOk;
using testing::StatusIs;
using enum absl::StatusCode;

class ThrottleTest : public ::testing::Test {
 protected:
  void Fail(absl::string_view peer) {
    for (int i = 0; i < Throttle::kMaxFailures; ++i) throttle_.Failed(peer);
  }

  testing::FakeClock clock_;
  Throttle throttle_{clock_};
};

TEST_F(ThrottleTest, RefusesAPeerThatFailsTooOftenForAWindow) {
  Fail("192.0.2.1");

  EXPECT_THAT(throttle_.Check("192.0.2.1"), StatusIs(kResourceExhausted));
  EXPECT_THAT(throttle_.Check("192.0.2.2"), IsOk());
  clock_.Advance(Throttle::kWindow + absl::Seconds(1));
  EXPECT_THAT(throttle_.Check("192.0.2.1"), IsOk());
}

TEST_F(ThrottleTest, CountsAnIpv6NetworkAsOnePeer) {
  for (int i = 0; i < Throttle::kMaxFailures; ++i) throttle_.Failed(absl::StrCat("2001:db8:0:1::", i + 1));

  EXPECT_THAT(throttle_.Check("2001:db8:0:1:ffff::9"), StatusIs(kResourceExhausted));
  EXPECT_THAT(throttle_.Check("2001:db8:0:2::1"), IsOk());
}

TEST_F(ThrottleTest, CountsAMappedIpv4AddressAsItself) {
  Fail("::ffff:192.0.2.1");

  EXPECT_THAT(throttle_.Check("192.0.2.1"), StatusIs(kResourceExhausted));
  EXPECT_THAT(throttle_.Check("::ffff:192.0.2.2"), IsOk());
}

TEST_F(ThrottleTest, RefusesNobodyForTheFailuresOfManyOthers) {
  Fail("192.0.2.1");
  clock_.Advance(absl::Seconds(1));
  Fail("192.0.2.2");
  for (size_t i = 0; i < Throttle::kMaxPeers - 1; ++i) {
    throttle_.Failed(absl::StrCat("2001:db8:", absl::Hex(i), "::1"));
  }

  EXPECT_THAT(throttle_.Check("198.51.100.1"), IsOk());
  EXPECT_THAT(throttle_.Check("192.0.2.1"), IsOk()) << "the oldest is forgotten";
  EXPECT_THAT(throttle_.Check("192.0.2.2"), StatusIs(kResourceExhausted));
}

}  // namespace
}  // namespace tsunagi::identity
