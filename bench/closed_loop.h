// A load of a fixed number of calls in flight: each call that ends starts the next.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tsunagi::bench {

struct LoadOptions {
  int in_flight = 64;
  absl::Duration warm_up = absl::Seconds(1);
  absl::Duration duration = absl::Seconds(5);
  int server_pid = 0;
};

struct LoadResult {
  uint64_t replies = 0;  // all of them, those of the warm-up and of the end included
  uint64_t calls = 0;    // those within the measured time
  absl::Duration elapsed;
  absl::Duration server_processor_time;
};

// Starts one call; calls `done` once, from another stack, when it has ended.
using StartCall = std::function<void(std::function<void(absl::Status)> done)>;

// The first call that fails ends the run with its status.
absl::StatusOr<LoadResult> RunLoad(const LoadOptions& options, const StartCall& start);

}  // namespace tsunagi::bench
