// Passwords come from a terminal or a file, never from an argument: others see arguments.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::cli {

// The first line of `file`, which only its owner may access; from the terminal, without echo, when `file` is
// empty. `what` is asked for, e.g. "password". FAILED_PRECONDITION without a terminal.
absl::StatusOr<std::string> ReadPassword(absl::string_view what, const std::string& file);

// The same for a password that is set: asked for twice on a terminal.
absl::StatusOr<std::string> ReadNewPassword(absl::string_view what, const std::string& file);

}  // namespace tsunagi::cli
