// Slows the guessing of passwords down: each try doubles the wait for the next.
#pragma once

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

namespace tsunagi::people {

// How long to wait after `tries` tries without success: 1 s, doubling to 15 min. `tries` is at least 1.
absl::Duration DelayAfter(uint32_t tries);

// RESOURCE_EXHAUSTED naming the wait when `now` is before `locked_until`. The same words for everybody.
absl::Status CheckLocked(absl::Time locked_until, absl::Time now);

// Tries in memory, for what has no row of its own: callers, and accounts that do not exist. Remembers a
// bounded number of keys, those that wait longest. Thread-safe.
class Lockout {
 public:
  static constexpr size_t kMaxKeys = 4096;

  explicit Lockout(const Clock& clock) : clock_(clock) {}

  // Counts a try. RESOURCE_EXHAUSTED, and nothing is counted, while `key` has to wait.
  absl::Status Begin(absl::string_view key);
  void Succeeded(absl::string_view key);
  size_t size() const;

 private:
  struct Tries {
    uint32_t count = 0;
    absl::Time locked_until;
  };
  const Clock& clock_;
  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, Tries> tries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::people
