// How often each method was called, with what result, how long it took, and why calls were denied: for
// metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/histogram.h"
#include "grpcpp/support/server_interceptor.h"

namespace tsunagi::rpc {

// Why the Guard refused: few and fixed, since each is a series of a metric. Who it was stands in the log.
enum class Denial : uint8_t {
  kUnknownMethod,  // no such method here
  kCertificate,    // none, not of this federation, two names, removed CA, expired
  kStatusListAge,  // the status list is too old: everyone is refused
  kNotListed,      // a participant that the directory does not have
  kToken,          // none, wrong, expired, another's
  kSuspended,
  kSession,     // none, wrong or over, or of too small a role
  kNotAllowed,  // another participant's, process's or mandate's method
};
inline constexpr size_t kDenials = 8;

// The value of label `reason`.
absl::string_view NameOf(Denial denial);

// Thread-safe; lock-free. Knows its methods from the start and counts no others.
class CallCounts {
 public:
  static constexpr size_t kCodes = 17;  // of absl::StatusCode and gRPC alike

  explicit CallCounts(const std::vector<std::string>& methods);

  struct Method {
    std::array<std::atomic<uint64_t>, kCodes> codes = {};
    Histogram nanoseconds;  // of calls that were not denied before they began
    Method();
  };

  // Counts of a method; null when there is none of that name.
  Method* Find(absl::string_view method) const;
  // A call that was refused before it became one: `status` is not OK.
  void CountRefused(absl::string_view method, const absl::Status& status) const;
  void CountDenial(Denial denial) {
    denials_[static_cast<size_t>(denial)].fetch_add(1, std::memory_order_relaxed);
  }

  const absl::flat_hash_map<std::string, std::unique_ptr<Method>>& methods() const { return methods_; }
  uint64_t denied(Denial denial) const {
    return denials_[static_cast<size_t>(denial)].load(std::memory_order_relaxed);
  }

 private:
  absl::flat_hash_map<std::string, std::unique_ptr<Method>> methods_;  // fixed from the constructor on
  std::array<std::atomic<uint64_t>, kDenials> denials_ = {};
};

// For the server: counts each call when its status is sent, streams too. `counts` must outlive the server.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> NewCallCounter(
    const CallCounts& counts);

}  // namespace tsunagi::rpc
