// Sections, and the kinds of parts that each one consists of, as bit masks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tsunagi/common/v1/types.pb.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::policy {

using common::v1::Section;
using passport::v1::PartKind;

// Bit n stands for PartKind n. PART_KIND_PERSON belongs to no section, so no mask of a policy has it.
using PartMask = uint32_t;
// Bit n stands for Section n.
using SectionMask = uint32_t;

// Stands for the look-up by vehicle in masks of what is permitted: PartKind 0 is never a part.
inline constexpr PartMask kLookupBit = 1u;

inline constexpr PartMask BitOf(PartKind kind) { return 1u << static_cast<uint32_t>(kind); }
inline constexpr SectionMask BitOf(Section section) { return 1u << static_cast<uint32_t>(section); }

// The kinds of parts of a section; none for `lookup` and for values that are no section.
PartMask PartsOf(Section section);
// The kinds of parts of several sections.
PartMask PartsOf(SectionMask sections);

// What a permission on sections permits: their kinds of parts; for `lookup` the look-up.
PartMask PermitsOf(SectionMask sections);

// True for the ten sections, false for SECTION_UNSPECIFIED and numbers that this program does not know.
bool IsSection(int number);
// In order of number.
std::vector<Section> SectionsIn(SectionMask sections);
std::vector<PartKind> KindsIn(PartMask parts);

// As people write it: `condition`.
std::string SectionWord(Section section);

// A field within a section: `condition.series`.
struct Field {
  absl::string_view name;
  Section section;
  PartKind part;
};
// The field with this name; nullptr when there is none.
const Field* FindField(absl::string_view name);

}  // namespace tsunagi::policy
