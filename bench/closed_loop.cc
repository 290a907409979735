#include "bench/closed_loop.h"

#include "absl/time/clock.h"
#include "bench/process.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"

namespace tsunagi::bench {
namespace {

// Thread-safe: calls end on gRPC's threads.
class ClosedLoop {
 public:
  ClosedLoop(int in_flight, const StartCall& start) : start_(start), running_(in_flight) {
    for (int i = 0; i < in_flight; ++i) Next();
  }

  uint64_t Replies() {
    const MutexLock lock(mutex_);
    return replies_;
  }

  // Returns early when a call has failed.
  void WaitFor(absl::Duration duration) {
    const absl::Time end = absl::Now() + duration;
    const MutexLock lock(mutex_);
    while (failure_.ok() && absl::Now() < end) {
      changed_.WaitFor(mutex_, absl::ToChronoMicroseconds(end - absl::Now()));
    }
  }

  absl::Status Stop() {
    const MutexLock lock(mutex_);
    stopping_ = true;
    while (running_ > 0) changed_.Wait(mutex_);
    return failure_;
  }

 private:
  void Next() {
    start_([this](absl::Status status) { Ended(status); });
  }

  void Ended(const absl::Status& status) {
    if (CountsAndGoesOn(status)) Next();
  }

  bool CountsAndGoesOn(const absl::Status& status) {
    const MutexLock lock(mutex_);
    if (status.ok()) ++replies_;
    if (!status.ok() && failure_.ok()) failure_ = status;
    if (!stopping_ && failure_.ok()) return true;
    --running_;
    changed_.NotifyAll();
    return false;
  }

  const StartCall& start_;
  Mutex mutex_;
  CondVar changed_;
  int running_ ABSL_GUARDED_BY(mutex_);
  uint64_t replies_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<LoadResult> RunLoad(const LoadOptions& options, const StartCall& start) {
  ClosedLoop loop(options.in_flight, start);
  loop.WaitFor(options.warm_up);

  LoadResult result;
  const absl::Time begin = absl::Now();
  const uint64_t replies_before = loop.Replies();
  const absl::StatusOr<absl::Duration> time_before = ProcessorTime(options.server_pid);
  loop.WaitFor(options.duration);
  const absl::StatusOr<absl::Duration> time_after = ProcessorTime(options.server_pid);
  result.calls = loop.Replies() - replies_before;
  result.elapsed = absl::Now() - begin;

  RETURN_IF_ERROR(loop.Stop());
  RETURN_IF_ERROR(time_before.status());
  RETURN_IF_ERROR(time_after.status());
  result.replies = loop.Replies();
  result.server_processor_time = *time_after - *time_before;
  return result;
}

}  // namespace tsunagi::bench
