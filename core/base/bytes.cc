#include "core/base/bytes.h"

#include <array>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "core/base/error.h"

namespace tsunagi {
namespace {

constexpr absl::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr absl::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint8_t kNoDigit = 0xFF;

using ReverseTable = std::array<uint8_t, 256>;

constexpr ReverseTable Reverse(absl::string_view alphabet) {
  ReverseTable table{};
  for (uint8_t& entry : table) entry = kNoDigit;
  for (size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<uint8_t>(alphabet[i])] = static_cast<uint8_t>(i);
  }
  return table;
}

constexpr ReverseTable kFromStandard = Reverse(kStandard);
constexpr ReverseTable kFromUrl = Reverse(kUrl);
constexpr ReverseTable kFromHex = Reverse("0123456789abcdef");

// Decodes digits without padding. False on a foreign character, an impossible length or non-zero trailing
// bits.
bool DecodeBase64Digits(absl::string_view digits, const ReverseTable& table, std::string& out) {
  if (digits.size() % 4 == 1) return false;
  out.reserve(digits.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : digits) {
    const uint8_t digit = table[static_cast<uint8_t>(c)];
    if (digit == kNoDigit) return false;
    bits = (bits << 6) | digit;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> count) & 0xFF);
  }
  return (bits & ((1u << count) - 1)) == 0;
}

// Takes the padding off. False unless it is exactly what the length asks for.
bool StripPadding(absl::string_view& text) {
  if (text.size() % 4 != 0) return false;
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  return true;
}

}  // namespace

std::string ToHex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

absl::StatusOr<std::string> FromHex(absl::string_view hex) {
  constexpr absl::string_view kExpected = "lower-case hex digits, two for each byte";
  if (hex.size() % 2 != 0) return InvalidArgument({"HEX_INVALID", "hex", hex, kExpected});
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (size_t i = 0; i < hex.size(); i += 2) {
    const uint8_t high = kFromHex[static_cast<uint8_t>(hex[i])];
    const uint8_t low = kFromHex[static_cast<uint8_t>(hex[i + 1])];
    if (high == kNoDigit || low == kNoDigit) return InvalidArgument({"HEX_INVALID", "hex", hex, kExpected});
    bytes += static_cast<char>((high << 4) | low);
  }
  return bytes;
}

std::string ToBase64(absl::string_view bytes) { return absl::Base64Escape(bytes); }

absl::StatusOr<std::string> FromBase64(absl::string_view text) {
  absl::string_view digits = text;
  std::string bytes;
  if (!StripPadding(digits) || !DecodeBase64Digits(digits, kFromStandard, bytes)) {
    return absl::InvalidArgumentError("expected base64 (RFC 4648 section 4) with padding and nothing else");
  }
  return bytes;
}

std::string ToBase64Url(absl::string_view bytes) { return absl::WebSafeBase64Escape(bytes); }

absl::StatusOr<std::string> FromBase64Url(absl::string_view text) {
  std::string bytes;
  if (!DecodeBase64Digits(text, kFromUrl, bytes)) {
    return absl::InvalidArgumentError(
        "expected base64url (RFC 4648 section 5) without padding and nothing else");
  }
  return bytes;
}

void AppendU32(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xFF);
}

void AppendU64(std::string& out, uint64_t value) {
  AppendU32(out, static_cast<uint32_t>(value >> 32));
  AppendU32(out, static_cast<uint32_t>(value & 0xFFFFFFFF));
}

}  // namespace tsunagi
