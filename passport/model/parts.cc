#include "passport/model/parts.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "passport/model/identifiers.h"
#include "passport/model/slots.h"
#include "passport/model/values.h"

namespace tsunagi::passport {
namespace {

using common::v1::BatteryId;

std::unique_ptr<google::protobuf::Message> NewMessage(v1::PartKind kind) {
  switch (kind) {
    case v1::PART_KIND_IDENTITY:
      return std::make_unique<v1::IdentityPart>();
    case v1::PART_KIND_VEHICLE:
      return std::make_unique<v1::VehiclePart>();
    case v1::PART_KIND_STRUCTURE:
      return std::make_unique<v1::StructurePart>();
    case v1::PART_KIND_MATERIALS:
      return std::make_unique<v1::MaterialsPart>();
    case v1::PART_KIND_CONDITION:
      return std::make_unique<v1::ConditionPart>();
    case v1::PART_KIND_CONDITION_SERIES:
      return std::make_unique<v1::ConditionSeriesPart>();
    case v1::PART_KIND_HISTORY:
      return std::make_unique<v1::HistoryPart>();
    case v1::PART_KIND_FOOTPRINT:
      return std::make_unique<v1::FootprintPart>();
    case v1::PART_KIND_DILIGENCE:
      return std::make_unique<v1::DiligencePart>();
    case v1::PART_KIND_REGULATION:
      return std::make_unique<v1::RegulationPart>();
    case v1::PART_KIND_PERSON:
      return std::make_unique<v1::PersonPart>();
    default:
      return nullptr;
  }
}

absl::Status Bad(absl::string_view reason, absl::string_view field, absl::string_view value,
                 absl::string_view expected) {
  return InvalidArgument({reason, field, value, expected});
}

absl::Status CheckText(absl::string_view text, size_t max_bytes, absl::string_view field) {
  if (text.size() > max_bytes) {
    return Bad("TEXT_TOO_LONG", field, text, absl::StrCat("at most ", max_bytes, " bytes"));
  }
  const bool control =
      std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; });
  return control ? Bad("CHARACTER_NOT_ALLOWED", field, "(not shown)", "text without control characters")
                 : absl::OkStatus();
}

// A quantity from 0 to `max`; absent is fine.
absl::Status CheckQuantity(bool given, const Decimal& value, int64_t max, absl::string_view field) {
  if (!given) return absl::OkStatus();
  RETURN_IF_ERROR(CheckDecimal(value, field));
  Decimal limit;
  limit.set_unscaled(max);
  if (value.unscaled() >= 0 && CompareDecimals(value, limit) <= 0) return absl::OkStatus();
  return Bad("QUANTITY_OUT_OF_RANGE", field, PrintDecimal(value), absl::StrCat("a number from 0 to ", max));
}

absl::StatusOr<absl::Time> CheckInstant(bool given, const google::protobuf::Timestamp& value,
                                        absl::Time latest, absl::string_view field) {
  const absl::StatusOr<absl::Time> time = FromProto(value);
  const absl::Time first = absl::FromCivil(absl::CivilYear(1990), absl::UTCTimeZone());
  if (given && time.ok() && *time >= first && *time <= latest) return *time;
  return Bad(!given                        ? "FIELD_MISSING"
             : time.ok() && *time > latest ? "DATE_IN_FUTURE"
                                           : "DATE_INVALID",
             field, given && time.ok() ? absl::FormatTime(absl::RFC3339_sec, *time, absl::UTCTimeZone()) : "",
             "an instant from 1990 to today");
}

absl::Status CheckComponents(const google::protobuf::RepeatedPtrField<BatteryId>& batteries,
                             const BatteryId& subject, absl::string_view field) {
  if (batteries.size() > kMaxComponents) {
    return Bad("TOO_MANY", field, absl::StrCat(batteries.size()), absl::StrCat("at most ", kMaxComponents));
  }
  absl::flat_hash_set<std::pair<absl::string_view, absl::string_view>> seen;
  seen.insert({subject.manufacturer(), subject.serial()});
  for (int i = 0; i < batteries.size(); ++i) {
    const std::string name = absl::StrCat(field, "[", i, "]");
    RETURN_IF_ERROR(CheckBatteryId(batteries[i], name));
    if (!seen.insert({batteries[i].manufacturer(), batteries[i].serial()}).second) {
      return Bad("COMPONENT_REPEATED", absl::StrCat(name, ".serial"), batteries[i].serial(),
                 "each component once, and never the battery itself");
    }
  }
  return absl::OkStatus();
}

