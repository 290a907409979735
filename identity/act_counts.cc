#include "identity/act_counts.h"

namespace tsunagi::identity {

absl::string_view NameOf(RefusalReason refusal) {
  switch (refusal) {
    case RefusalReason::kThrottled:
      return "throttled";
    case RefusalReason::kUnauthenticated:
      return "unauthenticated";
    case RefusalReason::kInvalid:
      return "invalid";
    case RefusalReason::kNotAllowed:
      return "not_allowed";
    case RefusalReason::kNotFound:
      return "not_found";
    case RefusalReason::kConflict:
      return "conflict";
    case RefusalReason::kUnavailable:
      return "unavailable";
    case RefusalReason::kInternal:
      return "internal";
  }
  return "internal";
}

RefusalReason ReasonOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
      return RefusalReason::kThrottled;
    case absl::StatusCode::kUnauthenticated:
      return RefusalReason::kUnauthenticated;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return RefusalReason::kInvalid;
    case absl::StatusCode::kPermissionDenied:
      return RefusalReason::kNotAllowed;
    case absl::StatusCode::kNotFound:
      return RefusalReason::kNotFound;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return RefusalReason::kConflict;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return RefusalReason::kUnavailable;
    default:
      return RefusalReason::kInternal;
  }
}

void ActCounts::Count(const absl::Status& status) {
  std::atomic<uint64_t>& count = status.ok() ? done_ : refused_[static_cast<size_t>(ReasonOf(status))];
  count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace tsunagi::identity
