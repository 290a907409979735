// Calls that fail while certificates and tokens are renewed under load.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "bench/federation.h"

namespace tsunagi::bench {

struct RotationLoad {
  int each = 100;   // renewals of the server's certificate, of one client's, and of another client's token
  int callers = 4;  // of either client, each with one call in flight
};

struct RotationResult {
  int rotations = 0;
  uint64_t calls = 0;
  uint64_t failed = 0;
  std::string first_failure;
};

// A server and two clients in this process, which renew by the product's own Credentials at the registrar.
absl::StatusOr<RotationResult> MeasureRotation(Federation& federation, const RotationLoad& load);

}  // namespace tsunagi::bench
