// How often an act of the registrar was done, and how often and why it was refused: for metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/act.h"

namespace tsunagi::identity {

// Why: few and fixed, since each is a series of a metric. The error itself, which may name a party, stays
// with the caller.
enum class RefusalReason : uint8_t {
  kThrottled,        // too many tries, or too much at once
  kUnauthenticated,  // invitation, certificate or token is wrong, expired or used
  kInvalid,          // the request is malformed or asks for what may not be asked for
  kNotAllowed,       // suspended, left, or not for this process
  kNotFound,
  kConflict,     // something changed meanwhile, or is in another state
  kUnavailable,  // the store failed or the process is closing
  kInternal,
};
inline constexpr size_t kRefusalReasons = 8;

// The value of label `reason`.
absl::string_view NameOf(RefusalReason refusal);
// By the code that an act's contract gives to the reason; `status` is not OK.
RefusalReason ReasonOf(const absl::Status& status);

// Thread-safe; lock-free.
class ActCounts {
 public:
  void Count(const absl::Status& status);

  uint64_t done() const { return done_.load(std::memory_order_relaxed); }
  uint64_t refused(RefusalReason refusal) const {
    return refused_[static_cast<size_t>(refusal)].load(std::memory_order_relaxed);
  }

  // `done` that counts first. The counts must outlive the act.
  template <class Reply>
  audit::Done<Reply> Counted(audit::Done<Reply> done) {
    return [this, done = std::move(done)](absl::StatusOr<Reply> reply) {
      Count(reply.status());
      done(std::move(reply));
    };
  }

 private:
  std::atomic<uint64_t> done_ = 0;
  std::array<std::atomic<uint64_t>, kRefusalReasons> refused_ = {};
};

}  // namespace tsunagi::identity
