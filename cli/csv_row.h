// A row of a CSV file, field by field, with errors that name row, field, value and what was expected.
#pragma once

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cli/csv.h"
#include "google/protobuf/timestamp.pb.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::cli {

// A column that a kind of file has.
struct Column {
  absl::string_view name;
  bool required = false;  // stands in every file of the kind
};

// Where each column stands.
using ColumnIndex = absl::flat_hash_map<std::string, size_t>;

// Index of the header. INVALID_ARGUMENT naming a column that `columns` does not have (with the nearest that
// it has), or a required one that is missing.
absl::StatusOr<ColumnIndex> IndexColumns(const CsvFile& file, absl::Span<const Column> columns);

// Every error is INVALID_ARGUMENT as RowError gives it. Borrows its arguments.
class RowReader {
 public:
  RowReader(const ColumnIndex& index, const CsvRow& row) : index_(index), row_(row) {}

  uint64_t number() const { return row_.number; }
  // Empty when the column or the value is missing.
  absl::string_view Text(absl::string_view field) const;

  absl::StatusOr<std::string> Required(absl::string_view field, absl::string_view expected) const;
  absl::StatusOr<std::optional<common::v1::Decimal>> Amount(absl::string_view field,
                                                            absl::string_view expected) const;
  absl::StatusOr<uint64_t> Count(absl::string_view field) const;  // 0 when empty
  absl::StatusOr<common::v1::YearMonth> Month(absl::string_view field) const;
  absl::StatusOr<common::v1::CivilDate> Day(absl::string_view field) const;
  absl::StatusOr<google::protobuf::Timestamp> Instant(absl::string_view field) const;

  // An error about this row.
  absl::Status Bad(absl::string_view reason, absl::string_view field, absl::string_view value,
                   absl::string_view expected) const {
    return RowError(row_.number, reason, field, value, expected);
  }

 private:
  const ColumnIndex& index_;
  const CsvRow& row_;
};

// Number of single-character edits from one text to the other.
size_t EditDistance(absl::string_view a, absl::string_view b);

}  // namespace tsunagi::cli
