#include "connector/policy/sections.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace tsunagi::policy {
namespace {

using namespace ::tsunagi::common::v1;    // NOLINT: enum values
using namespace ::tsunagi::passport::v1;  // NOLINT

constexpr std::array<Field, 2> kFields = {{
    {"condition.latest", SECTION_CONDITION, PART_KIND_CONDITION},
    {"condition.series", SECTION_CONDITION, PART_KIND_CONDITION_SERIES},
}};

constexpr std::array<PartMask, 11> kParts = {
    0,
    BitOf(PART_KIND_IDENTITY),
    BitOf(PART_KIND_VEHICLE),
    BitOf(PART_KIND_STRUCTURE),
    BitOf(PART_KIND_MATERIALS),
    BitOf(PART_KIND_CONDITION) | BitOf(PART_KIND_CONDITION_SERIES),
    BitOf(PART_KIND_HISTORY),
    BitOf(PART_KIND_FOOTPRINT),
    BitOf(PART_KIND_DILIGENCE),
    BitOf(PART_KIND_REGULATION),
    0,  // lookup
};

}  // namespace

PartMask PartsOf(Section section) { return IsSection(section) ? kParts[static_cast<size_t>(section)] : 0; }

PartMask PartsOf(SectionMask sections) {
  PartMask parts = 0;
  for (size_t number = 1; number < kParts.size(); ++number) {
    if (((sections >> number) & 1u) != 0) parts |= kParts[number];
  }
  return parts;
}

PartMask PermitsOf(SectionMask sections) {
  return PartsOf(sections) | ((sections & BitOf(SECTION_LOOKUP)) != 0 ? kLookupBit : 0);
}

bool IsSection(int number) { return number > 0 && number < static_cast<int>(kParts.size()); }

std::vector<Section> SectionsIn(SectionMask sections) {
  std::vector<Section> found;
  for (int number = 1; IsSection(number); ++number) {
    if (((sections >> number) & 1u) != 0) found.push_back(static_cast<Section>(number));
  }
  return found;
}

std::vector<PartKind> KindsIn(PartMask parts) {
  std::vector<PartKind> found;
  for (int number = 1; number <= PART_KIND_PERSON; ++number) {
    if (((parts >> number) & 1u) != 0) found.push_back(static_cast<PartKind>(number));
  }
  return found;
}

std::string SectionWord(Section section) {
  return absl::AsciiStrToLower(absl::StripPrefix(common::v1::Section_Name(section), "SECTION_"));
}

const Field* FindField(absl::string_view name) {
  for (const Field& field : kFields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

}  // namespace tsunagi::policy
