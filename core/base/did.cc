#include "core/base/did.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/error.h"

namespace tsunagi {
namespace {

constexpr size_t kMaxDidBytes = 255;
constexpr size_t kMaxHostBytes = 253;
constexpr size_t kMaxLabelBytes = 40;

bool IsLowerAlnum(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }

bool IsDnsLabel(absl::string_view text, size_t max_bytes) {
  if (text.empty() || text.size() > max_bytes || text.front() == '-' || text.back() == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return IsLowerAlnum(c) || c == '-'; });
}

// A DNS name. An IP address is none: its last label has digits only.
bool IsHost(absl::string_view host) {
  if (host.size() > kMaxHostBytes) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(host, '.');
  return std::all_of(labels.begin(), labels.end(),
                     [](absl::string_view label) { return IsDnsLabel(label, 63); }) &&
         !std::all_of(labels.back().begin(), labels.back().end(),
                      [](char c) { return absl::ascii_isdigit(c); });
}

bool IsPathSegment(absl::string_view segment) {
  if (segment.empty() || segment == "." || segment == "..") return false;
  return std::all_of(segment.begin(), segment.end(),
                     [](char c) { return IsLowerAlnum(c) || c == '.' || c == '-' || c == '_'; });
}

bool IsDid(absl::string_view text) {
  if (text.size() > kMaxDidBytes || !absl::ConsumePrefix(&text, "did:web:")) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  return IsHost(parts.front()) && std::all_of(parts.begin() + 1, parts.end(), IsPathSegment);
}

}  // namespace

absl::StatusOr<Did> Did::Parse(absl::string_view text) {
  if (IsDid(text)) return Did(std::string(text));
  return InvalidArgument({"DID_INVALID", "did", text,
                          "did:web:<host>[:<segment>…] of at most 255 lower-case characters without port or "
                          "percent-encoding, such as did:web:registrar.example:participants:cell-maker"});
}

absl::StatusOr<Label> Label::Parse(absl::string_view text) {
  if (!IsDnsLabel(text, kMaxLabelBytes)) {
    return InvalidArgument({"LABEL_INVALID", "label", text,
                            "1 to 40 characters of [a-z0-9-], no hyphen at an end, such as cell-maker"});
  }
  return Label(std::string(text));
}

}  // namespace tsunagi
