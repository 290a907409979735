#include "core/store/measured_store.h"

#include <chrono>

#include "core/base/status_macros.h"

namespace tsunagi::store {

absl::Status MeasuredStore::Apply(const std::vector<Write>& writes) {
  const auto start = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(store_->Apply(writes));
  const auto took = std::chrono::steady_clock::now() - start;
  rows_.Observe(writes.size());
  nanoseconds_.Observe(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()));
  return absl::OkStatus();
}

}  // namespace tsunagi::store
