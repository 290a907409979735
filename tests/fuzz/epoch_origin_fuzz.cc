// The origin that a checkpoint from another process claims.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/audit/epoch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const absl::string_view claimed = tsunagi::audit::ClaimedOrigin(bytes);
  const auto read = tsunagi::audit::ParseEpochOrigin(claimed);
  // One form for each epoch: two origins never mean the same log.
  if (read.ok() && tsunagi::audit::EpochOrigin(read->log, read->epoch) != claimed) __builtin_trap();
  if (read.ok() && read->epoch == 0) __builtin_trap();
  return 0;
}
