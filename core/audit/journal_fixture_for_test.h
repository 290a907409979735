// A journal over a memory store that can be made to fail.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/journal.h"
#include "core/audit/log_table.h"
#include "core/audit/receipt.h"
#include "core/audit/verify.h"
#include "core/base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_random.h"
#include "tests/support/fault_store.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::audit {

inline constexpr char kTestOrigin[] = "workshop.battery.example/node";

inline const crypto::PrivateKey& TestLogKey() {
  static const auto& key =
      *new crypto::PrivateKey(crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519));
  return key;
}

inline Commit RecordOnly(std::string record) {
  Commit commit;
  commit.record = std::move(record);
  return commit;
}

inline Commit StateWrite(const std::string& key, const std::string& value) {
  Commit commit;
  commit.writes.push_back(store::Put(store::Table::kState, key, value));
  return commit;
}

// Holds writers back until it is opened. Thread-safe.
class Valve {
 public:
  void Pass() {
    MutexLock lock(mutex_);
    ++waiting_;
    changed_.NotifyAll();
    while (!open_) changed_.Wait(mutex_);
  }
  void WaitForSomeone() {
    MutexLock lock(mutex_);
    while (waiting_ == 0) changed_.Wait(mutex_);
  }
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

inline Commit Erasure(const std::string& key) {
  Commit commit = RecordOnly("erased");
  commit.writes = {store::Delete(store::Table::kPerson, key)};
  return commit;
}

// Collects outcomes of commits. Thread-safe.
class Outcomes {
 public:
  CommitDone Next() {
    return [this](absl::StatusOr<Committed> result) {
      MutexLock lock(mutex_);
      results_.push_back(std::move(result));
      changed_.NotifyAll();
    };
  }
  std::vector<absl::StatusOr<Committed>> Wait(size_t count) {
    MutexLock lock(mutex_);
    while (results_.size() < count) changed_.Wait(mutex_);
    return results_;
  }
  size_t size() {
    MutexLock lock(mutex_);
    return results_.size();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<absl::StatusOr<Committed>> results_ ABSL_GUARDED_BY(mutex_);
};

class JournalFixture : public ::testing::Test {
 protected:
  JournalFixture() : memory_(store::NewMemoryStore()), faults_(*memory_) {}

  void OpenJournal() {
    absl::StatusOr<std::unique_ptr<Journal>> opened =
        Journal::Open(faults_, kTestOrigin, TestLogKey(), random_);
    ASSERT_THAT(opened, tsunagi::testing::IsOk());
    journal_ = *std::move(opened);
  }
  v1::LogProof Append(const std::string& record) {
    const absl::StatusOr<Committed> committed = journal_->SubmitAndWait(RecordOnly(record));
    EXPECT_THAT(committed, tsunagi::testing::IsOk());
    return committed.ok() ? committed->proof : v1::LogProof();
  }
  absl::StatusOr<Checkpoint> Verify(const v1::LogProof& proof) const {
    return VerifyLogProof(proof, kTestOrigin, TestLogKey().public_key());
  }
  int PendingScrubs() const {
    int marks = 0;
    EXPECT_THAT(
        memory_->Scan(store::Table::kLog, PendingScrubPrefix(), "", [&](auto, auto) { return ++marks > 0; }),
        tsunagi::testing::IsOk());
    return marks;
  }
  Checkpoint Latest() const {
    return OpenCheckpoint(journal_->LatestCheckpoint(), kTestOrigin, TestLogKey().public_key()).value();
  }

  tsunagi::testing::FakeRandom random_;
  std::unique_ptr<store::Store> memory_;
  tsunagi::testing::FaultStore faults_;
  std::unique_ptr<Journal> journal_;
};

}  // namespace tsunagi::audit
