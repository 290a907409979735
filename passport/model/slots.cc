#include "passport/model/slots.h"

namespace tsunagi::passport {
namespace {

using v1::PartKind;

constexpr PartKind kFacts[] = {v1::PART_KIND_IDENTITY, v1::PART_KIND_STRUCTURE, v1::PART_KIND_MATERIALS,
                               v1::PART_KIND_REGULATION};
constexpr PartKind kStructure[] = {v1::PART_KIND_STRUCTURE};
constexpr PartKind kVehicle[] = {v1::PART_KIND_VEHICLE};
constexpr PartKind kCondition[] = {v1::PART_KIND_CONDITION, v1::PART_KIND_CONDITION_SERIES};
constexpr PartKind kRepair[] = {v1::PART_KIND_HISTORY, v1::PART_KIND_PERSON};
constexpr PartKind kReplacement[] = {v1::PART_KIND_HISTORY, v1::PART_KIND_STRUCTURE, v1::PART_KIND_PERSON};
constexpr PartKind kHistory[] = {v1::PART_KIND_HISTORY};
constexpr PartKind kFootprint[] = {v1::PART_KIND_FOOTPRINT};
constexpr PartKind kDiligence[] = {v1::PART_KIND_DILIGENCE};

}  // namespace

absl::Span<const PartKind> SlotsOf(v1::EventType type) {
  switch (type) {
    case v1::EVENT_TYPE_REGISTERED:
    case v1::EVENT_TYPE_AMENDMENT_PROPOSED:
      return kFacts;
    case v1::EVENT_TYPE_MODULE_ATTACHED:
    case v1::EVENT_TYPE_MODULE_DETACHED:
      return kStructure;
    case v1::EVENT_TYPE_MOUNTED:
    case v1::EVENT_TYPE_DISMOUNTED:
      return kVehicle;
    case v1::EVENT_TYPE_CONDITION_MEASURED:
      return kCondition;
    case v1::EVENT_TYPE_REPAIRED:
      return kRepair;
    case v1::EVENT_TYPE_COMPONENT_REPLACED:
      return kReplacement;
    case v1::EVENT_TYPE_STATUS_CHANGED:
    case v1::EVENT_TYPE_CUSTODY_TRANSFERRED:
      return kHistory;
    case v1::EVENT_TYPE_FOOTPRINT_LINKED:
      return kFootprint;
    case v1::EVENT_TYPE_DILIGENCE_LINKED:
      return kDiligence;
    default:
      return {};
  }
}

bool IsKnownType(v1::EventType type) {
  return v1::EventType_IsValid(type) && type != v1::EVENT_TYPE_UNSPECIFIED;
}

common::v1::Section SectionOf(PartKind kind) {
  switch (kind) {
    case v1::PART_KIND_IDENTITY:
      return common::v1::SECTION_IDENTITY;
    case v1::PART_KIND_VEHICLE:
      return common::v1::SECTION_VEHICLE;
    case v1::PART_KIND_STRUCTURE:
      return common::v1::SECTION_STRUCTURE;
    case v1::PART_KIND_MATERIALS:
      return common::v1::SECTION_MATERIALS;
    case v1::PART_KIND_CONDITION:
    case v1::PART_KIND_CONDITION_SERIES:
      return common::v1::SECTION_CONDITION;
    case v1::PART_KIND_HISTORY:
      return common::v1::SECTION_HISTORY;
    case v1::PART_KIND_FOOTPRINT:
      return common::v1::SECTION_FOOTPRINT;
    case v1::PART_KIND_DILIGENCE:
      return common::v1::SECTION_DILIGENCE;
    case v1::PART_KIND_REGULATION:
      return common::v1::SECTION_REGULATION;
    default:
      return common::v1::SECTION_UNSPECIFIED;
  }
}

uint32_t KindMaskOf(common::v1::Section section) {
  if (section == common::v1::SECTION_UNSPECIFIED) return 0;
  uint32_t mask = 0;
  for (int kind = v1::PartKind_MIN; kind <= v1::PartKind_MAX; ++kind) {
    if (SectionOf(static_cast<PartKind>(kind)) == section) mask |= 1u << kind;
  }
  return mask;
}

bool IsErasable(PartKind kind) { return kind == v1::PART_KIND_VEHICLE || kind == v1::PART_KIND_PERSON; }

absl::string_view KindName(PartKind kind) {
  switch (kind) {
    case v1::PART_KIND_IDENTITY:
      return "identity";
    case v1::PART_KIND_VEHICLE:
      return "vehicle";
    case v1::PART_KIND_STRUCTURE:
      return "structure";
    case v1::PART_KIND_MATERIALS:
      return "materials";
    case v1::PART_KIND_CONDITION:
      return "condition";
    case v1::PART_KIND_CONDITION_SERIES:
      return "condition-series";
    case v1::PART_KIND_HISTORY:
      return "history";
    case v1::PART_KIND_FOOTPRINT:
      return "footprint";
    case v1::PART_KIND_DILIGENCE:
      return "diligence";
    case v1::PART_KIND_REGULATION:
      return "regulation";
    case v1::PART_KIND_PERSON:
      return "person";
    default:
      return "unknown";
  }
}

absl::string_view TypeName(v1::EventType type) {
  switch (type) {
    case v1::EVENT_TYPE_REGISTERED:
      return "registered";
    case v1::EVENT_TYPE_MODULE_ATTACHED:
      return "module-attached";
    case v1::EVENT_TYPE_MODULE_DETACHED:
      return "module-detached";
    case v1::EVENT_TYPE_MOUNTED:
      return "mounted";
    case v1::EVENT_TYPE_DISMOUNTED:
      return "dismounted";
    case v1::EVENT_TYPE_CONDITION_MEASURED:
      return "condition-measured";
    case v1::EVENT_TYPE_REPAIRED:
      return "repaired";
    case v1::EVENT_TYPE_COMPONENT_REPLACED:
      return "component-replaced";
    case v1::EVENT_TYPE_STATUS_CHANGED:
      return "status-changed";
    case v1::EVENT_TYPE_CUSTODY_TRANSFERRED:
      return "custody-transferred";
    case v1::EVENT_TYPE_FOOTPRINT_LINKED:
      return "footprint-linked";
    case v1::EVENT_TYPE_DILIGENCE_LINKED:
      return "diligence-linked";
    case v1::EVENT_TYPE_AMENDMENT_PROPOSED:
      return "amendment-proposed";
    case v1::EVENT_TYPE_AMENDMENT_APPROVED:
      return "amendment-approved";
    default:
      return "unknown";
  }
}

}  // namespace tsunagi::passport
