// Grants on their way from one process of a node to another.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "connector/grant/grant.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::grant {

// A sealed Grant lives at most this long.
inline constexpr absl::Duration kMaxLife = absl::Seconds(30);

// SHA-256 over the subjects in order, each with its length before it: what GrantClaims.subjects_digest holds.
std::string SubjectsDigest(absl::Span<const common::v1::Subject> subjects);

// Serialised SealedGrant: the claims and their HMAC under the node's seal key.
std::string Seal(const Grant& grant, absl::string_view seal_key);

// Opens sealed Grants for one process, each once. Thread-safe.
class Unsealer {
 public:
  // `own_process` is the target that a Grant must name, e.g. `passport`. `clock` must outlive the unsealer.
  Unsealer(std::string seal_key, std::string own_process, const Clock& clock);

  // PERMISSION_DENIED, without a reason for outsiders, when the bytes are not a canonical SealedGrant, the
  // seal or the target differs, it has expired or expires later than kMaxLife from now, or its nonce was
  // seen. RESOURCE_EXHAUSTED when 1,000,000 unexpired nonces are remembered.
  absl::StatusOr<Grant> Open(absl::string_view bytes);

 private:
  using Nonce = std::array<char, 16>;

  absl::Status AcceptNonce(const std::string& nonce, absl::Time expires, absl::Time now);

  const std::string seal_key_;
  const std::string own_process_;
  const Clock& clock_;
  Mutex mutex_;
  // Nonces by the second in which their Grant has certainly expired.
  std::map<int64_t, absl::flat_hash_set<Nonce>> seen_ ABSL_GUARDED_BY(mutex_);
  size_t seen_count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tsunagi::grant
