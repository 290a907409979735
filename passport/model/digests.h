// Digests of parts, events and batches. docs/formats/event.md; frozen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/crypto/digest.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::passport {

using crypto::Digest;

inline constexpr size_t kSaltSize = 16;
// Tags are 16 bytes each and differ from those of the log's leaves.
inline constexpr absl::string_view kPartTag("tsunagi/part/v1\0", 16);
inline constexpr absl::string_view kEventTag("tsunagi/event/v1", 16);
// Payload types of what participants and the registrar sign.
inline constexpr absl::string_view kBatchStatementType = "tsunagi/batch-statement/v1";
inline constexpr absl::string_view kAmendmentApprovalType = "tsunagi/amendment-approval/v1";

// SHA-256(tag ‖ u32 slot ‖ salt[16] ‖ content).
Digest PartDigest(uint32_t slot, absl::string_view salt, absl::string_view content);

// SHA-256(tag ‖ u64 length ‖ header ‖ u32 count ‖ slot digests).
Digest EventDigest(absl::string_view header, absl::Span<const Digest> slot_digests);

// Digest of a slot as disclosed. DATA_LOSS when it is neither a digest of 32 bytes nor a part with a salt
// of 16.
absl::StatusOr<Digest> SlotDigest(uint32_t slot, const v1::SlotDisclosure& disclosure);

}  // namespace tsunagi::passport
