// Encodings of bytes as text. Every decoder is strict: one text for one value.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi {

// Lower-case hex.
std::string ToHex(absl::string_view bytes);
// INVALID_ARGUMENT on odd length, upper case or other characters.
absl::StatusOr<std::string> FromHex(absl::string_view hex);

// RFC 4648 base64 with padding.
std::string ToBase64(absl::string_view bytes);
// INVALID_ARGUMENT on missing padding, white space, non-zero trailing bits or the URL alphabet.
absl::StatusOr<std::string> FromBase64(absl::string_view text);

// RFC 4648 base64url without padding.
std::string ToBase64Url(absl::string_view bytes);
// INVALID_ARGUMENT on padding, white space, non-zero trailing bits or the standard alphabet.
absl::StatusOr<std::string> FromBase64Url(absl::string_view text);

// Big-endian fixed-width integers, as in digests and keys.
void AppendU32(std::string& out, uint32_t value);
void AppendU64(std::string& out, uint64_t value);

}  // namespace tsunagi
