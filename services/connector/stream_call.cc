#include "services/connector/stream_call.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "grpcpp/alarm.h"
#include "services/rpc/call_record.h"
#include "services/rpc/status.h"

namespace tsunagi::connector {
namespace {

// Two requests are worked on at once, the chunks of each in turn, and at most one chunk is being sent.
// Reactions and decisions come on different threads: each notes what happened and lets Advance find out what
// to do. gRPC is called without the lock, since it may react on the same thread; `touching_` keeps the call
// from ending meanwhile.
class StreamCall final : public grpc::ServerBidiReactor<v1::ReleaseStreamRequest, v1::ReleaseStreamResponse>,
                         public std::enable_shared_from_this<StreamCall> {
 public:
  StreamCall(grpc::CallbackServerContext* context, rpc::Guard& guard, ChunkReleases& chunks,
             rpc::WorkerPool& workers)
      : context_(context), guard_(guard), chunks_(chunks), workers_(workers) {}

  void Start(StreamSlots& slots) {
    self_ = shared_from_this();
    const absl::Status taken = TakeSlot(slots);
    if (taken.ok()) {
      WatchIdle(slots.limits().idle);
    } else {
      MutexLock lock(mutex_);
      EndWith(taken);
    }
    Advance();
  }

  void OnReadDone(bool ok) override {
    auto work = ok ? chunks_.Begin(request_) : std::shared_ptr<StreamWork>();
    {
      MutexLock lock(mutex_);
      reading_ = false;
      moved_ = true;
      if (!work.ok()) {
        EndWith(work.status());
      } else if (ok) {
        FindFree()->work = *std::move(work);
      } else {
        requests_over_ = true;
      }
    }
    Advance();
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(mutex_);
      writing_ = false;
      moved_ = true;
      if (!ok) EndWith(absl::CancelledError("the caller is gone"));
    }
    Advance();
  }

  void OnCancel() override {
    {
      MutexLock lock(mutex_);
      EndWith(absl::CancelledError("the caller is gone"));
    }
    Advance();
  }

  // The last reaction.
  void OnDone() override { self_.reset(); }

 private:
  absl::Status TakeSlot(StreamSlots& slots) {
    ASSIGN_OR_RETURN(const Caller caller, guard_.Authenticate(context_));
    ASSIGN_OR_RETURN(slot_, slots.Take(caller.did()));
    return absl::OkStatus();
  }

  // A new alarm each time: one cannot be set again while it runs.
  void WatchIdle(absl::Duration idle) {
    alarm_.emplace();
    alarm_->Set(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(idle),
                [weak = weak_from_this(), idle](bool) {
                  if (const auto self = weak.lock()) self->OnIdleAlarm(idle);
                });
  }

  void OnIdleAlarm(absl::Duration idle) {
    bool cancel = false;
    {
      MutexLock lock(mutex_);
      if (finished_) return;
      if (!moved_ && !Deciding()) {
        EndWith(absl::DeadlineExceededError(
            absl::StrCat("the stream was idle for ", absl::FormatDuration(idle), ": open a new one")));
        cancel = writing_;
        if (cancel) ++touching_;
      }
      moved_ = false;
    }
    if (cancel) Cancel();
    WatchIdle(idle);
    Advance();
  }

  // A write that the caller does not take can only be cancelled.
  void Cancel() {
    context_->TryCancel();
    MutexLock lock(mutex_);
    --touching_;
  }

  // A request whose chunks are being made.
  struct Lane {
    std::shared_ptr<StreamWork> work;  // the decision's while deciding
    bool deciding = false;
    absl::optional<v1::ReleaseStreamResponse> ready;
  };

  enum class Action { kNothing, kRead, kDecide, kWrite, kFinish };
  struct Step {
    Action action = Action::kNothing;
    Lane* lane = nullptr;  // of kDecide
  };

  void EndWith(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!end_.has_value()) end_ = std::move(status);
  }