absl::Status Check(const v1::IdentityPart& part, const PartContext& context) {
  const BatteryId& subject = context.header.subject();
  if (part.battery().manufacturer() != subject.manufacturer() ||
      part.battery().serial() != subject.serial()) {
    return Bad("SUBJECT_DIFFERS", "identity.battery", part.battery().serial(),
               absl::StrCat("the fact's own subject `", subject.serial(), "`"));
  }
  if (LevelName(part.battery().level()).empty() || part.battery().level() != subject.level()) {
    return Bad("LEVEL_DIFFERS", "identity.battery.level", LevelName(part.battery().level()),
               "pack, module, cell or lot, as in the fact's subject");
  }
  if (!part.has_manufactured())
    return Bad("FIELD_MISSING", "identity.manufactured", "", "a month such as 2024-05");
  RETURN_IF_ERROR(CheckYearMonth(part.manufactured(), context.latest, "identity.manufactured"));
  RETURN_IF_ERROR(CheckText(part.model(), 128, "identity.model"));
  RETURN_IF_ERROR(CheckText(part.manufacturer_name(), 128, "identity.manufacturer_name"));
  RETURN_IF_ERROR(CheckText(part.plant(), 128, "identity.plant"));
  RETURN_IF_ERROR(CheckText(part.chemistry(), 32, "identity.chemistry"));
  RETURN_IF_ERROR(CheckText(part.source(), 512, "identity.source"));
  RETURN_IF_ERROR(CheckQuantity(part.has_rated_capacity_ah(), part.rated_capacity_ah(), 1'000'000,
                                "identity.rated_capacity_ah"));
  RETURN_IF_ERROR(CheckQuantity(part.has_nominal_voltage_v(), part.nominal_voltage_v(), 100'000,
                                "identity.nominal_voltage_v"));
  RETURN_IF_ERROR(CheckQuantity(part.has_mass_kg(), part.mass_kg(), 1'000'000, "identity.mass_kg"));
  return CheckQuantity(part.has_rated_energy_kwh(), part.rated_energy_kwh(), 1'000'000,
                       "identity.rated_energy_kwh");
}

absl::Status Check(const v1::StructurePart& part, const PartContext& context) {
  if (part.children().empty() && !part.has_parent()) {
    return Bad("FIELD_MISSING", "structure.children", "", "at least one child, or a parent");
  }
  RETURN_IF_ERROR(CheckComponents(part.children(), context.header.subject(), "structure.children"));
  return part.has_parent() ? CheckBatteryId(part.parent(), "structure.parent") : absl::OkStatus();
}

absl::Status Check(const v1::MaterialsPart& part, const PartContext&) {
  if (!part.has_lithium_kg() && !part.has_nickel_kg() && !part.has_cobalt_kg()) {
    return Bad("FIELD_MISSING", "materials.lithium_kg", "",
               "at least one of lithium_kg, nickel_kg and cobalt_kg");
  }
  RETURN_IF_ERROR(CheckQuantity(part.has_lithium_kg(), part.lithium_kg(), 1'000'000, "materials.lithium_kg"));
  RETURN_IF_ERROR(CheckQuantity(part.has_nickel_kg(), part.nickel_kg(), 1'000'000, "materials.nickel_kg"));
  RETURN_IF_ERROR(CheckQuantity(part.has_cobalt_kg(), part.cobalt_kg(), 1'000'000, "materials.cobalt_kg"));
  return CheckText(part.source(), 512, "materials.source");
}

absl::Status CheckVehicle(absl::string_view text, bool must_be_vin, absl::string_view field,
                          std::vector<std::string>& warnings) {
  const absl::StatusOr<VehicleIdentifier> vehicle = VehicleIdentifier::Parse(text);
  if (!vehicle.ok()) {
    const ErrorDetail detail = DetailOf(vehicle.status()).value_or(ErrorDetail());
    return Bad(detail.reason(), field, "(not shown)", detail.expected());
  }
  if (must_be_vin && !vehicle->is_vin()) {
    return Bad("VIN_MALFORMED", field, "(not shown)", "17 characters of A-Z and 0-9 without I, O and Q");
  }
  if (!vehicle->check_digit_fits()) {
    warnings.push_back(absl::StrCat("`", field,
                                    "`: the VIN's check digit differs; valid outside North America and "
                                    "China, otherwise a typing error"));
  }
  return absl::OkStatus();
}

absl::Status Check(const v1::VehiclePart& part, const PartContext& context) {
  if (part.chassis_number().empty() && part.vin().empty()) {
    return Bad("FIELD_MISSING", "vehicle.chassis_number", "", "a 車台番号 or a VIN");
  }
  if (!part.chassis_number().empty()) {
    RETURN_IF_ERROR(CheckVehicle(part.chassis_number(), false, "vehicle.chassis_number", context.warnings));
  }
  if (!part.vin().empty()) RETURN_IF_ERROR(CheckVehicle(part.vin(), true, "vehicle.vin", context.warnings));
  RETURN_IF_ERROR(CheckText(part.model(), 128, "vehicle.model"));
  return part.has_day() ? CheckCivilDate(part.day(), context.latest, "vehicle.day") : absl::OkStatus();
}

