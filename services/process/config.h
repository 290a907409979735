// Reading a NodeConfig, and what is wrong with one beyond its syntax.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/config_mistakes.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::process {

// Each field that is missing or wrong.
std::vector<FieldMistake> MistakesIn(const internal::v1::NodeConfig& config);

// The configuration with every documented default filled in.
internal::v1::NodeConfig WithDefaults(internal::v1::NodeConfig config);

// A file with defaults filled in. INVALID_ARGUMENT with a line for every mistake; NOT_FOUND.
absl::StatusOr<internal::v1::NodeConfig> LoadConfig(const std::string& path);

}  // namespace tsunagi::process
