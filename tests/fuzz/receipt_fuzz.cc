// Receipts, and the stamps below them: what opens has exactly one text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "core/audit/receipt.h"
#include "core/audit/stamp.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace audit = tsunagi::audit;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto receipt = audit::OpenReceipt(text);
  if (receipt.ok() && audit::ArmorReceipt(*receipt) != text) std::abort();
  const audit::ReceiptFile file = audit::SplitReceiptFile(text);
  if (absl::StrCat(file.receipt, file.stamp) != text) std::abort();
  const auto stamp = audit::OpenStamp(file.stamp);
  if (stamp.ok() && audit::ArmorStamp(*stamp) != file.stamp) std::abort();
  return 0;
}
