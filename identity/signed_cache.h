// One signed thing for everyone who asks: made once at a time, kept until it is too old.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"

namespace tsunagi::identity {

// A signed list and what of it decides whether it still serves.
template <class Signed>
struct Issued {
  std::shared_ptr<const Signed> value;
  uint64_t version = 0;
  absl::Time issued_at = absl::InfinitePast();
};

// Thread-safe. Those who ask while one is being made wait for it, and for the next when it does not suit
// them.
template <class Signed>
class SignedCache {
 public:
  using Result = absl::StatusOr<std::shared_ptr<const Signed>>;
  using Waiter = std::function<void(Result)>;
  // Makes the newest one and passes it on, exactly once, from any thread.
  using Make = std::function<void(std::function<void(absl::StatusOr<Issued<Signed>>)>)>;

  explicit SignedCache(Make make) : make_(std::move(make)) {}

  // Passes on one of at least this version and time.
  void Get(uint64_t min_version, absl::Time not_before, Waiter waiter) {
    std::shared_ptr<const Signed> kept;
    bool start = false;
    {
      MutexLock lock(mutex_);
      if (Suits(min_version, not_before)) {
        kept = newest_.value;
      } else {
        waiting_.push_back({min_version, not_before, std::move(waiter)});
        start = !std::exchange(making_, true);
      }
    }
    // Moved only when nothing was kept.
    if (kept != nullptr) return waiter(std::move(kept));  // NOLINT(bugprone-use-after-move)
    if (start) Begin();
  }

  // The newest one that was made; without a value before the first.
  Issued<Signed> Newest() const {
    MutexLock lock(mutex_);
    return newest_;
  }

 private:
  struct Waiting {
    uint64_t min_version;
    absl::Time not_before;
    Waiter waiter;
  };

  bool Suits(uint64_t min_version, absl::Time not_before) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return newest_.value != nullptr && newest_.version >= min_version && newest_.issued_at >= not_before;
  }

  // Whoever waits now is served by this one, whatever it comes to: it reads later than they asked.
  void Begin() {
    {
      MutexLock lock(mutex_);
      serving_ = std::exchange(waiting_, {});
    }
    make_([this](absl::StatusOr<Issued<Signed>> made) { Finish(std::move(made)); });
  }

  void Finish(absl::StatusOr<Issued<Signed>> made) {
    std::vector<Waiting> served;
    bool again = false;
    {
      MutexLock lock(mutex_);
      served = std::exchange(serving_, {});
      if (made.ok()) newest_ = *made;
      std::vector<Waiting> unserved;
      for (Waiting& one : waiting_) {
        (made.ok() && Suits(one.min_version, one.not_before) ? served : unserved).push_back(std::move(one));
      }
      waiting_ = std::move(unserved);
      again = !waiting_.empty();
      making_ = again;
    }
    for (const Waiting& one : served) {
      one.waiter(made.ok() ? Result(made->value) : Result(made.status()));
    }
    if (again) Begin();
  }

  const Make make_;
  mutable Mutex mutex_;
  Issued<Signed> newest_ ABSL_GUARDED_BY(mutex_);
  bool making_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<Waiting> serving_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::identity
