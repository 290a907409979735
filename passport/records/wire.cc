#include "passport/records/wire.h"

namespace tsunagi::passport {
namespace {

void AppendVarint(std::string& out, uint64_t value) {
  char bytes[10];
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(value | 0x80);
  bytes[size++] = static_cast<char>(value);
  out.append(bytes, size);
}

}  // namespace

void AppendBytesField(std::string& out, uint32_t number, absl::string_view bytes) {
  AppendVarint(out, number << 3 | 2);
  AppendVarint(out, bytes.size());
  out.append(bytes.data(), bytes.size());
}

void AppendVarintField(std::string& out, uint32_t number, uint64_t value) {
  if (value == 0) return;
  AppendVarint(out, number << 3);
  AppendVarint(out, value);
}

bool FieldReader::Next() {
  if (rest_.empty()) return false;
  uint64_t tag = 0;
  if (!ReadVarint(tag) || tag > UINT32_MAX) return Fail();
  number_ = static_cast<uint32_t>(tag >> 3);
  varint_ = 0;
  bytes_ = {};
  const uint64_t wire_type = tag & 7;
  if (wire_type != 0 && wire_type != 2) return Fail();
  uint64_t value = 0;
  if (!ReadVarint(value)) return Fail();
  if (wire_type == 0) {
    varint_ = value;
    return true;
  }
  if (value > rest_.size()) return Fail();
  bytes_ = rest_.substr(0, value);
  rest_.remove_prefix(value);
  return true;
}

bool FieldReader::ReadVarint(uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool FieldReader::Fail() {
  ok_ = false;
  return false;
}

}  // namespace tsunagi::passport
