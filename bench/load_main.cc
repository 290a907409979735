// The load driver: one measurement a run, its result as one line of JSON on standard output. release.py runs
// it.
#include <algorithm>
#include <cstdio>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "bench/access.h"
#include "bench/closed_loop.h"
#include "bench/facts.h"
#include "bench/ingest.h"
#include "bench/measurement.h"
#include "bench/process.h"
#include "bench/release.h"
#include "bench/stream.h"
#include "core/base/deadlock.h"
#include "core/base/status_macros.h"
#include "core/crypto/library.h"

namespace tsunagi::bench {
namespace {

constexpr absl::Duration kStartLimit = absl::Seconds(30);

// Everything that the command line says.
struct Arguments {
  Access access;
  Target target;
  ReleaseLoad release;
  LoadOptions load;
  double seconds = 5;
  MessageSizes sizes;
  StreamResult shape;
  IngestLoad ingest;
  std::string folder;
  std::string program;
  std::string config;
};

using Result = absl::StatusOr<std::string>;

std::string Json(const LoadResult& result) {
  return absl::StrFormat(R"({"replies": %u, "per_second": %.1f, "server_cpu_us": %.1f})", result.replies,
                         static_cast<double>(result.calls) / absl::ToDoubleSeconds(result.elapsed),
                         absl::ToDoubleMicroseconds(result.server_processor_time) /
                             static_cast<double>(std::max<uint64_t>(result.calls, 1)));
}

std::string Json(uint64_t count, absl::Duration elapsed, absl::Duration processor_time) {
  return absl::StrFormat(
      R"("per_second": %.1f, "server_cpu_us": %.2f)",
      static_cast<double>(count) / absl::ToDoubleSeconds(elapsed),
      absl::ToDoubleMicroseconds(processor_time) / static_cast<double>(std::max<uint64_t>(count, 1)));
}

std::string Json(const StreamResult& result) {
  return absl::StrFormat(R"({"records": %u, "request_bytes": %u, "frame_bytes": [%s], %s})", result.records,
                         result.request_bytes, absl::StrJoin(result.frame_bytes, ", "),
                         Json(result.records, result.elapsed, result.server_processor_time));
}

std::string Json(const IngestResult& result) {
  return absl::StrFormat(R"({"facts": %u, "batches": %u, %s})", result.facts, result.batches,
                         Json(result.facts, result.elapsed, result.server_processor_time));
}

// Prepares the unary measurement: an agreement, and how long its messages are.
Result Prepare(Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto channel, Connect(arguments.access, arguments.target));
  ASSIGN_OR_RETURN(arguments.release.agreement, Agree(channel, arguments.release.purpose));
  ASSIGN_OR_RETURN(const MessageSizes sizes, MeasureRelease(channel, arguments.release));
  return absl::StrFormat(R"({"agreement": "%s", "request_bytes": %u, "response_bytes": %u})",
                         arguments.release.agreement, sizes.request, sizes.response);
}

Result Leaves(Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto channel, Connect(arguments.access, arguments.target));
  ASSIGN_OR_RETURN(const uint64_t leaves, CountLeaves(channel));
  return absl::StrFormat(R"({"leaves": %u})", leaves);
}

Result Release(Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto channel, Connect(arguments.access, arguments.target));
  ASSIGN_OR_RETURN(const LoadResult result, RunReleases(channel, arguments.release, arguments.load));
  return Json(result);
}

Result Echo(Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto channel, Connect(arguments.access, arguments.target));
  ASSIGN_OR_RETURN(const LoadResult result, RunEchoes(channel, arguments.sizes, arguments.load));
  return Json(result);
}

Result Stream(Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto channel, Connect(arguments.access, arguments.target));
  const StreamLoad load{arguments.release.agreement, arguments.release.purpose, arguments.release.batteries,
                        arguments.target.pid};
  ASSIGN_OR_RETURN(const StreamResult result, RunReleaseStream(channel, load));
  return Json(result);
}

Result Raw(Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto channel, Connect(arguments.access, arguments.target));
  ASSIGN_OR_RETURN(const StreamResult result, RunRawStream(channel, arguments.shape, arguments.target.pid));
  return Json(result);
}

