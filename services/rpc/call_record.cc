#include "services/rpc/call_record.h"

#include <cstdint>
#include <utility>

namespace tsunagi::rpc {
namespace {

// The call that this thread is about to handle.
struct Noted {
  const grpc::ServerContextBase* context = nullptr;
  CallCounts::Method* method = nullptr;
};
thread_local Noted noted;

// Never makes an interceptor: gRPC would send each call through its queue once more.
class MethodNotes final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit MethodNotes(const CallCounts& counts) : counts_(counts) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* call) override {
    noted = {call->server_context(), counts_.Find(call->method())};
    return nullptr;
  }

 private:
  const CallCounts& counts_;
};

}  // namespace

CallRecord::CallRecord(const grpc::ServerContextBase* context)
    : method_(noted.context == context ? noted.method : nullptr) {
  noted = {};
}

void CallRecord::End(absl::StatusCode code) const {
  if (method_ == nullptr) return;
  const auto took = std::chrono::steady_clock::now() - start_;
  method_->codes[static_cast<size_t>(code)].fetch_add(1, std::memory_order_relaxed);
  method_->nanoseconds.Observe(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()));
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> NewCallCounter(
    const CallCounts& counts) {
  return std::make_unique<MethodNotes>(counts);
}

}  // namespace tsunagi::rpc
