// The command line as a function.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace tsunagi::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitError = 1;
inline constexpr int kExitUsage = 2;

// Runs one command: the result goes to `out`, progress and errors to `err`. Returns the exit code.
int Run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace tsunagi::cli
