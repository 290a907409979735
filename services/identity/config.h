// Reading a RegistrarConfig, and what is wrong with one beyond its syntax.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/config_mistakes.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::identity {

// Each field that is missing or wrong.
std::vector<FieldMistake> MistakesIn(const internal::v1::RegistrarConfig& config);

// The configuration with every documented default filled in.
internal::v1::RegistrarConfig WithDefaults(internal::v1::RegistrarConfig config);

// A file with defaults filled in. INVALID_ARGUMENT with a line for every mistake; NOT_FOUND.
absl::StatusOr<internal::v1::RegistrarConfig> LoadConfig(const std::string& path);

}  // namespace tsunagi::identity