Result Import(Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto channel, Connect(arguments.access, arguments.target));
  ASSIGN_OR_RETURN(const IngestResult result, RunImport(channel, arguments.ingest));
  return Json(result);
}

Result RocksDb(Arguments& arguments) {
  ASSIGN_OR_RETURN(const IngestResult result, RunRocksDb(arguments.folder, arguments.ingest));
  return Json(result);
}

// From the start of the program to its first answered call.
Result Start(Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto channel, Connect(arguments.access, arguments.target));
  const absl::Time begin = absl::Now();
  ASSIGN_OR_RETURN(const Child child,
                   Child::Start({arguments.program, "serve", "--config", arguments.config}));
  RETURN_IF_ERROR(WaitForListener(arguments.target.address, kStartLimit));
  RETURN_IF_ERROR(CountLeaves(channel).status());
  return absl::StrFormat(R"({"milliseconds": %.1f})", absl::ToDoubleMilliseconds(absl::Now() - begin));
}

void AddOptions(CLI::App& app, Arguments& arguments) {
  app.add_option("--key", arguments.access.key_path, "PEM of the caller's key");
  app.add_option("--certificate", arguments.access.certificate_path, "PEM of the caller's certificates");
  app.add_option("--root", arguments.access.root_path, "PEM of the federation's root");
  app.add_option("--registrar", arguments.access.registrar, "host:port of the registrar");
  app.add_option("--federation", arguments.access.federation, "name of the federation");
  app.add_option("--target", arguments.target.address, "host:port of the measured process");
  app.add_option("--target-name", arguments.target.name, "DNS name of the measured process");
  app.add_option("--pid", arguments.target.pid, "process id of the measured process");
  app.add_option("--agreement", arguments.release.agreement, "id of the agreement");
  app.add_option("--purpose", arguments.release.purpose, "purpose of the releases");
  app.add_option("--manufacturer", arguments.release.batteries.manufacturer, "DID of the batteries' maker");
  app.add_option("--prefix", arguments.release.batteries.prefix, "prefix of the batteries' serials");
  app.add_option("--count", arguments.release.batteries.count, "number of batteries");
  app.add_option("--in-flight", arguments.load.in_flight, "calls in flight");
  app.add_option("--seconds", arguments.seconds, "measured time");
  app.add_option("--request-bytes", arguments.sizes.request, "length of an echo's request");
  app.add_option("--response-bytes", arguments.sizes.response, "length of an echo's response");
  app.add_option("--records", arguments.shape.records, "records of the raw stream");
  app.add_option("--frame-bytes", arguments.shape.frame_bytes, "lengths of the raw stream's frames")
      ->delimiter(',');
  app.add_option("--folder", arguments.folder, "new folder of the RocksDB baseline");
  app.add_option("--program", arguments.program, "program to start");
  app.add_option("--config", arguments.config, "its configuration file");
}

int Run(int argc, char** argv) {
  const std::vector<std::pair<std::string, Result (*)(Arguments&)>> measurements = {
      {"prepare", Prepare}, {"leaves", Leaves}, {"release", Release}, {"echo", Echo},  {"stream", Stream},
      {"raw", Raw},         {"import", Import}, {"rocksdb", RocksDb}, {"start", Start}};
  Arguments arguments;
  CLI::App app("Load driver of ./dev bench");
  AddMeasurements(app, measurements);
  AddOptions(app, arguments);
  CLI11_PARSE(app, argc, argv);
  arguments.load.duration = absl::Seconds(arguments.seconds);
  arguments.load.server_pid = arguments.target.pid;
  arguments.shape.request_bytes = arguments.sizes.request;
  arguments.ingest = {arguments.release.batteries, 2, arguments.target.pid};
  return RunMeasurement(app, measurements, arguments);
}

}  // namespace
}  // namespace tsunagi::bench

int main(int argc, char** argv) {
  tsunagi::crypto::KeepLibraryUntilExit();
  tsunagi::StopDeadlockDetection();
  return tsunagi::bench::Run(argc, argv);
}
