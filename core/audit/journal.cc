#include "core/audit/journal.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/follow_up.h"
#include "core/audit/log_table.h"
#include "core/audit/tree.h"
#include "core/audit/written_keys.h"
#include "core/base/log.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"

namespace tsunagi::audit {
namespace {

using store::Table;
using store::Write;

// Fixed length; differs from the tags of batches, parts and events.
constexpr absl::string_view kRecordTag = "tsunagi-record-1";

constexpr size_t kMaxWaiting = 65536;
constexpr size_t kMaxGroupCommits = 1024;
constexpr size_t kMaxGroupBytes = size_t{8} << 20;
constexpr size_t kRememberedKeys = 65536;

// A commit in the queue. What does not depend on its place is computed by the submitter.
struct Pending {
  Commit commit;
  CommitDone done;
  bool is_erasure = false;
  size_t bytes = 0;
  std::string salt;
  Digest commitment;
  Digest leaf_hash;
  // Set by the committer.
  bool is_aborted = false;
  uint64_t leaf_index = 0;
};

size_t BytesOf(const Commit& commit) {
  size_t bytes = commit.record.has_value() ? commit.record->size() : 0;
  for (const Write& write : commit.writes) bytes += write.key.size() + write.value.size();
  return bytes;
}

class CommitterJournal final : public Journal {
 public:
  CommitterJournal(store::Store& store, std::string origin, crypto::PrivateKey log_key, Random& random,
                   GrowingTree tree, std::string checkpoint)
      : store_(store),
        origin_(std::move(origin)),
        log_key_(std::move(log_key)),
        random_(random),
        tree_(std::move(tree)),
        checkpoint_(std::move(checkpoint)),
        size_(tree_.size()),
        committer_([this] { Run(); }) {}

  ~CommitterJournal() override {
    {
      MutexLock lock(mutex_);
      closing_ = true;
    }
    queued_.NotifyOne();
    committer_.join();
  }

  const store::Store& store() const override { return store_; }
  ReadVersion Version() const override { return version_.load(std::memory_order_acquire); }
  const std::string& origin() const override { return origin_; }
  const crypto::PublicKey& log_key() const override { return log_key_.public_key(); }

  void Submit(Commit commit, CommitDone done) override { Enqueue(std::move(commit), std::move(done), false); }
  void SubmitErasure(Commit commit, CommitDone done) override {
    Enqueue(std::move(commit), std::move(done), true);
  }

  void Settle() override;

  absl::Status Health() const override {
    MutexLock lock(mutex_);
    return refusal_;
  }
  void RefuseWrites(absl::Status why) override {
    MutexLock lock(mutex_);
    if (refusal_.ok()) refusal_ = std::move(why);
  }
  std::string LatestCheckpoint() const override {
    MutexLock lock(mutex_);
    return checkpoint_;
  }
  uint64_t Size() const override {
    MutexLock lock(mutex_);
    return size_;
  }

  const BatchCounts& batches() const override { return batches_; }
  absl::StatusOr<v1::LogProof> Prove(uint64_t index, absl::string_view note) const override;
  absl::StatusOr<std::vector<Digest>> ConsistencyProof(uint64_t old_size, uint64_t new_size) const override;
  absl::StatusOr<std::vector<Leaf>> Leaves(uint64_t start, size_t limit) const override;

 private:
  void Enqueue(Commit commit, CommitDone done, bool is_erasure);
  absl::Status Push(Pending& pending);

  void Run();
  std::vector<Pending> TakeGroup();
  void CommitGroup(std::vector<Pending>& group);
  void Admit(Pending& pending, ReadVersion version, std::vector<Write>& writes);
  void AppendLeaf(Pending& pending, std::vector<Write>& writes);
  void Publish(ReadVersion version, const std::string& note);
  void Answer(std::vector<Pending>& group, const std::string& note);
  Committed CommittedOf(Pending& pending, const std::string& note) const;
  CommitDone Counted(CommitDone done);
  void CountAnswers(size_t answers);
  void Refuse(std::vector<Pending>& group, const absl::Status& why);
  void Die(absl::string_view what, const absl::Status& cause);

  store::Store& store_;
  const std::string origin_;
  const crypto::PrivateKey log_key_;
  Random& random_;

