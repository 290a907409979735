// What follows a commit and takes longer than the committer may wait.
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "core/audit/journal.h"
#include "core/base/mutex.h"
#include "core/store/store.h"

namespace tsunagi::audit {

// An erasure whose deletions are durable, with its mark, but not yet final.
struct Erased {
  Committed committed;
  CommitDone done;
};

// Scrubs table PERSON when the store holds marks of erasures, then removes those marks. A mark is durable
// with its deletions, so this covers every erasure whose mark it finds.
absl::Status FinishErasures(store::Store& store);

// One thread that answers aborted commits, whose callers decide again on it, and makes erasures final, so
// that no two scrubs overlap. Thread-safe.
class FollowUps {
 public:
  // `failed` is told of a scrub that failed, before its erasures are answered. `store` must outlive this
  // object.
  FollowUps(store::Store& store, std::function<void(const absl::Status&)> failed);
  // Finishes what is queued.
  ~FollowUps();
  FollowUps(const FollowUps&) = delete;
  FollowUps& operator=(const FollowUps&) = delete;

  // Answers `aborted` with ABORTED and `erased` once their bytes are gone. What waits while a scrub runs
  // shares the next one.
  void Add(std::vector<CommitDone> aborted, std::vector<Erased> erased);

 private:
  struct Work {
    std::vector<CommitDone> aborted;
    std::vector<Erased> erased;
    bool empty() const { return aborted.empty() && erased.empty(); }
  };
  void Run();
  // Empty when this object ends and nothing is left.
  Work Take();
  void Finish(std::vector<Erased>& erased);

  store::Store& store_;
  const std::function<void(const absl::Status&)> failed_;
  Mutex mutex_;
  CondVar added_;
  Work work_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace tsunagi::audit
