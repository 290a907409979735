// Verification of a receipt (提供証明) with nothing but the trust bundle or the federation's root: no
// network, no clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "cli/parts.h"
#include "core/crypto/time_stamp.h"
#include "identity/bundle.h"
#include "tsunagi/audit/v1/record.pb.h"
#include "tsunagi/identity/v1/directory.pb.h"

namespace tsunagi::cli {

// What a valid receipt proves.
struct CheckedReceipt {
  std::string federation;
  identity::v1::Participant provider;
  google::protobuf::Timestamp time;  // of the record
  // What the record says. In a chunk of a stream it speaks of all records of the chunk, but for the battery.
  audit::v1::ReleaseRecord release;
  uint64_t leaf_index = 0;
  std::string origin;                      // of the provider's log
  uint64_t leaves = 0;                     // that the receipt's checkpoint covers
  absl::optional<absl::Time> cosigned_at;  // by the registrar
  bool has_stamp = false;
  std::optional<crypto::TimeStamp> stamp;  // when it could be verified
  bool has_content = false;
  std::vector<ReleasedPart> parts;  // of the content: their author is the provider, its signatures verify
};

// Checks, in this order: the one encoding; the directory key's certificate, for directories alone, by a root
// of `bundle` that counted at the time of the record and at that of the cosignature; its signature over the
// entries; every signature line of the checkpoint; the record's place in the log; that the record is of a
// release or a chunk by this provider; that the content is what it names; and the signatures over the events
// in it. Last, of a time stamp below it: that the stamped checkpoint covers the receipt's, and, when there is
// a verifier, the stamp itself as of its own time. DATA_LOSS, INVALID_ARGUMENT or UNAUTHENTICATED naming the
// first that fails.
absl::StatusOr<CheckedReceipt> CheckReceipt(
    absl::string_view text, const identity::Bundle& bundle,
    const std::optional<crypto::TimeStampVerifier>& stamping = std::nullopt);

}  // namespace tsunagi::cli
