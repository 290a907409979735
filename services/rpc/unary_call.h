// The reactor of a guarded unary call: finished exactly once, whatever the handler does with its Finish.
#pragma once

#include <utility>

#include "absl/time/time.h"
#include "grpcpp/support/server_callback.h"
#include "services/rpc/call_record.h"
#include "services/rpc/guard.h"

namespace tsunagi::rpc {

// A reactor that goes with its call, and the Finish that ends it. The first Finish counts; when all copies
// are gone without one, the call ends as INTERNAL; `record` ends with it. A call without deadline is
// cancelled after `default_deadline`: the peer is told at once, the handler still owns request and response
// until it finishes.
std::pair<grpc::ServerUnaryReactor*, Finish> NewUnaryCall(grpc::CallbackServerContext* context,
                                                          absl::Duration default_deadline,
                                                          const CallRecord& record);

}  // namespace tsunagi::rpc
