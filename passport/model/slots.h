// What each event type holds: the slot table, and what the kinds of parts are called and belong to.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tsunagi/common/v1/types.pb.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::passport {

// The kind of part in each slot, in order; the first is required, the others may be empty. Empty for
// AMENDMENT_APPROVED and for types that this program does not know. Frozen: digests depend on it.
absl::Span<const v1::PartKind> SlotsOf(v1::EventType type);

// Whether this program knows the type: others are kept and verified, never folded, never released.
bool IsKnownType(v1::EventType type);

// The section whose permission opens the kind; UNSPECIFIED for PERSON, which is never released.
common::v1::Section SectionOf(v1::PartKind kind);

// Bit n set: PartKind n belongs to the section. As in GrantClaims.part_mask.
uint32_t KindMaskOf(common::v1::Section section);

// Whether the kind can point at a person: it lies in table PERSON and can be erased.
bool IsErasable(v1::PartKind kind);

// `identity`, `condition-series`, …: for messages and output.
absl::string_view KindName(v1::PartKind kind);
// `registered`, `condition-measured`, …
absl::string_view TypeName(v1::EventType type);

}  // namespace tsunagi::passport
