#include "services/rpc/unary_call.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

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

class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  UnaryCall(grpc::CallbackServerContext* context, absl::Duration default_deadline) {
    if (context->deadline() != std::chrono::system_clock::time_point::max()) return;
    cap_ = std::make_shared<Cap>(context);
    alarm_.emplace();
    alarm_->Set(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(default_deadline),
                [cap = cap_](bool fired) {
                  if (fired) cap->Cancel();
                });
  }

  void OnDone() override {
    if (cap_ != nullptr) cap_->Over();
    delete this;
  }

 private:
  std::shared_ptr<Cap> cap_;
  std::optional<grpc::Alarm> alarm_;
};

// After the first Finish the reactor may be gone at any moment.
class Ending {
 public:
  Ending(UnaryCall* call, const CallRecord& record) : call_(call), record_(record) {}
  ~Ending() { End(absl::InternalError("a handler dropped its call without finishing it")); }
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

  void End(const absl::Status& status) {
    if (ended_.exchange(true)) return;
    record_.End(status.code());
    call_->Finish(ToGrpcStatus(status));
  }

 private:
  UnaryCall* const call_;
  const CallRecord record_;
  std::atomic<bool> ended_ = false;
};

}  // namespace

std::pair<grpc::ServerUnaryReactor*, Finish> NewUnaryCall(grpc::CallbackServerContext* context,
                                                          absl::Duration default_deadline,
                                                          const CallRecord& record) {
  auto* call = new UnaryCall(context, default_deadline);
  auto ending = std::make_shared<Ending>(call, record);
  return {call, [ending = std::move(ending)](const absl::Status& status) { ending->End(status); }};
}

}  // namespace tsunagi::rpc
