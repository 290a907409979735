// The identity bench: one measurement a run, its result as one line of JSON on standard output. identity.py
// runs it.
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/federation.h"
#include "bench/guarded_echo.h"
#include "bench/measurement.h"
#include "bench/node.h"
#include "bench/revocation.h"
#include "bench/rotation.h"
#include "bench/tokens.h"
#include "core/base/deadlock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/crypto/library.h"
#include "services/process/signals.h"

namespace tsunagi::bench {
namespace {

// Everything that the command line says.
struct Arguments {
  Access access;
  RegistrarPlace place;
  TokenLoad tokens;
  RevocationLoad revocation;
  RotationLoad rotation;
};

using Result = absl::StatusOr<std::string>;

std::string Json(const TokenRound& round) {
  return absl::StrFormat(R"({"cold_per_second": %.1f, "cached_ns": %.1f, "openssl_per_second": %.1f})",
                         round.cold_per_second, round.cached_ns, round.openssl_per_second);
}

Result Tokens(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::vector<TokenRound> rounds,
                   MeasureTokens(arguments.place.folder + "/tokens", arguments.tokens));
  return absl::StrCat(
      R"({"rounds": [)",
      absl::StrJoin(rounds, ", ", [](std::string* out, const TokenRound& round) { *out += Json(round); }),
      "]}");
}

// Serves the guarded echo until it is told to end.
Result Guarded(const Arguments& arguments) {
  process::StopSignals signals;
  ASSIGN_OR_RETURN(const auto federation, Federation::Open(arguments.access, arguments.place));
  ASSIGN_OR_RETURN(const auto config, federation->Invite("guarded"));
  ASSIGN_OR_RETURN(const auto node, BenchNode::Start(config, EchoRows(), NewGuardedEcho));
  node->Refresh();
  node->Watch();
  RETURN_IF_ERROR(WriteFileAtomically(arguments.place.folder + "/guarded/listen", node->address(), 0600));
  signals.Wait();
  return std::string("{}");
}

Result Revocation(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto federation, Federation::Open(arguments.access, arguments.place));
  ASSIGN_OR_RETURN(const auto rounds, MeasureRevocation(*federation, arguments.revocation));
  const auto add = [](std::string* out, const std::vector<double>& round) {
    absl::StrAppend(out, "[", absl::StrJoin(round, ", "), "]");
  };
  return absl::StrCat(R"({"milliseconds": [)", absl::StrJoin(rounds, ", ", add), "]}");
}

Result Rotation(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const RotationResult result, MeasureRotation(arguments.place.folder, arguments.rotation));
  if (result.failed > 0) std::cerr << "the first call that failed: " << result.first_failure << "\n";
  return absl::StrFormat(R"({"rotations": %d, "calls": %u, "failed": %u})", result.rotations, result.calls,
                         result.failed);
}

void AddOptions(CLI::App& app, Arguments& arguments) {
  app.add_option("--key", arguments.access.key_path, "PEM of the registrar's operator's key");
  app.add_option("--certificate", arguments.access.certificate_path, "PEM of its certificates");
  app.add_option("--root", arguments.access.root_path, "PEM of the federation's root");
  app.add_option("--registrar", arguments.access.registrar, "host:port of the registrar");
  app.add_option("--federation", arguments.access.federation, "name of the federation");
  app.add_option("--est-url", arguments.place.est_url, "EST URL of the registrar");
  app.add_option("--root-sha256", arguments.place.root_sha256, "SHA-256 of the root, in hex");
  app.add_option("--folder", arguments.place.folder, "folder for keys");
  app.add_option("--rounds", arguments.tokens.rounds, "rounds of tokens");
  app.add_option("--tokens", arguments.tokens.tokens, "tokens a round");
  app.add_option("--nodes", arguments.revocation.nodes, "simulated nodes");
  app.add_option("--suspensions", arguments.revocation.rounds, "suspensions of the party");
  app.add_flag("!--refresh-only", arguments.revocation.watch, "nodes keep no watch open");
  app.add_option("--each", arguments.rotation.each, "rotations of each kind");
}

int Run(int argc, char** argv) {
  const std::vector<std::pair<std::string, Result (*)(const Arguments&)>> measurements = {
      {"tokens", Tokens}, {"guarded", Guarded}, {"revocation", Revocation}, {"rotation", Rotation}};
  Arguments arguments;
  CLI::App app("Measurements of ./dev bench identity");
  AddMeasurements(app, measurements);
  AddOptions(app, arguments);
  CLI11_PARSE(app, argc, argv);
  log::Start("bench_identity", "error");
  return RunMeasurement(app, measurements, arguments);
}

}  // namespace
}  // namespace tsunagi::bench

int main(int argc, char** argv) {
  tsunagi::crypto::KeepLibraryUntilExit();
  tsunagi::StopDeadlockDetection();
  return tsunagi::bench::Run(argc, argv);
}