  // Only on the committer's thread.
  GrowingTree tree_;
  WrittenKeys written_{kRememberedKeys};

  BatchCounts batches_;
  std::atomic<ReadVersion> version_ = 0;
  mutable Mutex mutex_;
  CondVar queued_;
  CondVar settled_;
  std::deque<Pending> queue_ ABSL_GUARDED_BY(mutex_);
  // Commits that were queued and whose `done` has not returned.
  size_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::string checkpoint_ ABSL_GUARDED_BY(mutex_);
  uint64_t size_ ABSL_GUARDED_BY(mutex_) = 0;
  // What commits are answered with from now on, unless OK.
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);

  FollowUps follow_ups_{store_, [this](const absl::Status& cause) { Die("a scrub failed", cause); }};
  std::thread committer_;  // last: starts when all else is there
};

void CommitterJournal::Enqueue(Commit commit, CommitDone done, bool is_erasure) {
  Pending pending;
  pending.bytes = BytesOf(commit);
  if (commit.record.has_value()) {
    pending.salt = random_.Bytes(kSaltSize);
    pending.commitment = Commitment(pending.salt, *commit.record);
    pending.leaf_hash = LeafHash(pending.commitment);
  }
  pending.commit = std::move(commit);
  pending.done = std::move(done);
  pending.is_erasure = is_erasure;
  const absl::Status pushed = Push(pending);
  if (!pushed.ok()) return pending.done(pushed);
  queued_.NotifyOne();
}

// Takes `pending` when it returns OK.
absl::Status CommitterJournal::Push(Pending& pending) {
  MutexLock lock(mutex_);
  if (closing_) return absl::UnavailableError("the journal is closing");
  if (queue_.size() >= kMaxWaiting) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the journal has ", kMaxWaiting, " commits waiting: try later"));
  }
  queue_.push_back(std::move(pending));
  ++unanswered_;
  return absl::OkStatus();
}

void CommitterJournal::Run() {
  while (true) {
    std::vector<Pending> group = TakeGroup();
    if (group.empty()) return;
    CommitGroup(group);
  }
}

