// What Abseil's mutexes cost.
#pragma once

#include "absl/synchronization/mutex.h"

namespace tsunagi {

// Ends the search for lock-order cycles among absl::Mutexes, first in main() of a server. Debian's Abseil has
// its debug checks: each lock that gRPC takes, many a call, is entered in a graph of the whole process under
// one spin lock, and what looks like a cycle aborts the process.
inline void StopDeadlockDetection() { absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore); }

}  // namespace tsunagi
