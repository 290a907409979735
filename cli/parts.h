// Parts of events, shown to people.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/output.h"
#include "tsunagi/connector/v1/connector_service.pb.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::cli {

// The part as JSON, `{}` when its bytes are no such part.
Json PartJson(passport::v1::PartKind kind, absl::string_view content);
// One line: `soh_percent 87.4, full_cycles 412`. A series is told by its ends.
std::string PartLine(passport::v1::PartKind kind, absl::string_view content);

// An open part of released content.
struct ReleasedPart {
  passport::v1::PartKind kind;
  std::string author;  // DID
  std::string content;
};

// The open parts of a serialised ReleasedContent's event set. INVALID_ARGUMENT when its bytes are none.
absl::StatusOr<std::vector<ReleasedPart>> PartsOf(const connector::v1::ReleasedContent& content);
Json ToJson(const std::vector<ReleasedPart>& parts);

}  // namespace tsunagi::cli
