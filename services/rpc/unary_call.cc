#include "services/rpc/unary_call.h"

#include <atomic>
#include <chrono>
#include <memory>

#include "core/base/mutex.h"
#include "grpcpp/alarm.h"
#include "grpcpp/server_context.h"
#include "services/rpc/status.h"

namespace tsunagi::rpc {
namespace {

// Cancels a call unless it is over. Shared with the alarm, which may fire while the call ends.
class Cap {
 public:
  explicit Cap(grpc::CallbackServerContext* context) : context_(context) {}

  void Cancel() {
    MutexLock lock(mutex_);
    if (context_ != nullptr) context_->TryCancel();
  }
  void Over() {
    MutexLock lock(mutex_);
    context_ = nullptr;
  }

 private:
  Mutex mutex_;
  grpc::CallbackServerContext* context_ ABSL_GUARDED_BY(mutex_);
};

// For a call that came without a deadline.
class CappedCall final : public grpc::ServerUnaryReactor {
 public:
  CappedCall(grpc::CallbackServerContext* context, absl::Duration default_deadline)
      : cap_(std::make_shared<Cap>(context)) {
    alarm_.Set(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(default_deadline),
               [cap = cap_](bool fired) {
                 if (fired) cap->Cancel();
               });
  }

  void OnDone() override {
    cap_->Over();
    delete this;
  }

 private:
  const std::shared_ptr<Cap> cap_;
  grpc::Alarm alarm_;
};

// gRPC runs what a reactor of ours does at the end on a thread of its executor: a wake-up and a switch for
// each call. Of its own one it knows that it does nothing.
grpc::ServerUnaryReactor* ReactorFor(grpc::CallbackServerContext* context, absl::Duration default_deadline) {
  const bool has_deadline = context->deadline() != std::chrono::system_clock::time_point::max();
  if (has_deadline) return context->DefaultReactor();
  return new CappedCall(context, default_deadline);
}

// After the first Finish the reactor may be gone at any moment.
class Ending {
 public:
  Ending(grpc::ServerUnaryReactor* call, const CallRecord& record) : call_(call), record_(record) {}
  ~Ending() { End(absl::InternalError("a handler dropped its call without finishing it")); }
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

  void End(const absl::Status& status) {
    if (ended_.exchange(true)) return;
    record_.End(status.code());
    call_->Finish(ToGrpcStatus(status));
  }

 private:
  grpc::ServerUnaryReactor* const call_;
  const CallRecord record_;
  std::atomic<bool> ended_ = false;
};

}  // namespace

std::pair<grpc::ServerUnaryReactor*, Finish> NewUnaryCall(grpc::CallbackServerContext* context,
                                                          absl::Duration default_deadline,
                                                          const CallRecord& record) {
  grpc::ServerUnaryReactor* call = ReactorFor(context, default_deadline);
  auto ending = std::make_shared<Ending>(call, record);
  return {call, [ending = std::move(ending)](const absl::Status& status) { ending->End(status); }};
}

}  // namespace tsunagi::rpc
