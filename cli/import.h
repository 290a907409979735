// A file's facts in acknowledged batches: checked whole before anything is written, completed when run again.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/csv_facts.h"
#include "core/base/random.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::cli {

inline constexpr size_t kMaxBatchFacts = 1000;
// Below the message limit of 4 MiB, with room for what surrounds the facts.
inline constexpr size_t kMaxBatchBytes = 3 << 20;

// Facts [begin, end).
struct Batch {
  size_t begin = 0;
  size_t end = 0;
};

// In order, each of at most `max_facts` facts and kMaxBatchBytes; a fact beyond that stands alone.
std::vector<Batch> MakeBatches(const std::vector<passport::v1::NewFact>& facts, size_t max_facts);

// The id of the request that writes a batch: the same for the same batch of the same file, so that a batch
// whose acknowledgement was lost is not written twice. `content` is the encoded request without its id.
std::string BatchRequestId(absl::string_view file_digest, size_t batch, absl::string_view content);

using SendBatch =
    std::function<absl::StatusOr<passport::v1::ImportFactsResponse>(const passport::v1::ImportFactsRequest&)>;

struct ImportOptions {
  std::string file_digest;  // SHA-256 of the file
  size_t max_facts = kMaxBatchFacts;
  bool check_only = false;
};

struct ImportReport {
  uint64_t created = 0;    // with check_only: would be written
  uint64_t unchanged = 0;  // there already
  std::vector<std::string> warnings;
  std::vector<uint64_t> unchanged_rows;  // with check_only
};

// Checks every batch, then writes those that are not there already, and tells `progress` of each
// acknowledgement. The first error ends it and names the row where it can; what was acknowledged stays.
absl::StatusOr<ImportReport> Import(const FileFacts& facts, const ImportOptions& options, Random& random,
                                    const SendBatch& send, std::ostream& progress);

// The error of a broken-off import of the file at `path`. Where the node did not answer, it says how to
// complete the file.
absl::Status BrokenOff(const absl::Status& error, absl::string_view path);

}  // namespace tsunagi::cli
