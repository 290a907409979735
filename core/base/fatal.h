// The end of the process: for programmer errors and a broken machine, never for input.
#pragma once

#include "absl/strings/string_view.h"

namespace tsunagi {

// Writes `what` to standard error and aborts.
[[noreturn]] void Fatal(absl::string_view what);

}  // namespace tsunagi
