#include "core/audit/epoch.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/error.h"

namespace tsunagi::audit {

std::string EpochOrigin(absl::string_view log, uint64_t epoch) {
  return epoch <= 1 ? std::string(log) : absl::StrCat(log, "/", epoch);
}

absl::StatusOr<LogEpoch> ParseEpochOrigin(absl::string_view origin) {
  const std::vector<std::string> parts = absl::StrSplit(origin, '/');
  LogEpoch read;
  const bool well_formed =
      (parts.size() == 2 || parts.size() == 3) && !parts[0].empty() && !parts[1].empty() &&
      (parts.size() == 2 || (absl::SimpleAtoi(parts[2], &read.epoch) && read.epoch >= 2));
  if (well_formed) {
    read.log = absl::StrCat(parts[0], "/", parts[1]);
    // Numbers have one form: no sign, space or leading zero.
    if (EpochOrigin(read.log, read.epoch) == origin) return read;
  }
  return InvalidArgument(
      {"ORIGIN_WRONG", "origin", origin, "<label>.<federation>/<process>, and /<epoch> from the second on"});
}

absl::string_view ClaimedOrigin(absl::string_view note) { return note.substr(0, note.find('\n')); }

}  // namespace tsunagi::audit
