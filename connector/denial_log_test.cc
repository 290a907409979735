#include "connector/denial_log.h"

#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/connector_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::connector {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class DenialLogTest : public testing::Test {
 protected:
  testing::FakeClock clock_;
  testing::TestFederation federation_{clock_};
  testing::TestConnectorNode node_{federation_, clock_, "maker"};
};

TEST_F(DenialLogTest, WritesOneLeafPerCallerAndMinute) {
  for (int i = 0; i < 5; ++i) node_.denials.Count("did:web:a.example");
  node_.denials.Count("did:web:b.example");
  EXPECT_THAT(node_.Denials(), IsEmpty());
  clock_.Advance(absl::Minutes(1));

  node_.denials.Flush();

  const std::vector<audit::v1::DenialRecord> denials = node_.Denials();
  ASSERT_THAT(denials, SizeIs(2));
  EXPECT_EQ(denials[0].count() + denials[1].count(), 6u);
  EXPECT_FALSE(denials[0].has_battery());
  EXPECT_THAT(denials[0].reasons(), IsEmpty());
}

TEST_F(DenialLogTest, KeepsTheMinuteThatIsNotOver) {
  node_.denials.Count("did:web:a.example");

  node_.denials.Flush();

  EXPECT_THAT(node_.Denials(), IsEmpty());
}

TEST_F(DenialLogTest, WritesTheOldMinuteWhenANewOneBegins) {
  node_.denials.Count("did:web:a.example");
  clock_.Advance(absl::Minutes(1));
  node_.denials.Count("did:web:a.example");

  const std::vector<audit::v1::DenialRecord> denials = node_.Denials();

  ASSERT_THAT(denials, SizeIs(1));
  EXPECT_EQ(denials[0].count(), 1u);
}

TEST_F(DenialLogTest, WritesWhatIsLeftWhenItEnds) {
  auto log = std::make_unique<DenialLog>(node_.records.journal(), clock_);
  log->Count("did:web:a.example");

  log.reset();

  EXPECT_THAT(node_.Denials(), SizeIs(1));
}

}  // namespace
}  // namespace tsunagi::connector
