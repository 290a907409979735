// How long a suspension takes to every node.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "bench/federation.h"

namespace tsunagi::bench {

struct RevocationLoad {
  int nodes = 100;
  int rounds = 5;
  bool watch = true;  // false: nodes learn of it by their refresh alone
};

// Nodes of as many participants in this process, each with a server of its own, and a party that calls each
// of them 20 times a second over a live connection. Of each round: for each node the milliseconds from the
// reply to SetSuspended until the first call that it refused had ended.
absl::StatusOr<std::vector<std::vector<double>>> MeasureRevocation(Federation& federation,
                                                                   const RevocationLoad& load);

}  // namespace tsunagi::bench
