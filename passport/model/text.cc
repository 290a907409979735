#include "passport/model/text.h"

#include <utf8proc.h>

#include "core/base/status_macros.h"

namespace tsunagi::passport {
namespace {

constexpr auto kFormKc = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);

constexpr auto kFoldedKc = static_cast<utf8proc_option_t>(kFormKc | UTF8PROC_CASEFOLD);

absl::StatusOr<std::vector<int32_t>> Normalize(absl::string_view text, utf8proc_option_t form) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  // One code point decomposes into at most 18 others.
  std::vector<int32_t> buffer(text.size() * 18 + 1);
  utf8proc_ssize_t count =
      utf8proc_decompose(bytes, size, buffer.data(), static_cast<utf8proc_ssize_t>(buffer.size()), form);
  if (count < 0) return absl::InvalidArgumentError("not UTF-8");
  count = utf8proc_normalize_utf32(buffer.data(), count, form);
  buffer.resize(static_cast<size_t>(count));
  return buffer;
}

}  // namespace

absl::StatusOr<std::vector<int32_t>> NormalizeKc(absl::string_view text) { return Normalize(text, kFormKc); }

absl::StatusOr<std::string> FoldForSearch(absl::string_view text) {
  ASSIGN_OR_RETURN(const std::vector<int32_t> folded, Normalize(text, kFoldedKc));
  return ToUtf8(folded);
}

std::string ToUtf8(const std::vector<int32_t>& code_points) {
  std::string out;
  for (const int32_t code_point : code_points) {
    utf8proc_uint8_t bytes[4];
    const utf8proc_ssize_t size = utf8proc_encode_char(code_point, bytes);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  }
  return out;
}

}  // namespace tsunagi::passport
