// Checks of a RegistrarConfig beyond its syntax.
#pragma once

#include "absl/status/statusor.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::identity {

// The configuration with every documented default filled in. INVALID_ARGUMENT with a line for each field that
// is missing or wrong.
absl::StatusOr<internal::v1::RegistrarConfig> CheckedConfig(internal::v1::RegistrarConfig config);

}  // namespace tsunagi::identity
