#include "passport/model/text.h"

#include <utf8proc.h>

namespace tsunagi::passport {
namespace {

constexpr auto kFormKc = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);

}  // namespace

absl::StatusOr<std::vector<int32_t>> NormalizeKc(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  // One code point decomposes into at most 18 others.
  std::vector<int32_t> buffer(text.size() * 18 + 1);
  utf8proc_ssize_t count =
      utf8proc_decompose(bytes, size, buffer.data(), static_cast<utf8proc_ssize_t>(buffer.size()), kFormKc);
  if (count < 0) return absl::InvalidArgumentError("not UTF-8");
  count = utf8proc_normalize_utf32(buffer.data(), count, kFormKc);
  buffer.resize(static_cast<size_t>(count));
  return buffer;
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
