// A decimal number: what is read prints as it was given and equals itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "passport/model/values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto decimal = tsunagi::passport::ParseDecimal(text, "field");
  if (!decimal.ok()) return 0;
  if (tsunagi::passport::PrintDecimal(*decimal) != text) std::abort();
  if (!tsunagi::passport::CheckDecimal(*decimal, "field").ok()) std::abort();
  if (tsunagi::passport::CompareDecimals(*decimal, *decimal) != 0) std::abort();
  return 0;
}
