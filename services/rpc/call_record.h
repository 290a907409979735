// One call of a server, from its handler's beginning to its status: for metrics.
#pragma once

#include <chrono>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "services/rpc/call_counts.h"

namespace tsunagi::rpc {

// Made on the thread that begins to handle the call, before anything else runs there: gRPC tells the method
// to that thread alone. Counts nothing for a server without NewCallCounter.
class CallRecord {
 public:
  explicit CallRecord(const grpc::ServerContextBase* context);

  // Once, with the status that the call ends with. From any thread; the guard must still be there.
  void End(absl::StatusCode code) const;

 private:
  CallCounts::Method* method_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace tsunagi::rpc
