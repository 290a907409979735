#include "identity/openid/pending.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::openid {
namespace {

using testing::IsOk;
using testing::StatusIs;

class PendingSignInsTest : public ::testing::Test {
 protected:
  absl::Status Add(const std::string& handle, const std::string& certificate = "mine") {
    return pending_.Add(handle, {certificate, absl::StrCat("state of ", handle), "", "", "", clock_.Now()});
  }
  absl::StatusOr<PendingSignIn> Take(const std::string& handle, const std::string& certificate = "mine") {
    return pending_.Take(handle, certificate);
  }
  static constexpr absl::StatusCode kRefused = absl::StatusCode::kUnauthenticated;

  testing::FakeClock clock_;
  PendingSignIns pending_{clock_};
};

TEST_F(PendingSignInsTest, AreTakenOnce) {
  ASSERT_THAT(Add("handle"), IsOk());

  EXPECT_EQ(Take("handle")->state, "state of handle");
  EXPECT_EQ(pending_.size(), 0);
  EXPECT_THAT(Take("handle"), StatusIs(kRefused));
  EXPECT_THAT(Take("never"), StatusIs(kRefused));
}

TEST_F(PendingSignInsTest, AreOfTheCertificateThatBegan) {
  ASSERT_THAT(Add("handle"), IsOk());

  const absl::Status refused = Take("handle", "another").status();

  EXPECT_THAT(refused, StatusIs(kRefused));
  EXPECT_EQ(refused, Take("never").status());
  EXPECT_THAT(Take("handle"), IsOk());
}

TEST_F(PendingSignInsTest, WaitTenMinutes) {
  ASSERT_THAT(Add("one"), IsOk());
  ASSERT_THAT(Add("two"), IsOk());
  clock_.Advance(absl::Minutes(10) - absl::Seconds(1));
  EXPECT_THAT(Take("one"), IsOk());
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(Take("two"), StatusIs(kRefused));
  EXPECT_EQ(pending_.size(), 0);
}

TEST_F(PendingSignInsTest, MakeRoomForTheNinthOfACertificate) {
  ASSERT_THAT(Add("of another", "another"), IsOk());
  for (int i = 0; i < 9; ++i) {
    ASSERT_THAT(Add(absl::StrCat(i)), IsOk());
    clock_.Advance(absl::Seconds(1));
  }

  EXPECT_EQ(pending_.size(), 9);
  EXPECT_THAT(Take("0"), StatusIs(kRefused));
  EXPECT_THAT(Take("1"), IsOk());
  EXPECT_THAT(Take("of another", "another"), IsOk());
}

TEST_F(PendingSignInsTest, AreBounded) {
  for (int i = 0; i < 256; ++i) ASSERT_THAT(Add(absl::StrCat(i), absl::StrCat(i)), IsOk());

  EXPECT_THAT(Add("further", "further"), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(pending_.size(), 256);
  clock_.Advance(absl::Minutes(10));
  EXPECT_THAT(Add("further", "further"), IsOk());
  EXPECT_EQ(pending_.size(), 1);
}

}  // namespace
}  // namespace tsunagi::openid
