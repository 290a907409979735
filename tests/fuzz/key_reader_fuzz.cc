// Stored keys: what can be read as a string is what would be built from it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/store/key.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  tsunagi::store::KeyReader reader(bytes);
  std::string built;
  while (!reader.done()) {
    const auto text = reader.Str();
    if (!text.ok()) return 0;
    built += tsunagi::store::Key(*text).bytes();
  }
  if (built != bytes) std::abort();
  return 0;
}
