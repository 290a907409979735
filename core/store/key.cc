#include "core/store/key.h"

#include "absl/status/status.h"
#include "core/base/bytes.h"

namespace tsunagi::store {
namespace {

constexpr char kEscape = '\x00';
constexpr char kEscapedZero = '\xff';
constexpr char kEndOfString = '\x01';

}  // namespace

Key& Key::Str(absl::string_view text) {
  bytes_.reserve(bytes_.size() + text.size() + 2);
  for (size_t zero = text.find(kEscape); zero != absl::string_view::npos; zero = text.find(kEscape)) {
    bytes_.append(text.data(), zero + 1);
    bytes_.push_back(kEscapedZero);
    text.remove_prefix(zero + 1);
  }
  bytes_.append(text.data(), text.size());
  bytes_.push_back(kEscape);
  bytes_.push_back(kEndOfString);
  return *this;
}

Key& Key::U64(uint64_t number) {
  AppendU64(bytes_, number);
  return *this;
}

absl::StatusOr<std::string> KeyReader::Str() {
  std::string text;
  for (size_t i = 0; i < rest_.size(); ++i) {
    if (rest_[i] != kEscape) {
      text.push_back(rest_[i]);
      continue;
    }
    if (++i == rest_.size()) break;
    if (rest_[i] == kEndOfString) {
      rest_.remove_prefix(i + 1);
      return text;
    }
    if (rest_[i] != kEscapedZero) return absl::DataLossError("stored key: expected an escaped zero byte");
    text.push_back(kEscape);
  }
  return absl::DataLossError("stored key: expected the end of a string");
}

absl::StatusOr<uint64_t> KeyReader::U64() {
  if (rest_.size() < 8) return absl::DataLossError("stored key: expected 8 bytes of an integer");
  uint64_t number = 0;
  for (int i = 0; i < 8; ++i)
    number = number << 8 | static_cast<unsigned char>(rest_[static_cast<size_t>(i)]);
  rest_.remove_prefix(8);
  return number;
}

}  // namespace tsunagi::store
