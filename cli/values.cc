#include "cli/values.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "core/base/proto.h"
#include "passport/model/values.h"

namespace tsunagi::cli {
namespace {

google::protobuf::Timestamp StartInJapan(absl::CivilDay day) {
  return ToProto(absl::FromCivil(day, absl::FixedTimeZone(9 * 60 * 60)));
}

}  // namespace

std::optional<google::protobuf::Timestamp> ParseInstant(absl::string_view text) {
  constexpr absl::string_view kShape = "0000-00-00T00:00:00";
  absl::Time time;
  if (text.size() <= kShape.size() || text.size() > 35 || text[10] != 'T' || text[16] != ':' ||
      !absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) {
    return std::nullopt;
  }
  const int64_t year = absl::ToCivilYear(time, absl::UTCTimeZone()).year();
  if (year < 1990 || year > 2100) return std::nullopt;
  return ToProto(time);
}

std::string FormatInstant(const google::protobuf::Timestamp& instant) {
  const auto time = FromProto(instant);
  return time.ok() ? absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", *time, absl::UTCTimeZone()) : "";
}

google::protobuf::Timestamp StartOf(const common::v1::CivilDate& date) {
  return StartInJapan(absl::CivilDay(date.year(), date.month(), date.day()));
}

google::protobuf::Timestamp StartOf(const common::v1::YearMonth& month) {
  return StartInJapan(absl::CivilDay(month.year(), month.month(), 1));
}

std::optional<uint64_t> ParseCount(absl::string_view text) {
  uint64_t count = 0;
  const bool digits =
      !text.empty() && text.size() <= 15 && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (!digits || !absl::SimpleAtoi(text, &count)) return std::nullopt;
  return count;
}

std::string FormatDecimal(const common::v1::Decimal& decimal) {
  return passport::CheckDecimal(decimal, "number").ok() ? passport::PrintDecimal(decimal) : "";
}

}  // namespace tsunagi::cli
