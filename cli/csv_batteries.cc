// Registration of packs, modules, cells and lots.
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "cli/csv_kinds.h"
#include "cli/values.h"
#include "core/base/status_macros.h"
#include "passport/model/identifiers.h"

namespace tsunagi::cli {
namespace {

using common::v1::BatteryId;

constexpr int kMaxChildren = 4096;
constexpr absl::string_view kKilograms = "a number of kilograms such as 0.481";

struct Registered {
  BatteryId id;
  uint64_t row = 0;
  std::vector<BatteryId> children;
};

// Serial → battery, and which batteries name it as their parent.
using Batteries = absl::flat_hash_map<std::string, Registered>;

absl::StatusOr<BatteryId> OwnBattery(const CsvTable& table, const RowReader& row) {
  BatteryId id;
  id.set_manufacturer(std::string(table.own_did));
  const absl::string_view serial = row.Text("serial");
  if (!passport::BatterySerial::Parse(serial).ok()) {
    return row.Bad("SERIAL_WRONG", "serial", serial, "1 to 64 characters of A-Z a-z 0-9 . _ / -");
  }
  id.set_serial(std::string(serial));
  const auto level = passport::ParseLevel(row.Text("level"));
  if (!level.ok()) return row.Bad("LEVEL_UNKNOWN", "level", row.Text("level"), "pack, module, cell or lot");
  id.set_level(*level);
  return id;
}

absl::Status Register(const RowReader& row, BatteryId id, Batteries& batteries) {
  const auto [found, added] = batteries.try_emplace(id.serial());
  if (!added) {
    return row.Bad("SERIAL_REPEATED", "serial", id.serial(),
                   absl::StrCat("each serial once in a file; row ", found->second.row, " has it already"));
  }
  found->second.row = row.number();
  found->second.id = std::move(id);
  return absl::OkStatus();
}

absl::Status LinkToParent(const RowReader& row, Batteries& batteries) {
  const absl::string_view parent = row.Text("parent_serial");
  if (parent.empty()) return absl::OkStatus();
  if (!passport::BatterySerial::Parse(parent).ok() || parent == row.Text("serial")) {
    return row.Bad("PARENT_WRONG", "parent_serial", parent,
                   "the serial of the battery that this one is a part of");
  }
  const auto found = batteries.find(parent);
  if (found == batteries.end()) return absl::OkStatus();
  found->second.children.push_back(batteries.at(row.Text("serial")).id);
  if (found->second.children.size() > kMaxChildren) {
    return row.Bad("TOO_MANY_COMPONENTS", "parent_serial", parent, "at most 4,096 components of a battery");
  }
  return absl::OkStatus();
}

absl::StatusOr<Batteries> Collect(const CsvTable& table) {
  Batteries batteries;
  for (const CsvRow& csv_row : table.file.rows) {
    const RowReader row(table.index, csv_row);
    ASSIGN_OR_RETURN(BatteryId id, OwnBattery(table, row));
    RETURN_IF_ERROR(Register(row, std::move(id), batteries));
  }
  for (const CsvRow& csv_row : table.file.rows) {
    RETURN_IF_ERROR(LinkToParent(RowReader(table.index, csv_row), batteries));
  }
  return batteries;
}

// Sets a Decimal field of a part from the column of the same name.
template <class Part>
absl::Status SetAmount(const RowReader& row, absl::string_view field, absl::string_view expected,
                       common::v1::Decimal* (Part::*mutable_field)(), Part& part) {
  ASSIGN_OR_RETURN(const auto amount, row.Amount(field, expected));
  if (amount) *(part.*mutable_field)() = *amount;
  return absl::OkStatus();
}

absl::StatusOr<passport::v1::IdentityPart> Identity(const RowReader& row, const BatteryId& id) {
  using Part = passport::v1::IdentityPart;
  Part part;
  *part.mutable_battery() = id;
  part.set_model(std::string(row.Text("model")));
  ASSIGN_OR_RETURN(*part.mutable_manufactured(), row.Month("manufactured"));
  part.set_manufacturer_name(std::string(row.Text("manufacturer_name")));
  part.set_plant(std::string(row.Text("plant")));
  part.set_chemistry(std::string(row.Text("chemistry")));
  RETURN_IF_ERROR(SetAmount(row, "rated_capacity_ah", "a number of ampere hours such as 112.6",
                            &Part::mutable_rated_capacity_ah, part));
  RETURN_IF_ERROR(SetAmount(row, "nominal_voltage_v", "a number of volts such as 350",
                            &Part::mutable_nominal_voltage_v, part));
  RETURN_IF_ERROR(
      SetAmount(row, "mass_kg", "a number of kilograms such as 303", &Part::mutable_mass_kg, part));
  RETURN_IF_ERROR(SetAmount(row, "rated_energy_kwh", "a number of kilowatt hours such as 40.0",
                            &Part::mutable_rated_energy_kwh, part));
  part.set_source(std::string(row.Text("source")));
  return part;
}

absl::Status AddMaterials(const RowReader& row, passport::v1::NewFact& fact) {
  using Part = passport::v1::MaterialsPart;
  Part part;
  RETURN_IF_ERROR(SetAmount(row, "lithium_kg", kKilograms, &Part::mutable_lithium_kg, part));
  RETURN_IF_ERROR(SetAmount(row, "nickel_kg", kKilograms, &Part::mutable_nickel_kg, part));
  RETURN_IF_ERROR(SetAmount(row, "cobalt_kg", kKilograms, &Part::mutable_cobalt_kg, part));
  if (!part.has_lithium_kg() && !part.has_nickel_kg() && !part.has_cobalt_kg()) return absl::OkStatus();
  part.set_source(std::string(row.Text("materials_source")));
  AddPart(fact, passport::v1::PART_KIND_MATERIALS, part);
  return absl::OkStatus();
}

void AddStructure(const RowReader& row, const Registered& registered, passport::v1::NewFact& fact) {
  const absl::string_view parent = row.Text("parent_serial");
  if (registered.children.empty() && parent.empty()) return;
  passport::v1::StructurePart part;
  for (const BatteryId& child : registered.children) *part.add_children() = child;
  if (!parent.empty()) {
    part.mutable_parent()->set_manufacturer(registered.id.manufacturer());
    part.mutable_parent()->set_serial(std::string(parent));
  }
  AddPart(fact, passport::v1::PART_KIND_STRUCTURE, part);
}

absl::Status AddRegulation(const RowReader& row, passport::v1::NewFact& fact) {
  passport::v1::RegulationPart part;
  part.set_category(std::string(row.Text("category")));
  ASSIGN_OR_RETURN(const uint64_t warranty, row.Count("warranty_months"));
  ASSIGN_OR_RETURN(const uint64_t cycles, row.Count("expected_cycles"));
  if (warranty > 1200)
    return row.Bad("NUMBER_WRONG", "warranty_months", row.Text("warranty_months"), "at most 1200");
  if (cycles > 1000000)
    return row.Bad("NUMBER_WRONG", "expected_cycles", row.Text("expected_cycles"), "at most 1000000");
  part.set_warranty_months(static_cast<uint32_t>(warranty));
  part.set_expected_cycles(static_cast<uint32_t>(cycles));
  if (part.ByteSizeLong() > 0) AddPart(fact, passport::v1::PART_KIND_REGULATION, part);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadBatteries(const CsvTable& table, FileFacts& facts) {
  ASSIGN_OR_RETURN(const Batteries batteries, Collect(table));
  for (const CsvRow& csv_row : table.file.rows) {
    const RowReader row(table.index, csv_row);
    const Registered& registered = batteries.at(row.Text("serial"));
    ASSIGN_OR_RETURN(const passport::v1::IdentityPart identity, Identity(row, registered.id));
    auto& fact = AddFact(facts, row, passport::v1::EVENT_TYPE_REGISTERED, registered.id);
    *fact.mutable_occurred_at() = StartOf(identity.manufactured());
    AddPart(fact, passport::v1::PART_KIND_IDENTITY, identity);
    AddStructure(row, registered, fact);
    RETURN_IF_ERROR(AddMaterials(row, fact));
    RETURN_IF_ERROR(AddRegulation(row, fact));
  }
  return absl::OkStatus();
}

}  // namespace tsunagi::cli
