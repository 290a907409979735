// Passwords as argon2id hashes (RFC 9106, by libsodium).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/random.h"

namespace tsunagi::crypto {

// Cost of one hash. It is written into the hash, so it can be raised later.
struct PasswordCost {
  uint64_t passes = 2;
  size_t memory_bytes = size_t{64} << 20;
};
// The least that libsodium takes: for tests.
inline constexpr PasswordCost kLeastPasswordCost = {1, 8192};

// Takes tens of milliseconds and the memory of its cost: never on a handler's thread, and few at once.
// Thread-safe.
class PasswordHasher {
 public:
  explicit PasswordHasher(PasswordCost cost = {});

  // The hash with its parameters and a random salt, as text. RESOURCE_EXHAUSTED when there is no memory.
  absl::StatusOr<std::string> Hash(absl::string_view password) const;
  // The hash of no known password: takes as long to verify as one of this cost.
  std::string Decoy(Random& random) const;
  // Whether `hash` is of this password. False for what is no hash.
  static bool Verify(absl::string_view password, const std::string& hash);
  // Whether `hash` was made at another cost.
  bool IsOutdated(const std::string& hash) const;

 private:
  const PasswordCost cost_;
};

}  // namespace tsunagi::crypto
