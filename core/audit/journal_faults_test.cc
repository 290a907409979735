// What the journal promises when the store is slow, fails or the process dies.
#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/journal_fixture_for_test.h"
#include "core/audit/log_table.h"

namespace tsunagi::audit {
namespace {

using store::Table;
using ::testing::HasSubstr;
using ::tsunagi::testing::CopyOf;
using ::tsunagi::testing::FakeRandom;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::IsOkAndHolds;
using ::tsunagi::testing::StatusIs;

class JournalFaultsTest : public JournalFixture {
 protected:
  // Opens the journal with a store whose next writes wait at the valve.
  void OpenBehind(Valve& valve) {
    OpenJournal();
    faults_.BeforeApply([&valve](const std::vector<store::Write>&) { valve.Pass(); });
  }
};

TEST_F(JournalFaultsTest, SaysNothingBeforeTheSync) {
  Valve valve;
  OpenBehind(valve);
  const std::string before = journal_->LatestCheckpoint();
  const ReadVersion version = journal_->Version();
  Outcomes outcomes;
  journal_->Submit(RecordOnly("record"), outcomes.Next());
  valve.WaitForSomeone();

  EXPECT_EQ(outcomes.size(), 0u);
  EXPECT_EQ(journal_->LatestCheckpoint(), before);
  EXPECT_EQ(journal_->Size(), 0u);
  EXPECT_EQ(journal_->Version(), version);

  valve.Open();
  EXPECT_THAT(outcomes.Wait(1)[0], IsOk());
  EXPECT_EQ(journal_->Size(), 1u);
}

TEST_F(JournalFaultsTest, CommitsWhatWaitedAsOneGroupUnderOneCheckpoint) {
  Valve valve;
  OpenBehind(valve);
  Outcomes outcomes;
  journal_->Submit(RecordOnly("first"), outcomes.Next());
  valve.WaitForSomeone();
  for (int i = 0; i < 100; ++i) journal_->Submit(RecordOnly(absl::StrCat("r", i)), outcomes.Next());
  valve.Open();

  const auto results = outcomes.Wait(101);

  EXPECT_EQ(faults_.applies(), 3) << "one opened the log, one the first commit, one the hundred";
  for (size_t i = 1; i < results.size(); ++i) {
    ASSERT_THAT(results[i], IsOk());
    EXPECT_EQ(results[i]->proof.checkpoint(), journal_->LatestCheckpoint());
    EXPECT_THAT(Verify(results[i]->proof), IsOk());
  }
}

TEST_F(JournalFaultsTest, SplitsWhatIsTooMuchForOneGroup) {
  Valve valve;
  OpenBehind(valve);
  Outcomes outcomes;
  journal_->Submit(RecordOnly("first"), outcomes.Next());
  valve.WaitForSomeone();
  for (int i = 0; i < 1025; ++i) journal_->Submit(RecordOnly("r"), outcomes.Next());
  valve.Open();

  outcomes.Wait(1026);

  EXPECT_EQ(faults_.applies(), 4);
}

TEST_F(JournalFaultsTest, SplitsLargeCommits) {
  Valve valve;
  OpenBehind(valve);
  Outcomes outcomes;
  journal_->Submit(RecordOnly("first"), outcomes.Next());
  valve.WaitForSomeone();
  for (int i = 0; i < 4; ++i) {
    journal_->Submit(StateWrite(absl::StrCat(i), std::string(size_t{5} << 20, 'x')), outcomes.Next());
  }
  valve.Open();

  outcomes.Wait(5);

  EXPECT_EQ(faults_.applies(), 4) << "two commits of 5 MiB each time";
}

TEST_F(JournalFaultsTest, RefusesMoreThanItsQueueHolds) {
  Valve valve;
  OpenBehind(valve);
  Outcomes outcomes;
  Outcomes refused;
  journal_->Submit(StateWrite("first", ""), outcomes.Next());
  valve.WaitForSomeone();
  for (int i = 0; i < 65536; ++i) journal_->Submit(Commit(), outcomes.Next());

  journal_->Submit(Commit(), refused.Next());

  EXPECT_THAT(refused.Wait(1)[0], StatusIs(absl::StatusCode::kResourceExhausted));
  valve.Open();
  EXPECT_THAT(outcomes.Wait(65537).back(), IsOk());
}

TEST_F(JournalFaultsTest, AcknowledgesNothingAfterAFailedWrite) {
  for (int failing = 0; failing < 6; ++failing) {
    memory_ = store::NewMemoryStore();
    tsunagi::testing::FaultStore faults(*memory_);
    auto journal = Journal::Open(faults, kTestOrigin, TestLogKey(), random_).value();
    faults.FailAfter(failing);
    int acknowledged = 0;
    for (int i = 0; i < 8; ++i) {
      const absl::StatusOr<Committed> result = journal->SubmitAndWait(RecordOnly(absl::StrCat(i)));
      if (result.ok()) ++acknowledged;
      if (!result.ok()) {
        EXPECT_THAT(result, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("restart")));
      }
    }
    EXPECT_EQ(acknowledged, failing);
    EXPECT_EQ(journal->Size(), static_cast<uint64_t>(failing));
    EXPECT_EQ(faults.applies(), 1 + failing + 1) << "a dead journal writes no more";
    faults.FailAfter(-1);
    EXPECT_THAT(journal->SubmitAndWait(RecordOnly("again")), StatusIs(absl::StatusCode::kUnavailable));

    journal = Journal::Open(faults, kTestOrigin, TestLogKey(), random_).value();
    EXPECT_EQ(journal->Size(), static_cast<uint64_t>(failing));
    EXPECT_THAT(journal->SubmitAndWait(RecordOnly("again")), IsOk());
    EXPECT_THAT(VerifyWholeLog(*journal), IsOk());
  }
}

TEST_F(JournalFaultsTest, IsHealthyUntilAWriteFails) {
  OpenJournal();
  Append("record");
  EXPECT_THAT(journal_->Health(), IsOk());
  faults_.FailAfter(0);

  EXPECT_THAT(journal_->SubmitAndWait(RecordOnly("lost")), StatusIs(absl::StatusCode::kUnavailable));

  EXPECT_THAT(journal_->Health(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("restart")));
}

TEST_F(JournalFaultsTest, RefusesTheWholeQueueAfterAFailedWrite) {
  Valve valve;
  OpenBehind(valve);
  faults_.FailAfter(0);
  Outcomes outcomes;
  for (int i = 0; i < 50; ++i) journal_->Submit(RecordOnly("r"), outcomes.Next());
  valve.Open();

  for (const auto& result : outcomes.Wait(50)) EXPECT_THAT(result, StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(JournalFaultsTest, HasEveryAcknowledgedLeafAfterAKillAtAnyWrite) {
  struct Kill {
    std::unique_ptr<store::Store> left;
    size_t acknowledged;
  };
  std::vector<Kill> kills;
  Outcomes outcomes;
  OpenJournal();
  faults_.BeforeApply([&](const std::vector<store::Write>&) {
    kills.push_back({CopyOf(*memory_), outcomes.size()});
  });
  for (int i = 0; i < 200; ++i) {
    Commit commit = StateWrite(absl::StrCat("row ", i), "value");
    commit.record = absl::StrCat("row ", i);
    journal_->Submit(std::move(commit), outcomes.Next());
    if (i % 37 == 0) outcomes.Wait(static_cast<size_t>(i + 1));
  }
  journal_.reset();
  kills.push_back({CopyOf(*memory_), outcomes.size()});
  ASSERT_GE(kills.size(), 6u);

  for (const Kill& kill : kills) {
    FakeRandom random(7);
    auto journal = Journal::Open(*kill.left, kTestOrigin, TestLogKey(), random);
    ASSERT_THAT(journal, IsOk());
    ASSERT_GE((*journal)->Size(), kill.acknowledged);
    EXPECT_THAT(VerifyWholeLog(**journal), IsOk());
    const std::vector<Journal::Leaf> leaves = (*journal)->Leaves(0, 1000).value();
    for (const Journal::Leaf& leaf : leaves) {
      EXPECT_THAT(kill.left->Get(Table::kState, leaf.record), IsOkAndHolds("value")) << "never in part";
    }
  }
  EXPECT_EQ(kills.back().acknowledged, 200u);
}

TEST_F(JournalFaultsTest, FinishesAnErasureThatAKillInterrupted) {
  OpenJournal();
  faults_.FailScrubs();
  Outcomes outcomes;
  journal_->SubmitErasure(Erasure("hash"), outcomes.Next());
  EXPECT_THAT(outcomes.Wait(1)[0], StatusIs(absl::StatusCode::kUnavailable, HasSubstr("finish")));
  EXPECT_THAT(journal_->Health(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(journal_->SubmitAndWait(RecordOnly("later")), StatusIs(absl::StatusCode::kUnavailable));
  journal_.reset();

  tsunagi::testing::FaultStore recovered(*memory_);
  const auto journal = Journal::Open(recovered, kTestOrigin, TestLogKey(), random_);

  ASSERT_THAT(journal, IsOk());
  EXPECT_EQ(recovered.scrubs(), 1);
  EXPECT_EQ(PendingScrubs(), 0);
}

TEST_F(JournalFaultsTest, CommitsWhileAScrubTakesItsTime) {
  Valve scrubbing;
  faults_.BeforeScrub([&] { scrubbing.Pass(); });
  OpenJournal();
  Append("before");
  Outcomes erased;
  journal_->SubmitErasure(Erasure("hash"), erased.Next());
  scrubbing.WaitForSomeone();

  for (int i = 0; i < 3; ++i) EXPECT_THAT(Verify(Append("meanwhile")), IsOk());
  EXPECT_EQ(erased.size(), 0u) << "the bytes are still in files";
  scrubbing.Open();

  const auto results = erased.Wait(1);
  ASSERT_THAT(results[0], IsOk());
  EXPECT_EQ(results[0]->proof.leaf_index(), 1u);
  EXPECT_THAT(Verify(results[0]->proof), IsOk());
}

TEST_F(JournalFaultsTest, KeepsTheMarkOfAnErasureThatARunningScrubDoesNotCover) {
  Valve scrubbing;
  std::vector<int> marks;
  faults_.BeforeScrub([&] {
    marks.push_back(PendingScrubs());
    scrubbing.Pass();
  });
  OpenJournal();
  Outcomes erased;
  journal_->SubmitErasure(Erasure("first"), erased.Next());
  scrubbing.WaitForSomeone();
  journal_->SubmitErasure(Erasure("second"), erased.Next());
  Append("so the second is durable");
  journal_->SubmitErasure(Erasure("third"), erased.Next());
  Append("so the third is durable");
  scrubbing.Open();

  for (const auto& result : erased.Wait(3)) EXPECT_THAT(result, IsOk());

  EXPECT_EQ(marks, (std::vector<int>{1, 2})) << "the second and the third share a scrub";
  EXPECT_EQ(PendingScrubs(), 0);
}

TEST_F(JournalFaultsTest, FinishesErasuresBeforeItCloses) {
  Valve scrubbing;
  faults_.BeforeScrub([&] { scrubbing.Pass(); });
  OpenJournal();
  Outcomes erased;
  journal_->SubmitErasure(Erasure("hash"), erased.Next());
  scrubbing.WaitForSomeone();
  std::thread opener([&] { scrubbing.Open(); });

  journal_.reset();

  opener.join();
  EXPECT_THAT(erased.Wait(1)[0], IsOk());
}

// Damage to the stored log that opening it must notice.
struct Damage {
  const char* name;
  std::vector<store::Write> writes;
};

std::vector<Damage> Damages() {
  const std::string wrong(32, 'w');
  const std::string smaller = SignCheckpoint({kTestOrigin, 6, wrong}, TestLogKey());
  const std::string foreign = SignCheckpoint({"oem.battery.example/node", 7, wrong}, TestLogKey());
  return {
      {"NoCheckpoint", {store::Delete(Table::kState, CheckpointKey())}},
      {"UnreadableCheckpoint", {store::Put(Table::kState, CheckpointKey(), "x")}},
      {"CheckpointOfAnotherRoot", {store::Put(Table::kState, CheckpointKey(), smaller)}},
      {"CheckpointOfAnotherLog", {store::Put(Table::kState, CheckpointKey(), foreign)}},
      {"LastLeafMissing", {store::Delete(Table::kLog, LeafKey(6))}},
      {"LastLeafChanged", {store::Put(Table::kLog, LeafKey(6), wrong)}},
      {"LastLeafShort", {store::Put(Table::kLog, LeafKey(6), "short")}},
      {"LeafBeyondTheEnd", {store::Put(Table::kLog, LeafKey(7), wrong)}},
      {"LeafFarBeyondTheEnd", {store::Put(Table::kLog, LeafKey(7000), wrong)}},
      {"PeakMissing", {store::Delete(Table::kLog, NodeKey({2, 0}))}},
      {"PeakChanged", {store::Put(Table::kLog, NodeKey({1, 2}), wrong)}},
  };
}

class JournalDamageTest : public JournalFixture, public ::testing::WithParamInterface<Damage> {};

TEST_P(JournalDamageTest, IsRefusedAsDataLoss) {
  OpenJournal();
  for (int i = 0; i < 7; ++i) Append(absl::StrCat(i));
  journal_.reset();
  ASSERT_THAT(memory_->Apply(GetParam().writes), IsOk());

  EXPECT_THAT(Journal::Open(faults_, kTestOrigin, TestLogKey(), random_),
              StatusIs(absl::StatusCode::kDataLoss));
}

INSTANTIATE_TEST_SUITE_P(OfTheStore, JournalDamageTest, ::testing::ValuesIn(Damages()),
                         [](const auto& param) { return param.param.name; });

TEST_F(JournalFaultsTest, RefusesToOpenALogOfAnotherKey) {
  OpenJournal();
  journal_.reset();
  const crypto::PrivateKey other = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);

  EXPECT_THAT(Journal::Open(faults_, kTestOrigin, other, random_), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(JournalFaultsTest, DoesNotProveADamagedRecord) {
  OpenJournal();
  Append("record");
  const std::string salt(16, 's');
  ASSERT_THAT(memory_->Apply({store::Put(Table::kRecords, RecordKey(0), salt + "rewritten")}), IsOk());

  EXPECT_THAT(journal_->Prove(0, journal_->LatestCheckpoint()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("does not match")));
}

TEST_F(JournalFaultsTest, DoesNotStartWhenTheFirstCheckpointCannotBeWritten) {
  faults_.FailAfter(0);

  EXPECT_THAT(Journal::Open(faults_, kTestOrigin, TestLogKey(), random_),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace tsunagi::audit
