// The wire reader of the release path: stays inside its bytes, and what it reads can be written again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "passport/records/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi::passport;  // NOLINT: short target
  const absl::string_view message(reinterpret_cast<const char*>(data), size);
  FieldReader fields(message);
  while (fields.Next()) {
    if (fields.bytes().empty()) continue;
    const bool inside = fields.bytes().data() >= message.data() &&
                        fields.bytes().data() + fields.bytes().size() <= message.data() + message.size();
    if (!inside) std::abort();
    std::string again;
    AppendBytesField(again, fields.number(), fields.bytes());
  }
  return 0;
}
