#include "services/rpc/call_counts.h"

#include <algorithm>

namespace tsunagi::rpc {
namespace {

constexpr uint64_t kCallBounds[] = {100'000,     250'000,     500'000,       1'000'000,     2'500'000,
                                    5'000'000,   10'000'000,  25'000'000,    50'000'000,    100'000'000,
                                    250'000'000, 500'000'000, 1'000'000'000, 5'000'000'000, 30'000'000'000};

size_t CodeIndex(int code) { return std::min(static_cast<size_t>(code), CallCounts::kCodes - 1); }

}  // namespace

absl::string_view NameOf(Denial denial) {
  switch (denial) {
    case Denial::kUnknownMethod:
      return "unknown_method";
    case Denial::kCertificate:
      return "certificate";
    case Denial::kStatusListAge:
      return "status_list_age";
    case Denial::kNotListed:
      return "not_listed";
    case Denial::kToken:
      return "token";
    case Denial::kSuspended:
      return "suspended";
    case Denial::kSession:
      return "session";
    case Denial::kNotAllowed:
      return "not_allowed";
  }
  return "not_allowed";
}

CallCounts::Method::Method() : nanoseconds(kCallBounds) {}

CallCounts::CallCounts(const std::vector<std::string>& methods) {
  for (const std::string& method : methods) methods_.emplace(method, std::make_unique<Method>());
}

CallCounts::Method* CallCounts::Find(absl::string_view method) const {
  const auto found = methods_.find(method);
  return found == methods_.end() ? nullptr : found->second.get();
}

void CallCounts::CountRefused(absl::string_view method, const absl::Status& status) const {
  Method* const counts = Find(method);
  if (counts == nullptr) return;
  counts->codes[CodeIndex(static_cast<int>(status.code()))].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace tsunagi::rpc
