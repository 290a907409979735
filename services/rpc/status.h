// absl::Status on the wire and back. ErrorDetail travels in the status details.
#pragma once

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace tsunagi::rpc {

// INTERNAL, UNKNOWN and DATA_LOSS reach the caller with a fixed text: their cause is logged, not told.
grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace tsunagi::rpc