  // The first lane that fits; null when there is none.
  template <class Fits>
  Lane* Find(Fits fits) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = std::find_if(lanes_.begin(), lanes_.end(), fits);
    return found == lanes_.end() ? nullptr : &*found;
  }
  Lane* FindFree() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return Find([](const Lane& lane) { return lane.work == nullptr; });
  }
  bool Deciding() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return Find([](const Lane& lane) { return lane.deciding; }) != nullptr;
  }
  bool Busy() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return writing_ || Find([](const Lane& lane) { return lane.work != nullptr; }) != nullptr;
  }

  Step Choose() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_) return {};
    if (requests_over_ && !Busy()) EndWith(absl::OkStatus());
    if (end_.has_value()) {
      // A decision that came back after the end would find the connector gone.
      if (writing_ || Deciding() || touching_ > 0) return {};
      finished_ = true;
      return {Action::kFinish};
    }
    if (Lane* lane = Find([](const Lane& l) { return l.ready.has_value(); }); lane != nullptr && !writing_) {
      response_ = *std::move(lane->ready);
      lane->ready.reset();
      writing_ = true;
      return {Action::kWrite};
    }
    const auto waits = [](const Lane& l) { return l.work != nullptr && !l.deciding && !l.ready.has_value(); };
    if (Lane* lane = Find(waits); lane != nullptr) {
      lane->deciding = true;
      return {Action::kDecide, lane};
    }
    if (reading_ || requests_over_ || FindFree() == nullptr) return {};
    reading_ = true;
    return {Action::kRead};
  }

  void Advance() {
    const std::shared_ptr<StreamCall> alive = shared_from_this();
    while (true) {
      Step step;
      {
        MutexLock lock(mutex_);
        step = Choose();
        if (step.action == Action::kNothing) return;
        ++touching_;
      }
      Do(step);
      MutexLock lock(mutex_);
      --touching_;
    }
  }

  void Do(const Step& step) {
    switch (step.action) {
      case Action::kNothing:
        return;
      case Action::kRead:
        return StartRead(&request_);
      case Action::kDecide:
        return QueueDecision(*step.lane);
      case Action::kWrite:
        return StartWrite(&response_);
      case Action::kFinish:
        return FinishNow();
    }
  }

  // A chunk reads hundreds of batteries: not on gRPC's threads, and not on the committer's, which completes
  // the chunk before.
  void QueueDecision(Lane& lane) {
    const absl::Status queued = workers_.Run([self = shared_from_this(), &lane] { self->Decide(lane); });
    if (!queued.ok()) OnChunk(lane, queued);
  }

  void Decide(Lane& lane) {
    const absl::StatusOr<Caller> caller = guard_.Authenticate(context_);
    const auto answer = [self = shared_from_this(), &lane](auto chunk) {
      self->OnChunk(lane, std::move(chunk));
      // The committer's thread must not be held up by a megabyte that gRPC packs and encrypts.
      if (!self->workers_.Run([self] { self->Advance(); }).ok()) self->Advance();
    };
    caller.ok() ? chunks_.Next(*caller, lane.work, answer) : answer(caller.status());
  }

  void OnChunk(Lane& lane, absl::StatusOr<absl::optional<v1::ReleaseStreamResponse>> chunk) {
    MutexLock lock(mutex_);
    lane.deciding = false;
    if (!chunk.ok()) {
      EndWith(chunk.status());
    } else if (chunk->has_value()) {
      lane.ready = **std::move(chunk);
    } else {
      lane.work = nullptr;
    }
  }

  void FinishNow() {
    absl::Status status;
    {
      MutexLock lock(mutex_);
      status = *end_;
    }
    record_.End(status.code());
    // Free before the caller can know of the end: it may open the next stream at once.
    slot_.reset();
    Finish(rpc::ToGrpcStatus(status));
  }

  grpc::CallbackServerContext* const context_;
  const rpc::CallRecord record_{context_};
  rpc::Guard& guard_;
  ChunkReleases& chunks_;
  rpc::WorkerPool& workers_;
  std::shared_ptr<void> slot_;
  std::optional<grpc::Alarm> alarm_;
  std::shared_ptr<StreamCall> self_;    // until OnDone
  v1::ReleaseStreamRequest request_;    // gRPC's while reading_
  v1::ReleaseStreamResponse response_;  // gRPC's while writing_
  Mutex mutex_;
  int touching_ ABSL_GUARDED_BY(mutex_) = 0;  // calls into gRPC and the guard under way
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool requests_over_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool moved_ ABSL_GUARDED_BY(mutex_) = false;  // since the last look at it
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::array<Lane, 2> lanes_ ABSL_GUARDED_BY(mutex_);
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::shared_ptr<void>> StreamSlots::Take(const std::string& participant) {
  MutexLock lock(mutex_);
  int& taken = taken_[participant];
  if (taken >= limits_.per_participant) {
    return absl::ResourceExhaustedError(
        absl::StrCat("you have ", taken, " streams here: end one before you open another"));
  }
  ++taken;
  return std::shared_ptr<void>(nullptr, [this, participant](void*) { GiveBack(participant); });
}

void StreamSlots::GiveBack(const std::string& participant) {
  MutexLock lock(mutex_);
  const auto taken = taken_.find(participant);
  if (--taken->second == 0) taken_.erase(taken);
}

grpc::ServerBidiReactor<v1::ReleaseStreamRequest, v1::ReleaseStreamResponse>* NewStreamCall(
    grpc::CallbackServerContext* context, rpc::Guard& guard, ChunkReleases& chunks, rpc::WorkerPool& workers,
    StreamSlots& slots) {
  auto call = std::make_shared<StreamCall>(context, guard, chunks, workers);
  StreamCall* const reactor = call.get();
  call->Start(slots);
  return reactor;
}

}  // namespace tsunagi::connector
