// Reading of CSV files (RFC 4180, UTF-8), by libcsv.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::cli {

// One row. Blank rows are counted and left out, so that `number` is what a spreadsheet shows minus one.
struct CsvRow {
  uint64_t number = 0;  // 1 for the first row after the header
  std::vector<std::string> fields;
};

struct CsvFile {
  std::vector<std::string> header;
  std::vector<CsvRow> rows;
};

// A whole file: with or without byte order mark, LF or CRLF. INVALID_ARGUMENT with an ErrorDetail naming the
// row for: another encoding than UTF-8, NUL bytes, misplaced or open quotes, a row with another number of
// fields than the header (in the last row: the file is truncated), a missing, empty or repeated column name,
// no rows at all.
absl::StatusOr<CsvFile> ParseCsv(absl::string_view bytes);

// INVALID_ARGUMENT with the message "row <row>: `field` is `value`: expected <expected>".
absl::Status RowError(uint64_t row, absl::string_view reason, absl::string_view field,
                      absl::string_view value, absl::string_view expected);

}  // namespace tsunagi::cli
