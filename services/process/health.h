// Asks a running process for its health: for probes.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "tsunagi/internal/v1/config.pb.h"
#include "tsunagi/ops/v1/operations_service.pb.h"

namespace tsunagi::process {

// GetHealth of the process that serves from config.data_dir, with that process's own certificate and token.
// UNAVAILABLE when it does not answer within 5 s; NOT_FOUND when it has never served.
absl::StatusOr<ops::v1::GetHealthResponse> CheckHealth(const internal::v1::NodeConfig& config,
                                                       const std::string& process);

}  // namespace tsunagi::process
