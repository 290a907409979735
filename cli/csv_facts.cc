#include "cli/csv_facts.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "cli/csv_kinds.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"

namespace tsunagi::cli {
namespace {

constexpr std::array kKinds = {FileKind::kBatteries, FileKind::kMounts, FileKind::kCondition,
                               FileKind::kHistory};

constexpr Column kBatteryColumns[] = {
    {"serial", true},      {"level", true},     {"manufactured", true}, {"model"},
    {"manufacturer_name"}, {"plant"},           {"chemistry"},          {"rated_capacity_ah"},
    {"nominal_voltage_v"}, {"mass_kg"},         {"rated_energy_kwh"},   {"lithium_kg"},
    {"nickel_kg"},         {"cobalt_kg"},       {"materials_source"},   {"parent_serial"},
    {"category"},          {"warranty_months"}, {"expected_cycles"},    {"source"}};
constexpr Column kMountColumns[] = {
    {"serial", true}, {"manufacturer", true}, {"mounted_on", true}, {"chassis_number"},
    {"vin"},          {"vehicle_model"}};
constexpr Column kConditionColumns[] = {
    {"serial", true}, {"manufacturer", true}, {"measured_at", true}, {"capacity_ah"},  {"rated_capacity_ah"},
    {"soh_percent"},  {"soce_percent"},       {"full_cycles"},       {"fast_charges"}, {"method"},
    {"source"}};
constexpr Column kHistoryColumns[] = {
    {"serial", true}, {"manufacturer", true}, {"kind", true}, {"day", true}, {"description"},
    {"odometer_km"},  {"custodian"},          {"removed"},    {"added"},     {"person"}};

size_t Overlap(const CsvFile& file, FileKind kind) {
  const auto columns = ColumnsOf(kind);
  return static_cast<size_t>(std::count_if(columns.begin(), columns.end(), [&](const Column& column) {
    return std::find(file.header.begin(), file.header.end(), column.name) != file.header.end();
  }));
}

}  // namespace

absl::string_view FileKindName(FileKind kind) {
  switch (kind) {
    case FileKind::kBatteries:
      return "batteries";
    case FileKind::kMounts:
      return "mounts";
    case FileKind::kCondition:
      return "condition";
    case FileKind::kHistory:
      return "history";
  }
  return "";
}

absl::StatusOr<FileKind> ParseFileKind(absl::string_view name) {
  for (const FileKind kind : kKinds) {
    if (FileKindName(kind) == name) return kind;
  }
  return InvalidArgument({.reason = "KIND_UNKNOWN",
                          .field = "kind",
                          .value = name,
                          .expected = "batteries, mounts, condition or history"});
}

absl::Span<const Column> ColumnsOf(FileKind kind) {
  switch (kind) {
    case FileKind::kBatteries:
      return kBatteryColumns;
    case FileKind::kMounts:
      return kMountColumns;
    case FileKind::kCondition:
      return kConditionColumns;
    case FileKind::kHistory:
      return kHistoryColumns;
  }
  return {};
}

absl::StatusOr<FileKind> GuessKind(const CsvFile& file) {
  const FileKind best = *std::max_element(kKinds.begin(), kKinds.end(), [&](FileKind a, FileKind b) {
    return Overlap(file, a) < Overlap(file, b);
  });
  if (Overlap(file, best) >= 2) return best;
  return RowError(0, "KIND_UNKNOWN", "header", file.header.front(),
                  "the columns of a known kind of file; `tsunagi passport import --help` lists them");
}

absl::StatusOr<FileFacts> ReadFacts(const CsvFile& file, FileKind kind, absl::string_view own_did,
                                    const FindParty& find_party) {
  ASSIGN_OR_RETURN(const ColumnIndex index, IndexColumns(file, ColumnsOf(kind)));
  const CsvTable table{file, index, own_did, find_party};
  FileFacts facts;
  facts.kind = kind;
  switch (kind) {
    case FileKind::kBatteries:
      RETURN_IF_ERROR(ReadBatteries(table, facts));
      break;
    case FileKind::kMounts:
      RETURN_IF_ERROR(ReadMounts(table, facts));
      break;
    case FileKind::kCondition:
      RETURN_IF_ERROR(ReadCondition(table, facts));
      break;
    case FileKind::kHistory:
      RETURN_IF_ERROR(ReadHistory(table, facts));
      break;
  }
  return facts;
}

}  // namespace tsunagi::cli
