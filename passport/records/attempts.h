// Deciding again after a conflict, before the caller is asked to.
#pragma once

#include "absl/status/status.h"

namespace tsunagi::passport {

inline constexpr int kAttempts = 5;

// Calls `attempt`, which returns a StatusOr, until it is not ABORTED, at most kAttempts times.
template <typename Try>
auto UntilNoConflict(const Try& attempt) {
  auto result = attempt();
  for (int i = 1; i < kAttempts && absl::IsAborted(result.status()); ++i) result = attempt();
  return result;
}

}  // namespace tsunagi::passport
