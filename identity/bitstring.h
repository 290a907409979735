// Bitstrings of status lists (W3C Bitstring Status List 1.0): GZIP, base64url, multibase prefix `u`.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::identity {

// A list of bits; bit 0 is the leftmost one of the first byte.
class Bitstring {
 public:
  // The shortest list that the specification allows: nobody is told apart by it.
  static constexpr size_t kMinBits = 131072;
  // The longest one that is read: 512 KiB once unpacked.
  static constexpr size_t kMaxBits = size_t{1} << 22;

  // `bits` bits, none set: a multiple of 8, kMinBits to kMaxBits.
  explicit Bitstring(size_t bits = kMinBits) : bytes_(bits / 8, '\0') {}

  // Reads an `encodedList`. INVALID_ARGUMENT when it is not the encoding of one whole GZIP member, or of
  // fewer than kMinBits or more than kMaxBits bits: not more than that is ever unpacked.
  static absl::StatusOr<Bitstring> Decode(absl::string_view encoded_list);
  std::string Encode() const;

  size_t size() const { return bytes_.size() * 8; }
  // `index` must be below size().
  void Set(size_t index);
  // False beyond the end.
  bool IsSet(size_t index) const;

 private:
  explicit Bitstring(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

}  // namespace tsunagi::identity
