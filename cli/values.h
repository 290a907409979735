// Instants and counts as people write them; numbers and days are in passport/model/values.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/timestamp.pb.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::cli {

// RFC 3339 with seconds and an offset: `2026-04-01T09:30:00+09:00`. Years 1990 to 2100.
std::optional<google::protobuf::Timestamp> ParseInstant(absl::string_view text);
// In UTC; empty when the instant is none.
std::string FormatInstant(const google::protobuf::Timestamp& instant);

// Start of the day, or of the month, in Japan.
google::protobuf::Timestamp StartOf(const common::v1::CivilDate& date);
google::protobuf::Timestamp StartOf(const common::v1::YearMonth& month);

// 0 to 10^15, digits only.
std::optional<uint64_t> ParseCount(absl::string_view text);

// The number as given; empty when others sent one that is out of bounds.
std::string FormatDecimal(const common::v1::Decimal& decimal);

}  // namespace tsunagi::cli
