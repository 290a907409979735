// Protobuf's wire format, only as far as stored bytes are taken apart and put together without parsing.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace tsunagi::passport {

// Appends field `number` with these bytes (wire type 2).
void AppendBytesField(std::string& out, uint32_t number, absl::string_view bytes);
// Appends field `number` as a varint (wire type 0); nothing for 0, as proto3 does.
void AppendVarintField(std::string& out, uint32_t number, uint64_t value);

// Goes through the fields of a message. Never reads outside the bytes.
class FieldReader {
 public:
  explicit FieldReader(absl::string_view message) : rest_(message) {}

  // Moves to the next field; false at the end or at bytes that are no field of wire type 0 or 2 (see ok()).
  bool Next();
  // False when Next() stopped before the end.
  bool ok() const { return ok_; }

  uint32_t number() const { return number_; }
  uint64_t varint() const { return varint_; }         // of a field of wire type 0
  absl::string_view bytes() const { return bytes_; }  // of a field of wire type 2; empty otherwise

 private:
  bool ReadVarint(uint64_t& value);
  bool Fail();

  absl::string_view rest_;
  bool ok_ = true;
  uint32_t number_ = 0;
  uint64_t varint_ = 0;
  absl::string_view bytes_;
};

}  // namespace tsunagi::passport
