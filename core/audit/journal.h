// The only write path: one synced batch of state change and audit leaf.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/audit/checkpoint.h"
#include "core/audit/merkle.h"
#include "core/base/clock.h"
#include "core/base/histogram.h"
#include "core/base/random.h"
#include "core/crypto/key.h"
#include "core/store/store.h"
#include "tsunagi/audit/v1/proof.pb.h"

namespace tsunagi::audit {

// The instant at which a decision began to read: taken before the first read, checked at commit.
using ReadVersion = uint64_t;

// One all-or-nothing change.
struct Commit {
  // Journal::Version() before the first read of what `reads` names.
  ReadVersion version = 0;
  // Keys (of table STATE) that the change depends on: if one was written after `version`, the commit is
  // ABORTED and the caller decides again.
  std::vector<std::string> reads;
  std::vector<store::Write> writes;
  // Serialised audit.v1.Record of the leaf; none for writes that the log does not cover (caches, outboxes).
  std::optional<std::string> record;
  // Called with the leaf's index when it is assigned, before the batch is written, on the committer's thread:
  // may add writes that need the index. Must not block.
  std::function<void(uint64_t leaf_index, std::vector<store::Write>& writes)> on_index;
};

// What a commit left behind.
struct Committed {
  // Proof of the record under the checkpoint of its group; empty when the commit had no record.
  v1::LogProof proof;
};

// Completion: exactly once, after the sync. On the committer's thread, which must not be held up, but:
//   ABORTED, and what SubmitErasure submitted  on the follow-up thread; deciding again (reading the store,
//                                              signing) is allowed there, waiting for a commit is not
//   RESOURCE_EXHAUSTED, and the refusal of a   on the submitter's thread, before Submit returns
//     journal that is closing
// (An erasure that was not scrubbed counts as the others.)
using CommitDone = std::function<void(absl::StatusOr<Committed>)>;

// Of batches that became durable: how many rows each had, and how long its write and sync took.
class BatchCounts {
 public:
  void Count(size_t rows, uint64_t nanoseconds) {
    rows_.Observe(rows);
    nanoseconds_.Observe(nanoseconds);
  }
  Histogram::Reading rows() const { return rows_.Read(); }
  Histogram::Reading nanoseconds() const { return nanoseconds_.Read(); }

 private:
  static constexpr uint64_t kRowBounds[] = {1, 4, 16, 64, 256, 1024, 4096, 16384};
  static constexpr uint64_t kTimeBounds[] = {
      250'000,    500'000,     1'000'000,   2'500'000,   5'000'000,     10'000'000,   25'000'000,
      50'000'000, 100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000};

  Histogram rows_{kRowBounds};
  Histogram nanoseconds_{kTimeBounds};
};

// One store, one log, one committer thread, and one for what follows a commit and takes time. Thread-safe.
//
// The committer takes what has queued up, checks reads, assigns leaf indexes, computes tree nodes and one
// checkpoint for the group, writes one synced batch, then completes. Nothing that covers a leaf leaves the
// process before its sync. After a failed write the journal is dead: every later commit is UNAVAILABLE until
// a restart, and Health() says so.
class Journal {
 public:
  // Opens the log in `store`, or starts it; checks that the stored tree fits the stored checkpoint
  // (DATA_LOSS). `origin` is `<label>.<federation>/<process>`. All arguments must outlive the journal.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(store::Store& store, std::string origin,
                                                       crypto::PrivateKey log_key, Random& random);
  // Completes what is queued, then stops.
  virtual ~Journal() = default;

  // OK while commits are taken; otherwise what every commit is answered with: UNAVAILABLE after a failed
  // write, or what RefuseWrites was given. Never blocks on disk.
  virtual absl::Status Health() const = 0;
  // From the next group on every commit is answered with `why`, until a restart; reads go on. For a log that
  // must not grow. The first reason stays.
  virtual void RefuseWrites(absl::Status why) = 0;

  // Reads go to the store directly; they see only what is durable.
  virtual const store::Store& store() const = 0;
  virtual ReadVersion Version() const = 0;

  // Queues a commit; never blocks on disk. RESOURCE_EXHAUSTED through `done` when 65,536 are waiting.
  //   ABORTED      something in `reads` changed: decide again
  //   UNAVAILABLE  the store failed or the journal is closing
  //   others       as given to RefuseWrites
  virtual void Submit(Commit commit, CommitDone done) = 0;
  // Submit and wait: for orchestrations and tools, never on a handler's thread.
  absl::StatusOr<Committed> SubmitAndWait(Commit commit);

  // Submits a commit that deletes keys of table PERSON, then scrubs the table before `done`; other commits go
  // on meanwhile. A scrub that a crash interrupts is done again by Open.
  virtual void SubmitErasure(Commit commit, CommitDone done) = 0;

  // Waits until everything that was submitted, also by completions, has completed. Not from a completion.
  virtual void Settle() = 0;

  virtual const std::string& origin() const = 0;
  virtual const crypto::PublicKey& log_key() const = 0;
  // The newest durable checkpoint (signed note).
  virtual std::string LatestCheckpoint() const = 0;
  virtual uint64_t Size() const = 0;
  // Since it was opened; for metrics.
  virtual const BatchCounts& batches() const = 0;

  // Proof of leaf `index` under the given note of this log. The record is left out when it was erased.
  //   NOT_FOUND            the log has no such leaf
  //   FAILED_PRECONDITION  the note's tree ends before the leaf, or is larger than the log
  //   DATA_LOSS            the note is not one of this log, or the stored leaf is damaged
  virtual absl::StatusOr<v1::LogProof> Prove(uint64_t index, absl::string_view note) const = 0;
  // RFC 9162 consistency proof. INVALID_ARGUMENT unless old_size ≤ new_size ≤ Size().
  virtual absl::StatusOr<std::vector<Digest>> ConsistencyProof(uint64_t old_size,
                                                               uint64_t new_size) const = 0;

  // One leaf with its record.
  struct Leaf {
    uint64_t index = 0;
    std::string commitment;
    std::string record;
    std::string salt;
  };
  // Durable leaves from `start` on, at most `limit`; empty after the last.
  virtual absl::StatusOr<std::vector<Leaf>> Leaves(uint64_t start, size_t limit) const = 0;

 protected:
  Journal() = default;
};

// SHA-256(tag ‖ salt ‖ record): the data of a leaf.
crypto::Digest Commitment(absl::string_view salt, absl::string_view record);

}  // namespace tsunagi::audit
