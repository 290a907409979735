// When to try again what failed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/random.h"

namespace tsunagi::process {

// `first` after the first failure, twice as long after each further one, at most `most`; of that between half
// and all, at random, so that not everybody comes back at once. Not thread-safe.
class Backoff {
 public:
  static constexpr absl::Duration kFirst = absl::Milliseconds(250);
  static constexpr absl::Duration kMost = absl::Seconds(30);

  // `clock` and `random` must outlive this object.
  Backoff(const Clock& clock, Random& random, absl::Duration first = kFirst, absl::Duration most = kMost)
      : clock_(clock), random_(random), first_(first), most_(most) {}

  // A clock that was put back must not keep us waiting: no wait is longer than `most`.
  bool Due() const { return clock_.Now() >= next_ || next_ - clock_.Now() > most_; }
  void Succeeded() { delay_ = first_; }
  void Failed() {
    next_ = clock_.Now() + delay_ * (0.5 + Fraction() / 2);
    delay_ = std::min(2 * delay_, most_);
  }

 private:
  // From 0 to 1.
  double Fraction() {
    uint16_t number = 0;
    std::memcpy(&number, random_.Bytes(sizeof(number)).data(), sizeof(number));
    return number / 65535.0;
  }

  const Clock& clock_;
  Random& random_;
  const absl::Duration first_;
  const absl::Duration most_;
  absl::Duration delay_ = first_;
  absl::Time next_ = absl::InfinitePast();
};

}  // namespace tsunagi::process
