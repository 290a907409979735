// Order-preserving tuple keys: comparing the bytes compares the tuples.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::store {

// Builds a key from strings (0x00 escaped as 0x00 0xFF, terminated by 0x00 0x01) and big-endian integers. A
// prefix of a tuple is a prefix of its key, and no tuple's key is a prefix of another string's.
class Key {
 public:
  // `kind` names what the key is for, e.g. "event".
  explicit Key(absl::string_view kind) { Str(kind); }
  Key& Str(absl::string_view text);
  Key& U64(uint64_t number);
  const std::string& bytes() const { return bytes_; }
  operator const std::string&() const { return bytes_; }  // NOLINT: keys are used as strings everywhere

 private:
  std::string bytes_;
};

// Takes a key apart, in the order in which it was built. DATA_LOSS when it does not fit.
class KeyReader {
 public:
  explicit KeyReader(absl::string_view bytes) : rest_(bytes) {}
  absl::StatusOr<std::string> Str();
  absl::StatusOr<uint64_t> U64();
  bool done() const { return rest_.empty(); }

 private:
  absl::string_view rest_;
};

}  // namespace tsunagi::store
