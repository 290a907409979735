#include "services/rpc/call_counts.h"

#include <algorithm>
#include <chrono>

namespace tsunagi::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;

constexpr uint64_t kCallBounds[] = {100'000,     250'000,     500'000,       1'000'000,     2'500'000,
                                    5'000'000,   10'000'000,  25'000'000,    50'000'000,    100'000'000,
                                    250'000'000, 500'000'000, 1'000'000'000, 5'000'000'000, 30'000'000'000};

size_t CodeIndex(int code) { return std::min(static_cast<size_t>(code), CallCounts::kCodes - 1); }

// Lives as long as its call.
class CallCounter final : public grpc::experimental::Interceptor {
 public:
  explicit CallCounter(CallCounts::Method& method) : method_(method) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* batch) override {
    if (batch->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      Count(batch->GetSendStatus().error_code());
    }
    batch->Proceed();
  }

 private:
  void Count(grpc::StatusCode code) {
    const auto took = std::chrono::steady_clock::now() - start_;
    method_.codes[CodeIndex(code)].fetch_add(1, std::memory_order_relaxed);
    method_.nanoseconds.Observe(
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()));
  }

  CallCounts::Method& method_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

class CallCounters final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CallCounters(const CallCounts& counts) : counts_(counts) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* call) override {
    CallCounts::Method* const method = counts_.Find(call->method());
    return method == nullptr ? nullptr : new CallCounter(*method);
  }

 private:
  const CallCounts& counts_;
};

}  // namespace

absl::string_view NameOf(Denial denial) {
  switch (denial) {
    case Denial::kUnknownMethod:
      return "unknown_method";
    case Denial::kCertificate:
      return "certificate";
    case Denial::kStatusListAge:
      return "status_list_age";
    case Denial::kNotListed:
      return "not_listed";
    case Denial::kToken:
      return "token";
    case Denial::kSuspended:
      return "suspended";
    case Denial::kSession:
      return "session";
    case Denial::kNotAllowed:
      return "not_allowed";
  }
  return "not_allowed";
}

CallCounts::Method::Method() : nanoseconds(kCallBounds) {}

CallCounts::CallCounts(const std::vector<std::string>& methods) {
  for (const std::string& method : methods) methods_.emplace(method, std::make_unique<Method>());
}

CallCounts::Method* CallCounts::Find(absl::string_view method) const {
  const auto found = methods_.find(method);
  return found == methods_.end() ? nullptr : found->second.get();
}

void CallCounts::CountRefused(absl::string_view method, const absl::Status& status) const {
  Method* const counts = Find(method);
  if (counts == nullptr) return;
  counts->codes[CodeIndex(static_cast<int>(status.code()))].fetch_add(1, std::memory_order_relaxed);
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> NewCallCounter(
    const CallCounts& counts) {
  return std::make_unique<CallCounters>(counts);
}

}  // namespace tsunagi::rpc
