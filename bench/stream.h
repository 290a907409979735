// The streaming measurement: many batteries' condition in chunks, and a raw stream of the same frames.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/facts.h"
#include "grpcpp/channel.h"

namespace tsunagi::bench {

struct StreamResult {
  uint64_t records = 0;
  std::vector<uint32_t> frame_bytes;  // length of each response, in order
  uint32_t request_bytes = 0;         // length of the first request
  absl::Duration elapsed;
  absl::Duration server_processor_time;
};

struct StreamLoad {
  std::string agreement;
  std::string purpose;
  Batteries batteries;
  int server_pid = 0;
};

// Asks for the condition of all batteries, 1,000 a request. DATA_LOSS when one is missing from the answers.
absl::StatusOr<StreamResult> RunReleaseStream(const std::shared_ptr<grpc::Channel>& channel,
                                              const StreamLoad& load);

// The baseline: as many requests and the same frames as `shape` had.
absl::StatusOr<StreamResult> RunRawStream(const std::shared_ptr<grpc::Channel>& channel,
                                          const StreamResult& shape, int server_pid);

}  // namespace tsunagi::bench
