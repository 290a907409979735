// The reactor of ReleaseStream.
#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "connector/transfer/stream.h"
#include "core/base/mutex.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"
#include "tsunagi/connector/v1/connector_service.grpc.pb.h"

namespace tsunagi::connector {

// What one participant may hold of a node's memory by streams: each keeps up to three chunks.
struct StreamLimits {
  int per_participant = 16;
  // A stream that neither reads nor is read from for this long, or for up to twice as long, is ended.
  absl::Duration idle = absl::Seconds(60);
};

// Counts the running streams of each participant. Thread-safe.
class StreamSlots {
 public:
  explicit StreamSlots(StreamLimits limits) : limits_(limits) {}

  // A slot, free again when the pointer is gone; `this` must outlive it. RESOURCE_EXHAUSTED when the
  // participant has as many streams as it may.
  absl::StatusOr<std::shared_ptr<void>> Take(const std::string& participant);
  const StreamLimits& limits() const { return limits_; }

 private:
  void GiveBack(const std::string& participant);

  const StreamLimits limits_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, int> taken_ ABSL_GUARDED_BY(mutex_);
};

// A reactor that owns itself: reads two requests, sends their chunks as they are ready, reads on. Who calls
// is asked before each chunk, so that a suspension, an expired certificate or token ends the stream with the
// chunks that are decided already. Chunks are decided on `workers`. All arguments must outlive the call.
grpc::ServerBidiReactor<v1::ReleaseStreamRequest, v1::ReleaseStreamResponse>* NewStreamCall(
    grpc::CallbackServerContext* context, rpc::Guard& guard, ChunkReleases& chunks, rpc::WorkerPool& workers,
    StreamSlots& slots);

}  // namespace tsunagi::connector
