// Files of the node: read with a bound, written whole or not at all.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi {

// NOT_FOUND when missing, INVALID_ARGUMENT when larger than `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes);

// Writes to a temporary file beside it, syncs, renames, syncs the folder. `mode` as in chmod, e.g. 0600.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content, int mode);

}  // namespace tsunagi
