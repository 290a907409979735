// SIGTERM and SIGINT as an event to wait for.
#pragma once

#include "absl/status/statusor.h"

namespace tsunagi::process {

// Keeps SIGTERM and SIGINT for Wait in every thread that starts later: construct it before any thread.
// Thread-safe.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Blocks until a signal arrives or Stop is called; at once when that has happened.
  void Wait();
  void Stop();
  // CANCELLED when a signal has arrived already: so that a start that waits for others can be ended.
  absl::Status Check() const;

 private:
  const int signals_;
  const int stop_;
};

}  // namespace tsunagi::process
