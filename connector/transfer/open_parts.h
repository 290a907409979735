// Which kinds of parts an EventSet shows, found without parsing what they say.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "connector/policy/sections.h"

namespace tsunagi::connector {

// The kinds of the open slots of a serialised passport.v1.EventSet; empty bytes have none. Skips over
// contents, so the time grows with the number of slots. DATA_LOSS when the bytes are no EventSet, or a slot
// has no kind.
absl::StatusOr<policy::PartMask> OpenParts(absl::string_view event_set);

}  // namespace tsunagi::connector
