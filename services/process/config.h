// Checks of a NodeConfig beyond its syntax.
#pragma once

#include "absl/status/status.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::process {

// INVALID_ARGUMENT with a line for each field that is missing or wrong.
absl::Status CheckConfig(const internal::v1::NodeConfig& config);

// The configuration with every documented default filled in.
internal::v1::NodeConfig WithDefaults(internal::v1::NodeConfig config);

}  // namespace tsunagi::process
