// gRPC's own log as JSON lines of ours.
#pragma once

namespace tsunagi::rpc {

// Sends what gRPC logs to core/base/log.h: its errors as warnings, since calls report them as their status.
// Once per process; later calls do nothing.
void TakeGrpcLog();

}  // namespace tsunagi::rpc
