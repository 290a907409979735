// Slows guessing down: after some failures a peer is refused for a while.
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

namespace tsunagi::identity {

// At most `kMaxFailures` failures per peer and window; a peer is an IPv4 address or an IPv6 /64. Remembers a
// bounded number of peers, the newest: codes are too long to be guessed by many, so nobody is refused for
// others' failures. Thread-safe.
class Throttle {
 public:
  static constexpr int kMaxFailures = 10;
  static constexpr absl::Duration kWindow = absl::Minutes(1);
  static constexpr size_t kMaxPeers = 4096;

  explicit Throttle(const Clock& clock) : clock_(clock) {}

  // `peer` is an IP address as text. RESOURCE_EXHAUSTED while it has failed too often.
  absl::Status Check(absl::string_view peer);
  void Failed(absl::string_view peer);

 private:
  struct Failures {
    absl::Time since;
    int count = 0;
  };
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetOld() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Failures> peers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::identity
