#include "core/audit/denial_log.h"

#include <memory>
#include <vector>

#include "core/audit/journal_fixture_for_test.h"
#include "core/base/proto.h"
#include "tests/support/fake_clock.h"

namespace tsunagi::audit {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class DenialLogTest : public JournalFixture {
 protected:
  void SetUp() override {
    OpenJournal();
    log_ = std::make_unique<DenialLog>(*journal_, clock_);
  }
  // Of the log, once what was submitted is in it.
  std::vector<v1::DenialRecord> Denials() {
    EXPECT_TRUE(journal_->SubmitAndWait(StateWrite("barrier", "")).ok());
    std::vector<v1::DenialRecord> denials;
    const std::vector<Journal::Leaf> leaves = journal_->Leaves(0, 100).value();
    for (const Journal::Leaf& leaf : leaves) {
      v1::Record record;
      EXPECT_TRUE(Decode(leaf.record, "record", record).ok());
      denials.push_back(record.denial());
    }
    return denials;
  }

  tsunagi::testing::FakeClock clock_;
  std::unique_ptr<DenialLog> log_;
};

TEST_F(DenialLogTest, WritesOneLeafPerCallerAndMinute) {
  for (int i = 0; i < 5; ++i) log_->Count("did:web:a.example");
  log_->Count("did:web:b.example");
  EXPECT_THAT(Denials(), IsEmpty());
  clock_.Advance(absl::Minutes(1));

  log_->Flush();

  const std::vector<v1::DenialRecord> denials = Denials();
  ASSERT_THAT(denials, SizeIs(2));
  EXPECT_EQ(denials[0].count() + denials[1].count(), 6u);
  EXPECT_FALSE(denials[0].has_battery());
  EXPECT_THAT(denials[0].reasons(), IsEmpty());
}

TEST_F(DenialLogTest, KeepsTheMinuteThatIsNotOver) {
  log_->Count("did:web:a.example");

  log_->Flush();

  EXPECT_THAT(Denials(), IsEmpty());
}

TEST_F(DenialLogTest, WritesTheOldMinuteWhenANewOneBegins) {
  log_->Count("did:web:a.example");
  clock_.Advance(absl::Minutes(1));
  log_->Count("did:web:a.example");

  const std::vector<v1::DenialRecord> denials = Denials();

  ASSERT_THAT(denials, SizeIs(1));
  EXPECT_EQ(denials[0].count(), 1u);
}

TEST_F(DenialLogTest, WritesWhatIsLeftWhenItEnds) {
  log_->Count("did:web:a.example");

  log_.reset();

  EXPECT_THAT(Denials(), SizeIs(1));
}

}  // namespace
}  // namespace tsunagi::audit
