#include "catalog/link.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "passport/model/identifiers.h"

namespace tsunagi::catalog {
namespace {

constexpr size_t kMaxLink = 2'048;
constexpr absl::string_view kSerialIdentifier = "21";  // GS1 application identifier of a serial number

absl::Status NotALink() {
  return InvalidArgument({"LINK_INVALID", "link", "",
                          "`https://<domain>/…/<serial>` or a GS1 Digital Link with `/21/<serial>`"});
}

absl::StatusOr<std::string> Decoded(absl::string_view segment) {
  std::string text;
  for (size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%') {
      text += segment[i];
      continue;
    }
    const absl::StatusOr<std::string> byte = FromHex(absl::AsciiStrToLower(segment.substr(i + 1, 2)));
    if (!byte.ok() || byte->size() != 1) return NotALink();
    text += *byte;
    i += 2;
  }
  return text;
}

// The segment that holds the serial; empty when there is none.
absl::string_view SerialSegment(absl::string_view path) {
  const std::vector<absl::string_view> segments = absl::StrSplit(path, '/', absl::SkipEmpty());
  const auto identifier = std::find(segments.begin(), segments.end(), kSerialIdentifier);
  if (identifier != segments.end() && identifier + 1 != segments.end()) return *(identifier + 1);
  return segments.empty() ? absl::string_view() : segments.back();
}

}  // namespace

absl::StatusOr<BatteryLink> ParseLink(absl::string_view text) {
  if (text.size() > kMaxLink || !absl::ConsumePrefix(&text, "https://")) return NotALink();
  text = text.substr(0, text.find_first_of("?#"));
  const size_t slash = text.find('/');
  if (slash == absl::string_view::npos) return NotALink();
  const absl::string_view host = text.substr(0, slash);
  BatteryLink link;
  link.domain = absl::AsciiStrToLower(host.substr(0, host.find(':')));
  if (link.domain.empty() || host.find('@') != absl::string_view::npos) return NotALink();
  ASSIGN_OR_RETURN(const std::string serial, Decoded(SerialSegment(text.substr(slash))));
  ASSIGN_OR_RETURN(const auto parsed, passport::BatterySerial::Parse(serial, "link"));
  link.serial = parsed.text();
  return link;
}

}  // namespace tsunagi::catalog