absl::StatusOr<absl::Time> CheckPoint(const v1::ConditionPoint& point, absl::Time latest,
                                      absl::string_view field) {
  ASSIGN_OR_RETURN(const absl::Time at, CheckInstant(point.has_measured_at(), point.measured_at(), latest,
                                                     absl::StrCat(field, ".measured_at")));
  RETURN_IF_ERROR(CheckQuantity(point.has_capacity_ah(), point.capacity_ah(), 1'000'000,
                                absl::StrCat(field, ".capacity_ah")));
  // Above 100 and rising values occur in real data; beyond 1,000 the unit is wrong.
  RETURN_IF_ERROR(CheckQuantity(point.has_soh_percent(), point.soh_percent(), 1'000,
                                absl::StrCat(field, ".soh_percent")));
  RETURN_IF_ERROR(CheckQuantity(point.has_soce_percent(), point.soce_percent(), 1'000,
                                absl::StrCat(field, ".soce_percent")));
  if (point.full_cycles() > 10'000'000 || point.fast_charges() > 10'000'000) {
    return Bad("QUANTITY_OUT_OF_RANGE", absl::StrCat(field, ".full_cycles"),
               absl::StrCat(point.full_cycles()), "at most 10,000,000 full cycles and fast charges");
  }
  return at;
}

absl::Status Check(const v1::ConditionPart& part, const PartContext& context) {
  if (!part.has_latest()) return Bad("FIELD_MISSING", "condition.latest", "", "the latest measurement");
  RETURN_IF_ERROR(CheckPoint(part.latest(), context.latest, "condition.latest").status());
  RETURN_IF_ERROR(CheckQuantity(part.has_rated_capacity_ah(), part.rated_capacity_ah(), 1'000'000,
                                "condition.rated_capacity_ah"));
  RETURN_IF_ERROR(CheckText(part.method(), 256, "condition.method"));
  return CheckText(part.source(), 512, "condition.source");
}

absl::Status Check(const v1::ConditionSeriesPart& part, const PartContext& context) {
  if (part.points().empty() || part.points_size() > kMaxSeriesPoints) {
    return Bad("TOO_MANY", "condition-series.points", absl::StrCat(part.points_size()), "1 to 4096 points");
  }
  absl::Time previous = absl::InfinitePast();
  for (int i = 0; i < part.points_size(); ++i) {
    const std::string name = absl::StrCat("condition-series.points[", i, "]");
    ASSIGN_OR_RETURN(const absl::Time at, CheckPoint(part.points(i), context.latest, name));
    if (at < previous) {
      return Bad("ORDER_WRONG", absl::StrCat(name, ".measured_at"),
                 absl::FormatTime(absl::RFC3339_sec, at, absl::UTCTimeZone()),
                 "points from oldest to newest");
    }
    previous = at;
  }
  return absl::OkStatus();
}

