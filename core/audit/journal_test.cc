#include "core/audit/journal.h"

#include <atomic>
#include <chrono>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/audit/journal_fixture_for_test.h"
#include "core/audit/log_table.h"

namespace tsunagi::audit {
namespace {

using store::Table;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::IsOkAndHolds;
using ::tsunagi::testing::StatusIs;

class JournalTest : public JournalFixture {
 protected:
  void SetUp() override { OpenJournal(); }
};

TEST_F(JournalTest, StartsWithASignedCheckpointOfNothing) {
  EXPECT_EQ(journal_->Size(), 0u);
  EXPECT_EQ(Latest().size, 0u);
  EXPECT_EQ(Latest().root, RootOf({}));
}

TEST_F(JournalTest, ProvesEachRecordItCommits) {
  for (int i = 0; i < 20; ++i) {
    const v1::LogProof proof = Append(absl::StrCat("record ", i));
    EXPECT_EQ(proof.leaf_index(), static_cast<uint64_t>(i));
    EXPECT_EQ(proof.record(), absl::StrCat("record ", i));
    EXPECT_THAT(Verify(proof), IsOk());
    EXPECT_EQ(proof.checkpoint(), journal_->LatestCheckpoint());
  }
  EXPECT_EQ(journal_->Size(), 20u);
}

TEST_F(JournalTest, SaltsEveryLeafAfresh) {
  std::set<std::string> salts;
  for (int i = 0; i < 50; ++i) salts.insert(Append("the same record").salt());

  EXPECT_THAT(salts, SizeIs(50));
  for (const std::string& salt : salts) EXPECT_EQ(salt.size(), 16u);
}

TEST_F(JournalTest, CommitsAnEmptyRecord) { EXPECT_THAT(Verify(Append("")), IsOk()); }

TEST_F(JournalTest, WritesStateWithTheLeaf) {
  Commit commit = StateWrite("key", "value");
  commit.record = "record";

  ASSERT_THAT(journal_->SubmitAndWait(std::move(commit)), IsOk());

  EXPECT_THAT(journal_->store().Get(Table::kState, "key"), IsOkAndHolds("value"));
  EXPECT_EQ(journal_->Size(), 1u);
}

TEST_F(JournalTest, LeavesTheLogAloneWithoutARecord) {
  const std::string before = journal_->LatestCheckpoint();

  const absl::StatusOr<Committed> committed = journal_->SubmitAndWait(StateWrite("key", "value"));

  ASSERT_THAT(committed, IsOk());
  EXPECT_EQ(committed->proof.ByteSizeLong(), 0u);
  EXPECT_EQ(journal_->LatestCheckpoint(), before);
  EXPECT_THAT(journal_->store().Get(Table::kState, "key"), IsOkAndHolds("value"));
}

TEST_F(JournalTest, CountsTheRowsAndTheTimeOfEachBatch) {
  ASSERT_THAT(journal_->SubmitAndWait(StateWrite("key", "value")), IsOk());
  ASSERT_THAT(journal_->SubmitAndWait(StateWrite("key", "other")), IsOk());

  EXPECT_EQ(journal_->batches().rows().sum, 2u);
  EXPECT_GT(journal_->batches().nanoseconds().sum, 0u);
}

TEST_F(JournalTest, TellsTheIndexBeforeItWrites) {
  Append("first");
  Commit commit = RecordOnly("second");
  commit.on_index = [](uint64_t index, std::vector<store::Write>& writes) {
    writes.push_back(store::Put(Table::kState, "by-index", absl::StrCat(index)));
  };

  ASSERT_THAT(journal_->SubmitAndWait(std::move(commit)), IsOk());

  EXPECT_THAT(journal_->store().Get(Table::kState, "by-index"), IsOkAndHolds("1"));
}

TEST_F(JournalTest, SeesAConflictWithAWriteThatTheIndexAdded) {
  const ReadVersion before = journal_->Version();
  Commit writer = RecordOnly("record");
  writer.on_index = [](uint64_t, std::vector<store::Write>& writes) {
    writes.push_back(store::Put(Table::kState, "added", "x"));
  };
  ASSERT_THAT(journal_->SubmitAndWait(std::move(writer)), IsOk());
  Commit reader = StateWrite("other", "x");
  reader.version = before;
  reader.reads = {"added"};

  EXPECT_THAT(journal_->SubmitAndWait(std::move(reader)), StatusIs(absl::StatusCode::kAborted));
}

TEST_F(JournalTest, RefusesACommitWhoseReadChanged) {
  const ReadVersion version = journal_->Version();
  ASSERT_THAT(journal_->SubmitAndWait(StateWrite("policy", "new")), IsOk());
  Commit stale = RecordOnly("decided by the old policy");
  stale.version = version;
  stale.reads = {"policy"};
  stale.writes = {store::Put(Table::kState, "counter", "1")};

  EXPECT_THAT(journal_->SubmitAndWait(std::move(stale)), StatusIs(absl::StatusCode::kAborted));

  EXPECT_EQ(journal_->Size(), 0u);
  EXPECT_THAT(journal_->store().Get(Table::kState, "counter"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(JournalTest, RefusesACommitWhoseReadWasDeleted) {
  const ReadVersion version = journal_->Version();
  Commit removal;
  removal.writes = {store::Delete(Table::kState, "agreement")};
  ASSERT_THAT(journal_->SubmitAndWait(std::move(removal)), IsOk());
  Commit stale = RecordOnly("r");
  stale.version = version;
  stale.reads = {"agreement"};

  EXPECT_THAT(journal_->SubmitAndWait(std::move(stale)), StatusIs(absl::StatusCode::kAborted));
}

TEST_F(JournalTest, AcceptsACommitThatReadAfterTheChange) {
  ASSERT_THAT(journal_->SubmitAndWait(StateWrite("policy", "new")), IsOk());
  Commit fresh = RecordOnly("r");
  fresh.version = journal_->Version();
  fresh.reads = {"policy"};

  EXPECT_THAT(journal_->SubmitAndWait(std::move(fresh)), IsOk());
}

TEST_F(JournalTest, MindsOnlyTheKeysThatWereRead) {
  const ReadVersion version = journal_->Version();
  ASSERT_THAT(journal_->SubmitAndWait(StateWrite("policy", "new")), IsOk());
  Commit other = RecordOnly("r");
  other.version = version;
  other.reads = {"another"};

  EXPECT_THAT(journal_->SubmitAndWait(std::move(other)), IsOk());
}

TEST_F(JournalTest, LetsExactlyOneOfManyDecisionsOnOneReadWin) {
  const ReadVersion version = journal_->Version();
  Outcomes outcomes;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 20; ++j) {
        Commit commit = StateWrite("once", absl::StrCat(i, " ", j));
        commit.version = version;
        commit.reads = {"once"};
        commit.record = "won";
        journal_->Submit(std::move(commit), outcomes.Next());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  int won = 0;
  for (const auto& result : outcomes.Wait(160)) {
    if (result.ok()) ++won;
    if (!result.ok()) {
      EXPECT_THAT(result, StatusIs(absl::StatusCode::kAborted));
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(journal_->Size(), 1u);
}

TEST_F(JournalTest, LosesNoIncrementOfManyThreads) {
  constexpr int kThreads = 6;
  constexpr int kTimes = 40;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int done = 0; done < kTimes;) {
        const ReadVersion version = journal_->Version();
        int count = 0;
        const absl::StatusOr<std::string> stored = journal_->store().Get(Table::kState, "counter");
        if (stored.ok()) {
          ASSERT_TRUE(absl::SimpleAtoi(*stored, &count));
        }
        Commit commit = StateWrite("counter", absl::StrCat(count + 1));
        commit.version = version;
        commit.reads = {"counter"};
        commit.record = absl::StrCat("count ", count + 1);
        const absl::StatusOr<Committed> committed = journal_->SubmitAndWait(std::move(commit));
        if (committed.ok()) ++done;
        if (!committed.ok()) {
          ASSERT_THAT(committed, StatusIs(absl::StatusCode::kAborted));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_THAT(journal_->store().Get(Table::kState, "counter"), IsOkAndHolds(absl::StrCat(kThreads * kTimes)));
  EXPECT_EQ(journal_->Size(), static_cast<uint64_t>(kThreads * kTimes));
  EXPECT_THAT(VerifyWholeLog(*journal_), IsOk());
}

TEST_F(JournalTest, ProvesConcurrentCommits) {
  Outcomes outcomes;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) journal_->Submit(RecordOnly(absl::StrCat(t, "/", i)), outcomes.Next());
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::set<uint64_t> indexes;
  for (const auto& result : outcomes.Wait(400)) {
    ASSERT_THAT(result, IsOk());
    EXPECT_THAT(Verify(result->proof), IsOk());
    indexes.insert(result->proof.leaf_index());
  }
  EXPECT_THAT(indexes, SizeIs(400));
  EXPECT_THAT(VerifyWholeLog(*journal_), IsOk());
}

TEST_F(JournalTest, ProvesALeafUnderEveryLaterCheckpoint) {
  std::vector<std::string> notes;
  notes.reserve(17);
  for (int i = 0; i < 17; ++i) notes.push_back(Append(absl::StrCat("record ", i)).checkpoint());

  for (uint64_t size = 1; size <= notes.size(); ++size) {
    for (uint64_t index = 0; index < size; ++index) {
      const absl::StatusOr<v1::LogProof> proof = journal_->Prove(index, notes[size - 1]);
      ASSERT_THAT(proof, IsOk());
      EXPECT_EQ(proof->record(), absl::StrCat("record ", index));
      EXPECT_THAT(Verify(*proof), IsOk()) << index << " of " << size;
    }
  }
}

TEST_F(JournalTest, ProvesUnderACosignedCheckpoint) {
  Append("record");
  const crypto::PrivateKey witness = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  const std::string cosigned =
      Cosign(journal_->LatestCheckpoint(), "registrar.battery.example", witness, absl::FromUnixSeconds(1))
          .value();

  const absl::StatusOr<v1::LogProof> proof = journal_->Prove(0, cosigned);

  ASSERT_THAT(proof, IsOk());
  EXPECT_EQ(proof->checkpoint(), cosigned);
}

TEST_F(JournalTest, ProvesNothingThatItDoesNotHave) {
  const std::string empty = journal_->LatestCheckpoint();
  Append("record");

  EXPECT_THAT(journal_->Prove(1, journal_->LatestCheckpoint()), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(journal_->Prove(0, empty), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(journal_->Prove(0, SignCheckpoint({kTestOrigin, 9, std::string(32, 'r')}, TestLogKey())),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(journal_->Prove(0, "not a note"), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(JournalTest, ProvesNothingUnderAnotherHistory) {
  Append("record");

  EXPECT_THAT(journal_->Prove(0, SignCheckpoint({kTestOrigin, 1, std::string(32, 'r')}, TestLogKey())),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("another history")));
}

TEST_F(JournalTest, ProvesThatItOnlyGrew) {
  std::vector<Checkpoint> checkpoints = {Latest()};
  for (int i = 0; i < 12; ++i) {
    Append("record");
    checkpoints.push_back(Latest());
  }
  for (const Checkpoint& older : checkpoints) {
    for (const Checkpoint& newer : checkpoints) {
      if (older.size > newer.size) continue;
      const auto proof = journal_->ConsistencyProof(older.size, newer.size);
      ASSERT_THAT(proof, IsOk());
      EXPECT_THAT(VerifyConsistency(older.size, older.root, newer.size, newer.root, *proof), IsOk());
    }
  }
}

TEST_F(JournalTest, RefusesConsistencyOfSizesItDoesNotHave) {
  Append("record");

  EXPECT_THAT(journal_->ConsistencyProof(0, 2), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(journal_->ConsistencyProof(1, 0), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(JournalTest, ListsItsLeaves) {
  for (int i = 0; i < 5; ++i) Append(absl::StrCat("record ", i));

  const auto leaves = journal_->Leaves(1, 3);

  ASSERT_THAT(leaves, IsOkAndHolds(SizeIs(3)));
  for (size_t i = 0; i < 3; ++i) {
    const Journal::Leaf& leaf = (*leaves)[i];
    EXPECT_EQ(leaf.index, i + 1);
    EXPECT_EQ(leaf.record, absl::StrCat("record ", i + 1));
    EXPECT_EQ(leaf.commitment, Commitment(leaf.salt, leaf.record));
  }
  EXPECT_THAT(journal_->Leaves(4, 3), IsOkAndHolds(SizeIs(1)));
  EXPECT_THAT(journal_->Leaves(5, 3), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(journal_->Leaves(UINT64_MAX, 3), IsOkAndHolds(IsEmpty()));
}

TEST_F(JournalTest, KeepsALeafWhoseRecordWasErased) {
  Append("kept");
  Append("erased");
  Commit erase;
  erase.writes = {store::Delete(Table::kRecords, RecordKey(1))};
  ASSERT_THAT(journal_->SubmitAndWait(std::move(erase)), IsOk());

  const absl::StatusOr<v1::LogProof> proof = journal_->Prove(1, journal_->LatestCheckpoint());

  ASSERT_THAT(proof, IsOk());
  EXPECT_EQ(proof->record(), "");
  EXPECT_EQ(proof->salt(), "");
  EXPECT_EQ(journal_->Leaves(1, 1).value()[0].record, "");
  EXPECT_THAT(VerifyWholeLog(*journal_), IsOk());
}

TEST_F(JournalTest, ErasesAndScrubsBeforeItSaysSo) {
  Commit put;
  put.writes = {store::Put(Table::kPerson, "hash", "a vehicle part")};
  ASSERT_THAT(journal_->SubmitAndWait(std::move(put)), IsOk());
  Commit erase = RecordOnly("erased");
  erase.writes = {store::Delete(Table::kPerson, "hash")};
  Outcomes outcomes;
  int scrubs_when_done = 0;
  CommitDone next = outcomes.Next();

  journal_->SubmitErasure(std::move(erase), [&](absl::StatusOr<Committed> result) {
    scrubs_when_done = faults_.scrubs();
    next(std::move(result));
  });
  const auto results = outcomes.Wait(1);

  ASSERT_THAT(results[0], IsOk());
  EXPECT_EQ(scrubs_when_done, 1);
  EXPECT_THAT(Verify(results[0]->proof), IsOk());
  EXPECT_THAT(journal_->store().Get(Table::kPerson, "hash"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(PendingScrubs(), 0);
}

TEST_F(JournalTest, DoesNotScrubForAnErasureThatConflicts) {
  const ReadVersion version = journal_->Version();
  ASSERT_THAT(journal_->SubmitAndWait(StateWrite("key", "x")), IsOk());
  Commit erase = RecordOnly("erased");
  erase.version = version;
  erase.reads = {"key"};
  Outcomes outcomes;

  journal_->SubmitErasure(std::move(erase), outcomes.Next());

  EXPECT_THAT(outcomes.Wait(1)[0], StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(faults_.scrubs(), 0);
}

TEST_F(JournalTest, TellsTheAbortedOnAThreadThatHoldsUpNoCommit) {
  const ReadVersion version = journal_->Version();
  std::promise<std::thread::id> committer;
  std::promise<std::thread::id> follow_up;
  journal_->Submit(StateWrite("key", "x"), [&](auto) { committer.set_value(std::this_thread::get_id()); });
  Commit stale = RecordOnly("r");
  stale.version = version;
  stale.reads = {"key"};
  Valve deciding;
  journal_->Submit(std::move(stale), [&](const absl::StatusOr<Committed>& result) {
    EXPECT_THAT(result, StatusIs(absl::StatusCode::kAborted));
    follow_up.set_value(std::this_thread::get_id());
    deciding.Pass();
  });
  deciding.WaitForSomeone();

  EXPECT_THAT(journal_->SubmitAndWait(RecordOnly("meanwhile")), IsOk());
  deciding.Open();

  const std::thread::id deciders = follow_up.get_future().get();
  EXPECT_NE(deciders, committer.get_future().get());
  EXPECT_NE(deciders, std::this_thread::get_id());
  journal_->Settle();  // the completion still leaves the valve
}

TEST_F(JournalTest, RefusesWritesForTheFirstReasonItIsGiven) {
  const v1::LogProof proof = Append("record");
  journal_->RefuseWrites(absl::FailedPreconditionError("the log is not the one"));
  journal_->RefuseWrites(absl::UnavailableError("another reason"));

  EXPECT_THAT(journal_->SubmitAndWait(RecordOnly("refused")),
              StatusIs(absl::StatusCode::kFailedPrecondition, "the log is not the one"));
  EXPECT_THAT(journal_->Health(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(journal_->Size(), 1u);
  EXPECT_THAT(journal_->Prove(0, proof.checkpoint()), IsOk()) << "reads go on";
}

TEST_F(JournalTest, SettlesOnceWhatCompletionsSubmittedIsDone) {
  const ReadVersion version = journal_->Version();
  ASSERT_THAT(journal_->SubmitAndWait(StateWrite("key", "x")), IsOk());
  Commit stale = RecordOnly("r");
  stale.version = version;
  stale.reads = {"key"};
  Outcomes outcomes;
  Valve deciding;
  journal_->Submit(std::move(stale), [&](auto) {
    deciding.Pass();
    journal_->Submit(RecordOnly("decided again"), outcomes.Next());
  });
  deciding.WaitForSomeone();
  std::future<void> settled = std::async(std::launch::async, [&] { journal_->Settle(); });
  EXPECT_THAT(journal_->SubmitAndWait(RecordOnly("meanwhile")), IsOk());
  EXPECT_EQ(settled.wait_for(std::chrono::seconds(0)), std::future_status::timeout);

  deciding.Open();
  settled.get();

  EXPECT_EQ(outcomes.size(), 1u);
}

TEST_F(JournalTest, GoesOnWhereItStopped) {
  std::vector<std::string> notes;
  for (int i = 0; i < 11; ++i) {
    const v1::LogProof proof = Append(absl::StrCat("record ", i));
    EXPECT_EQ(proof.leaf_index(), static_cast<uint64_t>(i));
    EXPECT_THAT(Verify(proof), IsOk());
    notes.push_back(proof.checkpoint());
    journal_.reset();
    OpenJournal();
    EXPECT_EQ(journal_->Size(), static_cast<uint64_t>(i + 1));
    EXPECT_EQ(journal_->LatestCheckpoint(), notes.back());
  }

  for (uint64_t i = 0; i < 11; ++i) EXPECT_THAT(journal_->Prove(i, notes[i]), IsOk());
  EXPECT_THAT(VerifyWholeLog(*journal_), IsOk());
}

TEST_F(JournalTest, CompletesWhatIsQueuedBeforeItCloses) {
  Outcomes outcomes;
  for (int i = 0; i < 500; ++i) journal_->Submit(RecordOnly("r"), outcomes.Next());

  journal_.reset();

  EXPECT_EQ(outcomes.size(), 500u);
  for (const auto& result : outcomes.Wait(500)) EXPECT_THAT(result, IsOk());
}

TEST_F(JournalTest, CompletesACommitThatACompletionSubmits) {
  Outcomes outcomes;
  CommitDone last = outcomes.Next();

  journal_->Submit(RecordOnly("first"), [&](absl::StatusOr<Committed> first) {
    ASSERT_THAT(first, IsOk());
    journal_->Submit(RecordOnly("second"), last);
  });

  EXPECT_EQ(outcomes.Wait(1)[0].value().proof.leaf_index(), 1u);
}

}  // namespace
}  // namespace tsunagi::audit
