// Status lists of others: what is read is what a second reading of its encoding gives.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "identity/bitstring.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tsunagi::identity::Bitstring;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)Bitstring::Decode(bytes);
  const auto bits = Bitstring::Decode(absl::StrCat("u", tsunagi::ToBase64Url(bytes)));
  if (!bits.ok()) return 0;
  const auto again = Bitstring::Decode(bits->Encode());
  if (!again.ok() || again->size() != bits->size()) __builtin_trap();
  for (size_t i = 0; i < bits->size(); ++i) {
    if (bits->IsSet(i) != again->IsSet(i)) __builtin_trap();
  }
  return 0;
}
