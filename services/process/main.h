// The command line that every participant's process has: `serve`, `health` and `rotate-signing-key`, each
// with
// `--config FILE`.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::process {

// Parses the command line, loads and checks the configuration (all mistakes at once), starts the log, runs
// `serve`, asks the running process `process` for its health, or rotates the signing key. Returns the exit
// code; errors go to standard error.
int Main(int argc, char** argv, const std::string& process,
         const std::function<absl::Status(const internal::v1::NodeConfig&)>& serve);

}  // namespace tsunagi::process
