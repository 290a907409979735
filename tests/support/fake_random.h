// Randomness that repeats from run to run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "core/base/mutex.h"
#include "core/base/random.h"

namespace tsunagi::testing {

// Thread-safe. The same seed gives the same values; values of 8 bytes or more do not repeat in practice.
class FakeRandom final : public Random {
 public:
  explicit FakeRandom(uint64_t seed = 1) : engine_(seed) {}
  std::string Bytes(size_t size) override {
    MutexLock lock(mutex_);
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(engine_() >> 56);
    return bytes;
  }

 private:
  Mutex mutex_;
  std::mt19937_64 engine_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::testing
