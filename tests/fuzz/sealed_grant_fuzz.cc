// A sealed Grant under a key that the input does not know: never opened.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "connector/grant/seal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const tsunagi::SystemClock clock;
  static auto& unsealer = *new tsunagi::grant::Unsealer("seal key of the fuzz target", "passport", clock);
  if (unsealer.Open({reinterpret_cast<const char*>(data), size}).ok()) std::abort();
  return 0;
}
