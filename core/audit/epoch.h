// Epochs of a log, as its origin names them (ADR 0011).
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::audit {

// A log and which of its epochs.
struct LogEpoch {
  std::string log;     // origin of the first epoch: `<label>.<federation>/<process>`
  uint64_t epoch = 1;  // from 1
};

// The origin of an epoch: `log`, and from the second on `/` and its number.
std::string EpochOrigin(absl::string_view log, uint64_t epoch);

// The reverse. INVALID_ARGUMENT unless `origin` is what EpochOrigin writes.
absl::StatusOr<LogEpoch> ParseEpochOrigin(absl::string_view origin);

// The origin that a note claims: its first line. Nothing of it is verified.
absl::string_view ClaimedOrigin(absl::string_view note);

}  // namespace tsunagi::audit
