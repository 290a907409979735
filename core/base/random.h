// Randomness, injected everywhere: salts, nonces, ids, codes.
#pragma once

#include <cstddef>
#include <string>

namespace tsunagi {

// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  // `size` random bytes. Aborts the process when the system has none.
  virtual std::string Bytes(size_t size) = 0;
};

// The CSPRNG of the operating system (getrandom), buffered per thread.
class SystemRandom final : public Random {
 public:
  std::string Bytes(size_t size) override;
};

// A random UUID (version 4) as text.
std::string NewUuid(Random& random);

// True when `text` is a UUID in lower-case 8-4-4-4-12 form.
bool IsUuid(const std::string& text);

}  // namespace tsunagi
