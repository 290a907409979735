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

// ReadFile for keys and codes: FAILED_PRECONDITION when the file's mode lets anyone but its owner access it.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path, size_t max_bytes);

// Writes to a temporary file beside it, syncs, renames, syncs the folder. `mode` as in chmod, e.g. 0600.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content, int mode);

// The same for a file that must not exist yet: ALREADY_EXISTS when it does, so that of two processes one
// wins.
absl::Status WriteNewFile(const std::string& path, absl::string_view content, int mode);

// Appends to a file that exists, and syncs it. After an error a part of `content` may stand there.
absl::Status AppendToFile(const std::string& path, absl::string_view content);

}  // namespace tsunagi
