// SHA-256, HMAC-SHA-256 and comparison in constant time.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"

namespace tsunagi::crypto {

// 32 raw bytes. A digest travels in `bytes` fields and keys, so it is a std::string of fixed size.
using Digest = std::string;
inline constexpr size_t kDigestSize = 32;

// SHA-256 over the concatenation of `parts`.
Digest Sha256(std::initializer_list<absl::string_view> parts);
inline Digest Sha256(absl::string_view bytes) { return Sha256({bytes}); }

// HMAC-SHA-256 under `key` over the concatenation of `parts`.
Digest HmacSha256(absl::string_view key, std::initializer_list<absl::string_view> parts);

// True when equal; takes the same time wherever they differ (lengths are not secret).
bool ConstantTimeEquals(absl::string_view a, absl::string_view b);

}  // namespace tsunagi::crypto
