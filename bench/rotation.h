// Calls that fail while certificates, certification authorities and token keys are rotated under load.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace tsunagi::bench {

struct RotationLoad {
  // Rotations of each of four kinds: root, issuing CA, token key, leaf.
  int each = 75;
  int callers = 4;  // of either client, each with one call in flight
};

struct RotationResult {
  int rotations = 0;  // each seen to have taken effect
  uint64_t calls = 0;
  uint64_t failed = 0;
  std::string first_failure;
};

// A registrar, a server and two clients in this process, which renew by the product's own Credentials. Root
// and issuing CA are rotated in the two steps of docs/operations.md, with what an operator waits for between
// them. INTERNAL when a rotation did not take effect. Keys lie in `folder`.
absl::StatusOr<RotationResult> MeasureRotation(const std::string& folder, const RotationLoad& load);

}  // namespace tsunagi::bench
