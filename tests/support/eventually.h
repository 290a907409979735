// Waiting for what a process does by itself.
#pragma once

#include <chrono>
#include <functional>
#include <future>

#include "absl/time/time.h"
#include "services/process/ticker.h"

namespace tsunagi::testing {

// Whether the condition comes true within 30 s. Polls, since nothing tells a test when a process has done it.
inline bool Eventually(const std::function<bool()>& condition) {
  bool done = false;
  std::promise<void> met;
  const process::Ticker ticker(absl::Milliseconds(20), [&] {
    if (!done && condition()) {
      done = true;
      met.set_value();
    }
  });
  return met.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready;
}

}  // namespace tsunagi::testing