// What waits, up to a bound; empty when the journal closes and nothing is left.
std::vector<Pending> CommitterJournal::TakeGroup() {
  std::vector<Pending> group;
  size_t bytes = 0;
  MutexLock lock(mutex_);
  while (queue_.empty() && !closing_) queued_.Wait(mutex_);
  group.reserve(std::min(queue_.size(), kMaxGroupCommits));
  while (!queue_.empty() && group.size() < kMaxGroupCommits && bytes < kMaxGroupBytes) {
    bytes += queue_.front().bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
}

void CommitterJournal::CommitGroup(std::vector<Pending>& group) {
  if (const absl::Status health = Health(); !health.ok()) return Refuse(group, health);
  const ReadVersion version = version_.load(std::memory_order_relaxed) + 1;
  const uint64_t old_size = tree_.size();
  std::vector<Write> writes;
  for (Pending& pending : group) Admit(pending, version, writes);
  std::string note;
  if (tree_.size() != old_size) {
    note = SignCheckpoint({origin_, tree_.size(), tree_.Root()}, log_key_);
    writes.push_back(store::Put(Table::kState, CheckpointKey(), note));
  }
  if (!writes.empty()) {
    const auto start = std::chrono::steady_clock::now();
    const absl::Status applied = store_.Apply(writes);
    if (!applied.ok()) {
      Die("a write failed", applied);
      return Refuse(group, Health());
    }
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
    batches_.Count(writes.size(), static_cast<uint64_t>(took.count()));
    Publish(version, note);
  }
  Answer(group, note);
  tree_.Trim();
}

// Adds the writes of a commit whose reads still hold. Later commits of the group see its keys as written.
void CommitterJournal::Admit(Pending& pending, ReadVersion version, std::vector<Write>& writes) {
  Commit& commit = pending.commit;
  pending.is_aborted = written_.Stale(commit.reads, commit.version);
  if (pending.is_aborted) return;
  if (commit.record.has_value()) AppendLeaf(pending, writes);
  for (Write& write : commit.writes) {
    if (write.table == Table::kState) written_.Note(write.key, version);
    writes.push_back(std::move(write));
  }
  if (pending.is_erasure) writes.push_back(store::Put(Table::kLog, PendingScrubKey(version), ""));
}

void CommitterJournal::AppendLeaf(Pending& pending, std::vector<Write>& writes) {
  pending.leaf_index = tree_.size();
  writes.push_back(store::Put(Table::kLog, LeafKey(pending.leaf_index), std::move(pending.commitment)));
  writes.push_back(store::Put(Table::kRecords, RecordKey(pending.leaf_index),
                              absl::StrCat(pending.salt, *pending.commit.record)));
  tree_.Append(std::move(pending.leaf_hash), [&](NodeId id, const Digest& hash) {
    writes.push_back(store::Put(Table::kLog, NodeKey(id), hash));
  });
  if (pending.commit.on_index) pending.commit.on_index(pending.leaf_index, pending.commit.writes);
}

// The version is published after the writes can be read: who reads at a version misses nothing up to it.
void CommitterJournal::Publish(ReadVersion version, const std::string& note) {
  version_.store(version, std::memory_order_release);
  if (note.empty()) return;
  MutexLock lock(mutex_);
  checkpoint_ = note;
  size_ = tree_.size();
}

// Here only what is quick: deciding again and scrubbing would hold up every later commit.
void CommitterJournal::Answer(std::vector<Pending>& group, const std::string& note) {
  std::vector<CommitDone> aborted;
  std::vector<Erased> erased;
  for (Pending& pending : group) {
    if (pending.is_aborted) {
      aborted.push_back(Counted(std::move(pending.done)));
    } else if (pending.is_erasure) {
      erased.push_back({CommittedOf(pending, note), Counted(std::move(pending.done))});
    } else {
      pending.done(CommittedOf(pending, note));
    }
  }
  CountAnswers(group.size() - aborted.size() - erased.size());
  follow_ups_.Add(std::move(aborted), std::move(erased));
}

Committed CommitterJournal::CommittedOf(Pending& pending, const std::string& note) const {
  Committed committed;
  if (!pending.commit.record.has_value()) return committed;
  v1::LogProof& proof = committed.proof;
  proof.set_record(*std::move(pending.commit.record));
  proof.set_salt(std::move(pending.salt));
  proof.set_leaf_index(pending.leaf_index);
  for (Digest& hash : tree_.Path(pending.leaf_index)) proof.add_path(std::move(hash));
  proof.set_checkpoint(note);
  return committed;
}

CommitDone CommitterJournal::Counted(CommitDone done) {
  return [this, done = std::move(done)](absl::StatusOr<Committed> result) {
    done(std::move(result));
    CountAnswers(1);
  };
}

void CommitterJournal::CountAnswers(size_t answers) {
  MutexLock lock(mutex_);
  unanswered_ -= answers;
  if (unanswered_ == 0) settled_.NotifyAll();
}

void CommitterJournal::Settle() {
  MutexLock lock(mutex_);
  while (unanswered_ != 0) settled_.Wait(mutex_);
}

void CommitterJournal::Refuse(std::vector<Pending>& group, const absl::Status& why) {
  for (Pending& pending : group) pending.done(why);
  CountAnswers(group.size());
}

// The store's own words stay in the log: what callers are told names no file.
void CommitterJournal::Die(absl::string_view what, const absl::Status& cause) {
  log::Error("journal: stopped, restart to recover",
             {{"what", std::string(what)}, {"cause", cause.ToString()}});
  RefuseWrites(absl::UnavailableError("the store failed: restart the process to recover"));
}

absl::StatusOr<v1::LogProof> CommitterJournal::Prove(uint64_t index, absl::string_view note) const {
  const uint64_t size = Size();
  if (index >= size) return absl::NotFoundError(absl::StrCat("log `", origin_, "` has no leaf ", index));
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, OpenCheckpoint(note, origin_, log_key()));
  if (checkpoint.size <= index || checkpoint.size > size) {
    return absl::FailedPreconditionError(absl::StrCat(
        "checkpoint has ", checkpoint.size, " leaves: expected more than ", index, " and at most ", size));
  }
  const auto node = [this](NodeId id) { return ReadNode(store_, id); };
  ASSIGN_OR_RETURN(const Digest root, RootFrom(checkpoint.size, node));
  if (root != checkpoint.root) return absl::DataLossError("checkpoint is of another history of this log");
  ASSIGN_OR_RETURN(StoredRecord stored, ReadRecord(store_, index));
  ASSIGN_OR_RETURN(const std::string commitment, ReadCommitment(store_, index));
  if (!stored.salt.empty() && Commitment(stored.salt, stored.record) != commitment) {
    return absl::DataLossError(absl::StrCat("log: record of leaf ", index, " does not match its commitment"));
  }
  v1::LogProof proof;
  proof.set_record(std::move(stored.record));
  proof.set_salt(std::move(stored.salt));
  proof.set_leaf_index(index);
  ASSIGN_OR_RETURN(std::vector<Digest> path, PathFrom(index, checkpoint.size, node));
  for (Digest& hash : path) proof.add_path(std::move(hash));
  proof.set_checkpoint(std::string(note));
  return proof;
}

