// Runs a job again and again on a thread of its own.
#pragma once

#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "core/base/mutex.h"

namespace tsunagi::process {

// Thread-safe. The first run is `period` after construction; the destructor waits for a run that is under
// way.
class Ticker {
 public:
  Ticker(absl::Duration period, std::function<void()> job);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // Runs the job now, or again when it is running.
  void Wake();

 private:
  void Loop();
  // False when the ticker ends.
  bool WaitForTurn();

  const absl::Duration period_;
  const std::function<void()> job_;
  Mutex mutex_;
  CondVar changed_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tsunagi::process
