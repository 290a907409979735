// Parts as messages, and the checks that a part must pass before it is written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::passport {

// A part of at most this size.
inline constexpr size_t kMaxPartBytes = 1 << 20;
inline constexpr int kMaxSeriesPoints = 4096;
inline constexpr int kMaxComponents = 4096;

// The message that the kind names. INVALID_ARGUMENT when the bytes are no such message, are larger than
// kMaxPartBytes, or have unknown fields (such a part is withheld whole). Never tells the content.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> DecodePart(v1::PartKind kind,
                                                                      absl::string_view content);

// What a part is checked against.
struct PartContext {
  const v1::EventHeader& header;  // type, subject and occurred_at are set
  // Nothing may lie later: the clock and a day's tolerance, since an instant may be given as a day.
  absl::Time latest;
  std::vector<std::string>& warnings;
};

// Checks every field: bounds, dates, identifiers, units of plausible size. INVALID_ARGUMENT naming the field
// (`materials.lithium_kg`), the value and what was expected; vehicle identifiers and names are not told.
absl::Status CheckPart(v1::PartKind kind, absl::string_view content, const PartContext& context);

}  // namespace tsunagi::passport
