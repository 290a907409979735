// A clock that moves only when the test says so.
#pragma once

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

namespace tsunagi::testing {

// Thread-safe. Starts at 2026-11-21 00:00:00 UTC unless told otherwise.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1795219200)) : now_(start) {}
  absl::Time Now() const override {
    MutexLock lock(mutex_);
    return now_;
  }
  void Set(absl::Time now) {
    MutexLock lock(mutex_);
    now_ = now;
  }
  void Advance(absl::Duration by) {
    MutexLock lock(mutex_);
    now_ += by;
  }

 private:
  mutable Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::testing
