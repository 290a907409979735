// The unary measurement: policy-enforced releases, and the echo of as many bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bench/closed_loop.h"
#include "bench/facts.h"
#include "grpcpp/channel.h"

namespace tsunagi::bench {

// Ends an agreement's negotiation with the provider over identity, condition and history; returns its id.
absl::StatusOr<std::string> Agree(const std::shared_ptr<grpc::Channel>& channel, const std::string& purpose);

// Number of leaves in the process's log, from its newest durable checkpoint.
absl::StatusOr<uint64_t> CountLeaves(const std::shared_ptr<grpc::Channel>& channel);

// Sizes of one call's messages.
struct MessageSizes {
  uint32_t request = 0;
  uint32_t response = 0;
};

struct ReleaseLoad {
  std::string agreement;
  std::string purpose;
  Batteries batteries;
};

// Sizes of a release of the first battery.
absl::StatusOr<MessageSizes> MeasureRelease(const std::shared_ptr<grpc::Channel>& channel,
                                            const ReleaseLoad& load);

// Three sections of one battery after another.
absl::StatusOr<LoadResult> RunReleases(const std::shared_ptr<grpc::Channel>& channel, const ReleaseLoad& load,
                                       const LoadOptions& options);

// The baseline.
absl::StatusOr<LoadResult> RunEchoes(const std::shared_ptr<grpc::Channel>& channel, const MessageSizes& sizes,
                                     const LoadOptions& options);

}  // namespace tsunagi::bench