absl::StatusOr<std::vector<Digest>> CommitterJournal::ConsistencyProof(uint64_t old_size,
                                                                       uint64_t new_size) const {
  if (old_size > new_size || new_size > Size()) {
    return absl::InvalidArgumentError(absl::StrCat("consistency of ", old_size, " with ", new_size,
                                                   " leaves: expected sizes in order, up to ", Size()));
  }
  return ConsistencyFrom(old_size, new_size, [this](NodeId id) { return ReadNode(store_, id); });
}

absl::StatusOr<std::vector<Journal::Leaf>> CommitterJournal::Leaves(uint64_t start, size_t limit) const {
  const uint64_t size = Size();
  std::vector<Leaf> leaves;
  for (uint64_t index = start; index < size && leaves.size() < limit; ++index) {
    ASSIGN_OR_RETURN(std::string commitment, ReadCommitment(store_, index));
    ASSIGN_OR_RETURN(StoredRecord stored, ReadRecord(store_, index));
    leaves.push_back({index, std::move(commitment), std::move(stored.record), std::move(stored.salt)});
  }
  return leaves;
}

// The checkpoint of an empty log, when the store has none.
absl::StatusOr<std::string> StartLog(store::Store& store, const std::string& origin,
                                     const crypto::PrivateKey& log_key) {
  bool is_empty = true;
  RETURN_IF_ERROR(store.Scan(Table::kLog, "", "",
                             [&](absl::string_view, absl::string_view) { return is_empty = false; }));
  if (!is_empty) return absl::DataLossError("log: has leaves but no checkpoint: restore a backup");
  std::string note = SignCheckpoint({origin, 0, crypto::Sha256("")}, log_key);
  RETURN_IF_ERROR(store.Apply({store::Put(Table::kState, CheckpointKey(), note)}));
  return note;
}

}  // namespace

Digest Commitment(absl::string_view salt, absl::string_view record) {
  return crypto::Sha256({kRecordTag, salt, record});
}

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(store::Store& store, std::string origin,
                                                       crypto::PrivateKey log_key, Random& random) {
  RETURN_IF_ERROR(FinishErasures(store));
  absl::StatusOr<std::string> note = store.Get(Table::kState, CheckpointKey());
  if (absl::IsNotFound(note.status())) note = StartLog(store, origin, log_key);
  RETURN_IF_ERROR(note.status());
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, OpenCheckpoint(*note, origin, log_key.public_key()));
  ASSIGN_OR_RETURN(GrowingTree tree, ReadTree(store, checkpoint.size, checkpoint.root));
  return std::make_unique<CommitterJournal>(store, std::move(origin), std::move(log_key), random,
                                            std::move(tree), *std::move(note));
}

absl::StatusOr<Committed> Journal::SubmitAndWait(Commit commit) {
  struct Outcome {
    Mutex mutex;
    CondVar arrived;
    std::optional<absl::StatusOr<Committed>> result ABSL_GUARDED_BY(mutex);
  };
  const auto outcome = std::make_shared<Outcome>();
  Submit(std::move(commit), [outcome](absl::StatusOr<Committed> result) {
    MutexLock lock(outcome->mutex);
    outcome->result = std::move(result);
    outcome->arrived.NotifyOne();
  });
  MutexLock lock(outcome->mutex);
  while (!outcome->result.has_value()) outcome->arrived.Wait(outcome->mutex);
  return *std::move(outcome->result);
}

}  // namespace tsunagi::audit
