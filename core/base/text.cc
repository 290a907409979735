#include "core/base/text.h"

#include <cstdint>

#include "absl/strings/str_format.h"

namespace tsunagi {
namespace {

bool IsContinuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

// Length that the lead byte announces, with its payload bits; 0 for bytes that lead nothing.
Utf8Char Lead(uint8_t byte) {
  if (byte < 0x80) return {byte, 1};
  if ((byte & 0xE0) == 0xC0) return {static_cast<char32_t>(byte & 0x1F), 2};
  if ((byte & 0xF0) == 0xE0) return {static_cast<char32_t>(byte & 0x0F), 3};
  if ((byte & 0xF8) == 0xF0) return {static_cast<char32_t>(byte & 0x07), 4};
  return {};
}

bool IsShortestScalar(const Utf8Char& decoded) {
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const char32_t c = decoded.code_point;
  return c >= kSmallest[decoded.length] && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
}

}  // namespace

Utf8Char DecodeUtf8(absl::string_view text) {
  if (text.empty()) return {};
  Utf8Char decoded = Lead(static_cast<uint8_t>(text[0]));
  if (decoded.length == 0 || decoded.length > text.size()) return {};
  for (size_t i = 1; i < decoded.length; ++i) {
    if (!IsContinuation(text[i])) return {};
    decoded.code_point = (decoded.code_point << 6) | (static_cast<uint8_t>(text[i]) & 0x3F);
  }
  return IsShortestScalar(decoded) ? decoded : Utf8Char{};
}

bool IsValidUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = DecodeUtf8(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void AppendUtf8(std::string& out, char32_t c) {
  const auto continuation = [c](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += {static_cast<char>(0xC0 | (c >> 6)), continuation(0)};
  } else if (c < 0x10000) {
    out += {static_cast<char>(0xE0 | (c >> 12)), continuation(6), continuation(0)};
  } else {
    out += {static_cast<char>(0xF0 | (c >> 18)), continuation(12), continuation(6), continuation(0)};
  }
}

bool IsControl(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFB);
}

bool IsOneLine(absl::string_view text) {
  while (!text.empty()) {
    const Utf8Char next = DecodeUtf8(text);
    if (next.length == 0 || IsControl(next.code_point)) return false;
    text.remove_prefix(next.length);
  }
  return true;
}

std::string Printable(absl::string_view text, size_t max_bytes) {
  std::string out;
  size_t used = 0;
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    const size_t length = c.length == 0 ? 1 : c.length;
    if (used + length > max_bytes) break;
    if (c.length == 0) {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<uint8_t>(text[0]));
    } else if (IsControl(c.code_point)) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<uint32_t>(c.code_point));
    } else {
      out.append(text.data(), length);
    }
    used += length;
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace tsunagi
