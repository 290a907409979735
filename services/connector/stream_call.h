// The reactor of ReleaseStream.
#pragma once

#include "connector/transfer/stream.h"
#include "services/rpc/guard.h"
#include "tsunagi/connector/v1/connector_service.grpc.pb.h"

namespace tsunagi::connector {

// A reactor that owns itself: reads a request, sends its chunks, reads the next. Who calls is asked before
// each chunk, so that a suspension, an expired certificate or token ends the stream within one chunk. While a
// chunk is being sent the next one is decided. `guard` and `chunks` must outlive the call.
grpc::ServerBidiReactor<v1::ReleaseStreamRequest, v1::ReleaseStreamResponse>* NewStreamCall(
    grpc::CallbackServerContext* context, rpc::Guard& guard, ChunkReleases& chunks);

}  // namespace tsunagi::connector
