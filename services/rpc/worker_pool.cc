#include "services/rpc/worker_pool.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tsunagi::rpc {

WorkerPool::WorkerPool(int threads, size_t queue_limit) : queue_limit_(queue_limit) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

WorkerPool::~WorkerPool() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
  }
  ready_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

absl::Status WorkerPool::Run(std::function<void()> job) {
  {
    MutexLock lock(mutex_);
    if (queue_.size() >= queue_limit_) {
      return absl::ResourceExhaustedError(
          absl::StrCat("`", queue_limit_, "` requests are waiting already: try again later"));
    }
    queue_.push_back(std::move(job));
  }
  ready_.NotifyOne();
  return absl::OkStatus();
}

size_t WorkerPool::Waiting() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

void WorkerPool::Work() {
  while (true) {
    std::function<void()> job;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !closing_) ready_.Wait(mutex_);
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job();
  }
}

}  // namespace tsunagi::rpc
