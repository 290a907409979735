// Receipts: what opens has exactly one text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/audit/receipt.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto receipt = tsunagi::audit::OpenReceipt(text);
  if (receipt.ok() && tsunagi::audit::ArmorReceipt(*receipt) != text) std::abort();
  return 0;
}
