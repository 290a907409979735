#include "services/connector/stream_call.h"

#include <memory>
#include <utility>

#include "absl/types/optional.h"
#include "core/base/mutex.h"
#include "services/rpc/status.h"

namespace tsunagi::connector {
namespace {

// At any time at most one chunk is being decided and at most one being sent. Reactions and decisions come on
// different threads: each notes what happened and lets Advance find out what to do. gRPC is called without
// the lock, since it may react on the same thread; `touching_` keeps the call from ending meanwhile.
class StreamCall final : public grpc::ServerBidiReactor<v1::ReleaseStreamRequest, v1::ReleaseStreamResponse>,
                         public std::enable_shared_from_this<StreamCall> {
 public:
  StreamCall(grpc::CallbackServerContext* context, rpc::Guard& guard, ChunkReleases& chunks)
      : context_(context), guard_(guard), chunks_(chunks) {}

  void Start() {
    self_ = shared_from_this();
    Advance();
  }

  void OnReadDone(bool ok) override {
    auto work = ok ? chunks_.Begin(request_) : std::shared_ptr<StreamWork>();
    {
      MutexLock lock(mutex_);
      reading_ = false;
      if (!ok || !work.ok()) {
        EndWith(work.status());
      } else {
        work_ = *std::move(work);
      }
    }
    Advance();
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(mutex_);
      writing_ = false;
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
  enum class Action { kNothing, kRead, kDecide, kWrite, kFinish };

  void EndWith(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!end_.has_value()) end_ = std::move(status);
  }

  Action Choose() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_) return Action::kNothing;
    if (end_.has_value()) {
      // A decision that came back after the end would find the connector gone.
      if (writing_ || deciding_ || touching_ > 0) return Action::kNothing;
      finished_ = true;
      return Action::kFinish;
    }
    if (ready_.has_value() && !writing_) {
      response_ = *std::move(ready_);
      ready_.reset();
      writing_ = true;
      return Action::kWrite;
    }
    if (ready_.has_value() || deciding_ || reading_) return Action::kNothing;
    (work_ != nullptr ? deciding_ : reading_) = true;
    return work_ != nullptr ? Action::kDecide : Action::kRead;
  }

  void Advance() {
    const std::shared_ptr<StreamCall> alive = shared_from_this();
    while (true) {
      Action action = Action::kNothing;
      {
        MutexLock lock(mutex_);
        action = Choose();
        if (action == Action::kNothing) return;
        ++touching_;
      }
      Do(action);
      MutexLock lock(mutex_);
      --touching_;
    }
  }

  void Do(Action action) {
    switch (action) {
      case Action::kNothing:
        return;
      case Action::kRead:
        return StartRead(&request_);
      case Action::kDecide:
        return Decide();
      case Action::kWrite:
        return StartWrite(&response_);
      case Action::kFinish:
        return FinishNow();
    }
  }

  void Decide() {
    const absl::StatusOr<Caller> caller = guard_.Authenticate(context_);
    if (!caller.ok()) return OnChunk(caller.status());
    chunks_.Next(*caller, work_, [self = shared_from_this()](auto chunk) {
      self->OnChunk(std::move(chunk));
      self->Advance();
    });
  }

  void OnChunk(absl::StatusOr<absl::optional<v1::ReleaseStreamResponse>> chunk) {
    MutexLock lock(mutex_);
    deciding_ = false;
    if (!chunk.ok()) {
      EndWith(chunk.status());
    } else if (chunk->has_value()) {
      ready_ = **std::move(chunk);
    } else {
      work_ = nullptr;
    }
  }

  void FinishNow() {
    absl::Status status;
    {
      MutexLock lock(mutex_);
      status = *end_;
    }
    Finish(rpc::ToGrpcStatus(status));
  }

  grpc::CallbackServerContext* const context_;
  rpc::Guard& guard_;
  ChunkReleases& chunks_;
  std::shared_ptr<StreamCall> self_;    // until OnDone
  v1::ReleaseStreamRequest request_;    // gRPC's while reading_
  v1::ReleaseStreamResponse response_;  // gRPC's while writing_
  std::shared_ptr<StreamWork> work_;    // the decision's while deciding_
  Mutex mutex_;
  int touching_ ABSL_GUARDED_BY(mutex_) = 0;  // calls into gRPC and the guard under way
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool deciding_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<v1::ReleaseStreamResponse> ready_ ABSL_GUARDED_BY(mutex_);
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

grpc::ServerBidiReactor<v1::ReleaseStreamRequest, v1::ReleaseStreamResponse>* NewStreamCall(
    grpc::CallbackServerContext* context, rpc::Guard& guard, ChunkReleases& chunks) {
  auto call = std::make_shared<StreamCall>(context, guard, chunks);
  StreamCall* const reactor = call.get();
  call->Start();
  return reactor;
}

}  // namespace tsunagi::connector
