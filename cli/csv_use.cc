// What happens to a battery in use: mounting, measurement, repair.
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "cli/csv_kinds.h"
#include "cli/values.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "passport/model/identifiers.h"

namespace tsunagi::cli {
namespace {

using common::v1::BatteryId;

constexpr int kMaxPoints = 4096;

struct HistoryKind {
  absl::string_view word;
  passport::v1::EventType type;
};
constexpr HistoryKind kHistoryKinds[] = {
    {"repair", passport::v1::EVENT_TYPE_REPAIRED},
    {"inspection", passport::v1::EVENT_TYPE_REPAIRED},
    {"replacement", passport::v1::EVENT_TYPE_COMPONENT_REPLACED},
    {"original", passport::v1::EVENT_TYPE_STATUS_CHANGED},
    {"re-used", passport::v1::EVENT_TYPE_STATUS_CHANGED},
    {"repurposed", passport::v1::EVENT_TYPE_STATUS_CHANGED},
    {"remanufactured", passport::v1::EVENT_TYPE_STATUS_CHANGED},
    {"waste", passport::v1::EVENT_TYPE_STATUS_CHANGED},
    {"custody", passport::v1::EVENT_TYPE_CUSTODY_TRANSFERRED},
};

absl::StatusOr<std::string> PartyOf(const CsvTable& table, const RowReader& row, absl::string_view field) {
  auto did = table.find_party(row.Text(field));
  if (did.ok()) return did;
  if (!absl::IsNotFound(did.status()) && !absl::IsInvalidArgument(did.status())) return did.status();
  return row.Bad("PARTY_UNKNOWN", field, row.Text(field),
                 "the label or DID of a participant; see `tsunagi participant list`");
}

// The value never stands in the error: it can point at a person.
absl::Status CheckVehicle(const RowReader& row) {
  const absl::string_view chassis = row.Text("chassis_number");
  const absl::string_view vin = row.Text("vin");
  if (chassis.empty() && vin.empty()) {
    return row.Bad("VEHICLE_MISSING", "chassis_number", "", "a 車台番号, or a VIN in column `vin`");
  }
  if (!chassis.empty() && !passport::VehicleIdentifier::Parse(chassis).ok()) {
    return row.Bad("CHASSIS_NUMBER_WRONG", "chassis_number", "(not shown)", "a 車台番号 such as ZE1-012345");
  }
  if (!vin.empty() && !passport::Vin::Parse(vin).ok()) {
    return row.Bad("VIN_WRONG", "vin", "(not shown)", "17 characters of A-Z and 0-9 without I, O and Q");
  }
  return absl::OkStatus();
}

absl::StatusOr<passport::v1::ConditionPoint> Point(const RowReader& row) {
  passport::v1::ConditionPoint point;
  ASSIGN_OR_RETURN(*point.mutable_measured_at(), row.Instant("measured_at"));
  ASSIGN_OR_RETURN(const auto capacity, row.Amount("capacity_ah", "a number of ampere hours such as 98.4"));
  ASSIGN_OR_RETURN(const auto soh, row.Amount("soh_percent", "a percentage such as 87.4"));
  ASSIGN_OR_RETURN(const auto soce, row.Amount("soce_percent", "a percentage such as 85.1"));
  if (!capacity && !soh && !soce) {
    return row.Bad("VALUE_MISSING", "capacity_ah", "",
                   "at least one of capacity_ah, soh_percent and soce_percent");
  }
  if (capacity) *point.mutable_capacity_ah() = *capacity;
  if (soh) *point.mutable_soh_percent() = *soh;
  if (soce) *point.mutable_soce_percent() = *soce;
  ASSIGN_OR_RETURN(const uint64_t full_cycles, row.Count("full_cycles"));
  ASSIGN_OR_RETURN(const uint64_t fast_charges, row.Count("fast_charges"));
  point.set_full_cycles(full_cycles);
  point.set_fast_charges(fast_charges);
  return point;
}

// Consecutive rows of one battery.
struct Measurement {
  BatteryId battery;
  passport::v1::ConditionPart latest;
  passport::v1::ConditionSeriesPart series;
};

absl::Status AddPoint(const RowReader& row, Measurement& measurement) {
  ASSIGN_OR_RETURN(const passport::v1::ConditionPoint point, Point(row));
  auto& points = *measurement.series.mutable_points();
  if (!points.empty() && *FromProto(point.measured_at()) <= *FromProto(points.rbegin()->measured_at())) {
    return row.Bad("TIME_ORDER", "measured_at", row.Text("measured_at"),
                   "a time after the row before: the points of a series stand oldest first");
  }
  if (points.size() == kMaxPoints) {
    return row.Bad("TOO_MANY_POINTS", "serial", row.Text("serial"), "at most 4,096 rows of one measurement");
  }
  *points.Add() = point;
  *measurement.latest.mutable_latest() = point;
  ASSIGN_OR_RETURN(const auto rated,
                   row.Amount("rated_capacity_ah", "a number of ampere hours such as 112.6"));
  if (rated) *measurement.latest.mutable_rated_capacity_ah() = *rated;
  measurement.latest.set_method(std::string(row.Text("method")));
  measurement.latest.set_source(std::string(row.Text("source")));
  return absl::OkStatus();
}

void Close(const Measurement& measurement, passport::v1::NewFact& fact) {
  *fact.mutable_occurred_at() = measurement.latest.latest().measured_at();
  AddPart(fact, passport::v1::PART_KIND_CONDITION, measurement.latest);
  if (measurement.series.points_size() > 1) {
    AddPart(fact, passport::v1::PART_KIND_CONDITION_SERIES, measurement.series);
  }
}

// `A;B@other-maker`: serials of the row's manufacturer unless another one is named.
absl::Status AddComponents(const CsvTable& table, const RowReader& row, absl::string_view field,
                           const BatteryId& subject, google::protobuf::RepeatedPtrField<BatteryId>& out) {
  for (const absl::string_view text : absl::StrSplit(row.Text(field), ';', absl::SkipWhitespace())) {
    const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
    BatteryId id;
    id.set_manufacturer(subject.manufacturer());
    id.set_serial(std::string(trimmed));
    if (absl::StrContains(trimmed, '@')) {
      const auto identifier = ParseIdentifier(trimmed);
      if (!identifier.ok()) return row.Bad("SERIAL_WRONG", field, trimmed, "serials separated by `;`");
      ASSIGN_OR_RETURN(id, ResolveBattery(*identifier, table.find_party));
    } else if (!passport::BatterySerial::Parse(trimmed).ok()) {
      return row.Bad("SERIAL_WRONG", field, trimmed, "serials separated by `;`");
    }
    *out.Add() = id;
  }
  return absl::OkStatus();
}

absl::StatusOr<passport::v1::EventType> HistoryType(const RowReader& row) {
  for (const HistoryKind& kind : kHistoryKinds) {
    if (kind.word == row.Text("kind")) return kind.type;
  }
  return row.Bad(
      "KIND_UNKNOWN", "kind", row.Text("kind"),
      "repair, inspection, replacement, original, re-used, repurposed, remanufactured, waste or custody");
}

absl::StatusOr<passport::v1::HistoryPart> History(const CsvTable& table, const RowReader& row,
                                                  const BatteryId& subject) {
  passport::v1::HistoryPart part;
  part.set_kind(std::string(row.Text("kind")));
  ASSIGN_OR_RETURN(*part.mutable_day(), row.Day("day"));
  part.set_description(std::string(row.Text("description")));
  ASSIGN_OR_RETURN(const auto odometer, row.Amount("odometer_km", "a number of kilometres such as 48210"));
  if (odometer) *part.mutable_odometer_km() = *odometer;
  const bool custody = row.Text("kind") == "custody";
  if (custody != !row.Text("custodian").empty()) {
    return row.Bad("CUSTODIAN_WRONG", "custodian", row.Text("custodian"),
                   "a participant, for kind custody alone");
  }
  if (custody) {
    ASSIGN_OR_RETURN(*part.mutable_custodian(), PartyOf(table, row, "custodian"));
  }
  RETURN_IF_ERROR(AddComponents(table, row, "removed", subject, *part.mutable_removed()));
  RETURN_IF_ERROR(AddComponents(table, row, "added", subject, *part.mutable_added()));
  return part;
}

}  // namespace

void AddPart(passport::v1::NewFact& fact, passport::v1::PartKind kind,
             const google::protobuf::Message& part) {
  auto* added = fact.add_parts();
  added->set_kind(kind);
  added->set_content(Encode(part));
}

passport::v1::NewFact& AddFact(FileFacts& facts, const RowReader& row, passport::v1::EventType type,
                               const BatteryId& subject) {
  facts.rows.push_back(row.number());
  auto& fact = facts.facts.emplace_back();
  fact.set_type(type);
  *fact.mutable_subject() = subject;
  return fact;
}

absl::StatusOr<BatteryId> BatteryOf(const CsvTable& table, const RowReader& row) {
  BatteryId id;
  ASSIGN_OR_RETURN(*id.mutable_manufacturer(), PartyOf(table, row, "manufacturer"));
  const absl::string_view serial = row.Text("serial");
  if (!passport::BatterySerial::Parse(serial).ok()) {
    return row.Bad("SERIAL_WRONG", "serial", serial, "1 to 64 characters of A-Z a-z 0-9 . _ / -");
  }
  id.set_serial(std::string(serial));
  return id;
}

absl::Status ReadMounts(const CsvTable& table, FileFacts& facts) {
  for (const CsvRow& csv_row : table.file.rows) {
    const RowReader row(table.index, csv_row);
    ASSIGN_OR_RETURN(const BatteryId battery, BatteryOf(table, row));
    RETURN_IF_ERROR(CheckVehicle(row));
    passport::v1::VehiclePart part;
    part.set_chassis_number(std::string(row.Text("chassis_number")));
    part.set_vin(std::string(row.Text("vin")));
    part.set_model(std::string(row.Text("vehicle_model")));
    ASSIGN_OR_RETURN(*part.mutable_day(), row.Day("mounted_on"));
    auto& fact = AddFact(facts, row, passport::v1::EVENT_TYPE_MOUNTED, battery);
    *fact.mutable_occurred_at() = StartOf(part.day());
    AddPart(fact, passport::v1::PART_KIND_VEHICLE, part);
  }
  return absl::OkStatus();
}

absl::Status ReadCondition(const CsvTable& table, FileFacts& facts) {
  std::optional<Measurement> open;
  for (const CsvRow& csv_row : table.file.rows) {
    const RowReader row(table.index, csv_row);
    ASSIGN_OR_RETURN(BatteryId battery, BatteryOf(table, row));
    const bool next = !open || open->battery.serial() != battery.serial() ||
                      open->battery.manufacturer() != battery.manufacturer();
    if (next) {
      if (open) Close(*open, facts.facts.back());
      open.emplace().battery = battery;
      AddFact(facts, row, passport::v1::EVENT_TYPE_CONDITION_MEASURED, battery);
    }
    RETURN_IF_ERROR(AddPoint(row, *open));
  }
  if (open) Close(*open, facts.facts.back());
  return absl::OkStatus();
}

absl::Status ReadHistory(const CsvTable& table, FileFacts& facts) {
  for (const CsvRow& csv_row : table.file.rows) {
    const RowReader row(table.index, csv_row);
    ASSIGN_OR_RETURN(const BatteryId battery, BatteryOf(table, row));
    ASSIGN_OR_RETURN(const passport::v1::EventType type, HistoryType(row));
    ASSIGN_OR_RETURN(const passport::v1::HistoryPart part, History(table, row, battery));
    auto& fact = AddFact(facts, row, type, battery);
    *fact.mutable_occurred_at() = StartOf(part.day());
    AddPart(fact, passport::v1::PART_KIND_HISTORY, part);
    passport::v1::PersonPart person;
    person.set_name(std::string(row.Text("person")));
    if (!person.name().empty()) AddPart(fact, passport::v1::PART_KIND_PERSON, person);
  }
  return absl::OkStatus();
}

}  // namespace tsunagi::cli
