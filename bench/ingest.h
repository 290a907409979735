// The ingest measurement: facts imported durably, and bare RocksDB batches of the same bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/facts.h"
#include "grpcpp/channel.h"

namespace tsunagi::bench {

struct IngestResult {
  uint64_t facts = 0;
  uint64_t batches = 0;
  absl::Duration elapsed;
  absl::Duration server_processor_time;  // of the driver itself for RocksDB
};

struct IngestLoad {
  Batteries batteries;
  int in_flight = 2;
  int server_pid = 0;
};

// Imports the facts of all batteries, at most 1,000 a request, each request durable before it is answered.
absl::StatusOr<IngestResult> RunImport(const std::shared_ptr<grpc::Channel>& channel, const IngestLoad& load);

// The baseline: the serialised facts of each request as one batch with a synced WAL, into a new database in
// `folder`.
absl::StatusOr<IngestResult> RunRocksDb(const std::string& folder, const IngestLoad& load);

}  // namespace tsunagi::bench
