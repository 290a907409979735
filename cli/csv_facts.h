// CSV files of companies as facts. Knows the columns of each kind of file; no transport.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cli/csv.h"
#include "cli/csv_row.h"
#include "cli/identifier.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::cli {

// What a file holds.
enum class FileKind {
  kBatteries,  // registration of packs, modules, cells, lots
  kMounts,     // packs mounted on vehicles
  kCondition,  // measurements; consecutive rows of one serial are one measurement with its series
  kHistory,    // repairs, inspections, status changes
};

// `batteries`, `mounts`, `condition`, `history`.
absl::string_view FileKindName(FileKind kind);
absl::StatusOr<FileKind> ParseFileKind(absl::string_view name);
absl::Span<const Column> ColumnsOf(FileKind kind);

// The kind whose columns the header has most of. INVALID_ARGUMENT when it has none of any.
absl::StatusOr<FileKind> GuessKind(const CsvFile& file);

// What a file says, in its order.
struct FileFacts {
  FileKind kind = FileKind::kBatteries;
  std::vector<passport::v1::NewFact> facts;
  std::vector<uint64_t> rows;  // first row of each fact
};

// Reads every row, or says what is wrong in the first bad one. `own_did` is the manufacturer of registered
// batteries.
absl::StatusOr<FileFacts> ReadFacts(const CsvFile& file, FileKind kind, absl::string_view own_did,
                                    const FindParty& find_party);

}  // namespace tsunagi::cli