absl::Status Check(const v1::HistoryPart& part, const PartContext& context) {
  static constexpr absl::string_view kKinds[] = {"repair",         "replacement", "inspection",
                                                 "original",       "re-used",     "repurposed",
                                                 "remanufactured", "waste",       "custody"};
  if (std::find(std::begin(kKinds), std::end(kKinds), part.kind()) == std::end(kKinds)) {
    return Bad(
        "KIND_UNKNOWN", "history.kind", part.kind(),
        "repair, replacement, inspection, original, re-used, repurposed, remanufactured, waste or custody");
  }
  const bool custody = context.header.type() == v1::EVENT_TYPE_CUSTODY_TRANSFERRED;
  if (custody != (part.kind() == "custody") || custody == part.custodian().empty()) {
    return Bad("CUSTODIAN_WRONG", "history.custodian", part.custodian(),
               "the new custodian's DID in a custody transfer of kind custody, nothing otherwise");
  }
  if (custody && !Did::Parse(part.custodian()).ok()) {
    return Bad("DID_MALFORMED", "history.custodian", part.custodian(), "the DID of the new custodian");
  }
  if (part.has_day()) RETURN_IF_ERROR(CheckCivilDate(part.day(), context.latest, "history.day"));
  RETURN_IF_ERROR(CheckText(part.description(), 2'000, "history.description"));
  RETURN_IF_ERROR(
      CheckQuantity(part.has_odometer_km(), part.odometer_km(), 100'000'000, "history.odometer_km"));
  RETURN_IF_ERROR(CheckComponents(part.removed(), context.header.subject(), "history.removed"));
  return CheckComponents(part.added(), context.header.subject(), "history.added");
}

absl::Status Check(const v1::FootprintPart& part, const PartContext&) {
  if (!part.has_kg_co2e_per_kwh() && part.reference().empty()) {
    return Bad("FIELD_MISSING", "footprint.kg_co2e_per_kwh", "", "a value or a reference");
  }
  RETURN_IF_ERROR(CheckQuantity(part.has_kg_co2e_per_kwh(), part.kg_co2e_per_kwh(), 1'000'000,
                                "footprint.kg_co2e_per_kwh"));
  return CheckText(part.reference(), 1'024, "footprint.reference");
}

absl::Status Check(const v1::DiligencePart& part, const PartContext&) {
  if (part.reference().empty())
    return Bad("FIELD_MISSING", "diligence.reference", "", "where the report can be read");
  return CheckText(part.reference(), 1'024, "diligence.reference");
}

absl::Status Check(const v1::RegulationPart& part, const PartContext&) {
  static constexpr absl::string_view kCategories[] = {"", "EV", "LMT", "SLI", "industrial", "portable"};
  if (std::find(std::begin(kCategories), std::end(kCategories), part.category()) == std::end(kCategories)) {
    return Bad("CATEGORY_UNKNOWN", "regulation.category", part.category(),
               "EV, LMT, SLI, industrial or portable");
  }
  if (part.warranty_months() > 1'200) {
    return Bad("QUANTITY_OUT_OF_RANGE", "regulation.warranty_months", absl::StrCat(part.warranty_months()),
               "at most 1,200 months");
  }
  return absl::OkStatus();
}

absl::Status Check(const v1::PersonPart& part, const PartContext&) {
  if (!part.name().empty() && CheckText(part.name(), 128, "person.name").ok()) return absl::OkStatus();
  return Bad("NAME_WRONG", "person.name", "(not shown)",
             "a name of 1 to 128 bytes without control characters");
}

template <typename Part>
absl::Status CheckAs(const google::protobuf::Message& message, const PartContext& context) {
  return Check(static_cast<const Part&>(message), context);
}

}  // namespace

absl::StatusOr<std::unique_ptr<google::protobuf::Message>> DecodePart(v1::PartKind kind,
                                                                      absl::string_view content) {
  std::unique_ptr<google::protobuf::Message> message = NewMessage(kind);
  if (message == nullptr)
    return Bad("KIND_UNKNOWN", "kind", absl::StrCat(static_cast<int>(kind)), "a known part kind");
  const absl::string_view name = KindName(kind);
  if (content.size() > kMaxPartBytes) {
    return Bad("PART_TOO_LARGE", name, absl::StrCat(content.size(), " bytes"), "at most 1 MiB");
  }
  if (!Decode(content, name, *message).ok() || HasUnknownFields(*message)) {
    return Bad("PART_MALFORMED", name, "(not shown)", absl::StrCat("a serialised ", message->GetTypeName()));
  }
  return message;
}

absl::Status CheckPart(v1::PartKind kind, absl::string_view content, const PartContext& context) {
  ASSIGN_OR_RETURN(const std::unique_ptr<google::protobuf::Message> part, DecodePart(kind, content));
  switch (kind) {
    case v1::PART_KIND_IDENTITY:
      return CheckAs<v1::IdentityPart>(*part, context);
    case v1::PART_KIND_VEHICLE:
      return CheckAs<v1::VehiclePart>(*part, context);
    case v1::PART_KIND_STRUCTURE:
      return CheckAs<v1::StructurePart>(*part, context);
    case v1::PART_KIND_MATERIALS:
      return CheckAs<v1::MaterialsPart>(*part, context);
    case v1::PART_KIND_CONDITION:
      return CheckAs<v1::ConditionPart>(*part, context);
    case v1::PART_KIND_CONDITION_SERIES:
      return CheckAs<v1::ConditionSeriesPart>(*part, context);
    case v1::PART_KIND_HISTORY:
      return CheckAs<v1::HistoryPart>(*part, context);
    case v1::PART_KIND_FOOTPRINT:
      return CheckAs<v1::FootprintPart>(*part, context);
    case v1::PART_KIND_DILIGENCE:
      return CheckAs<v1::DiligencePart>(*part, context);
    case v1::PART_KIND_REGULATION:
      return CheckAs<v1::RegulationPart>(*part, context);
    default:
      return CheckAs<v1::PersonPart>(*part, context);
  }
}

}  // namespace tsunagi::passport
