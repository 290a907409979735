// One reader for each kind of CSV file.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/csv_facts.h"

namespace tsunagi::cli {

// A file with what its readers need. Borrows.
struct CsvTable {
  const CsvFile& file;
  const ColumnIndex& index;
  absl::string_view own_did;
  const FindParty& find_party;
};

// Each appends the file's facts, or returns the first error.
absl::Status ReadBatteries(const CsvTable& table, FileFacts& facts);
absl::Status ReadMounts(const CsvTable& table, FileFacts& facts);
absl::Status ReadCondition(const CsvTable& table, FileFacts& facts);
absl::Status ReadHistory(const CsvTable& table, FileFacts& facts);

// The battery that `serial` and `manufacturer` of the row name.
absl::StatusOr<common::v1::BatteryId> BatteryOf(const CsvTable& table, const RowReader& row);

// The part as bytes in `fact`.
void AddPart(passport::v1::NewFact& fact, passport::v1::PartKind kind, const google::protobuf::Message& part);

// Appends a fact that begins in `row`.
passport::v1::NewFact& AddFact(FileFacts& facts, const RowReader& row, passport::v1::EventType type,
                               const common::v1::BatteryId& subject);

}  // namespace tsunagi::cli
