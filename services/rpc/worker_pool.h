// A bounded pool for orchestrations: plain blocking code that must not run on a handler's thread.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "core/base/mutex.h"

namespace tsunagi::rpc {

// Thread-safe. The destructor finishes what is queued.
class WorkerPool {
 public:
  WorkerPool(int threads, size_t queue_limit);
  ~WorkerPool();

  // RESOURCE_EXHAUSTED when `queue_limit` jobs are waiting already.
  absl::Status Run(std::function<void()> job);
  // Jobs that wait for a thread.
  size_t Waiting() const;

 private:
  void Work();

  const size_t queue_limit_;
  mutable Mutex mutex_;
  CondVar ready_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace tsunagi::rpc
