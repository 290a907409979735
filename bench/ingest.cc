#include "bench/ingest.h"

#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bench/process.h"
#include "core/base/mutex.h"
#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "rocksdb/db.h"
#include "rocksdb/write_batch.h"
#include "services/rpc/status.h"
#include "tsunagi/passport/v1/passport_service.grpc.pb.h"

namespace tsunagi::bench {
namespace {

using passport::v1::ImportFactsRequest;

// Three facts each: 999 a request.
constexpr uint64_t kBatteriesPerRequest = 333;

std::vector<ImportFactsRequest> RequestsFor(const Batteries& batteries) {
  SystemRandom random;
  std::vector<ImportFactsRequest> requests;
  for (uint64_t i = 0; i < batteries.count; ++i) {
    if (i % kBatteriesPerRequest == 0) requests.emplace_back().set_request_id(NewUuid(random));
    for (passport::v1::NewFact& fact : FactsOf(batteries, i)) *requests.back().add_facts() = std::move(fact);
  }
  return requests;
}

using Send = std::function<absl::Status(const ImportFactsRequest&)>;

// Sends all requests from `in_flight` threads; returns the first failure.
absl::Status SendAll(const std::vector<ImportFactsRequest>& requests, int in_flight, const Send& send) {
  Mutex mutex;
  absl::Status failure;
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < requests.size(); i = next++) {
      const absl::Status status = send(requests[i]);
      if (status.ok()) continue;
      const MutexLock lock(mutex);
      if (failure.ok()) failure = status;
      return;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < in_flight; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return failure;
}

absl::StatusOr<IngestResult> Run(const IngestLoad& load, int pid, const Send& send) {
  const std::vector<ImportFactsRequest> requests = RequestsFor(load.batteries);
  IngestResult result;
  result.batches = requests.size();
  for (const ImportFactsRequest& request : requests)
    result.facts += static_cast<uint64_t>(request.facts_size());
  ASSIGN_OR_RETURN(const absl::Duration time_before, ProcessorTime(pid));
  const absl::Time begin = absl::Now();
  RETURN_IF_ERROR(SendAll(requests, load.in_flight, send));
  result.elapsed = absl::Now() - begin;
  ASSIGN_OR_RETURN(const absl::Duration time_after, ProcessorTime(pid));
  result.server_processor_time = time_after - time_before;
  return result;
}

absl::Status WriteBatch(rocksdb::DB& database, const ImportFactsRequest& request) {
  rocksdb::WriteBatch batch;
  for (int i = 0; i < request.facts_size(); ++i) {
    batch.Put(absl::StrCat(request.request_id(), "/", i), request.facts(i).SerializeAsString());
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  const rocksdb::Status status = database.Write(options, &batch);
  return status.ok() ? absl::OkStatus() : absl::InternalError(status.ToString());
}

}  // namespace

absl::StatusOr<IngestResult> RunImport(const std::shared_ptr<grpc::Channel>& channel,
                                       const IngestLoad& load) {
  const auto stub = passport::v1::PassportService::NewStub(channel);
  return Run(load, load.server_pid, [&stub](const ImportFactsRequest& request) {
    grpc::ClientContext context;
    passport::v1::ImportFactsResponse response;
    return rpc::FromGrpcStatus(stub->ImportFacts(&context, request, &response));
  });
}

absl::StatusOr<IngestResult> RunRocksDb(const std::string& folder, const IngestLoad& load) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.error_if_exists = true;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, folder, &opened);
  if (!status.ok()) return absl::InternalError(status.ToString());
  const std::unique_ptr<rocksdb::DB> database(opened);
  return Run(load, ::getpid(),
             [&database](const ImportFactsRequest& request) { return WriteBatch(*database, request); });
}

}  // namespace tsunagi::bench
