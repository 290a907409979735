// Sign-ins that wait for the browser to come back.
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

namespace tsunagi::openid {

struct PendingSignIn {
  std::string certificate_sha256;  // that began
  std::string state;
  std::string nonce;
  std::string verifier;  // of PKCE
  std::string redirect_uri;
  absl::Time began;
};

// In memory: what waits when the process ends is begun again. Thread-safe.
class PendingSignIns {
 public:
  static constexpr absl::Duration kLife = absl::Minutes(10);
  static constexpr size_t kMaxOfOne = 8;
  static constexpr size_t kMax = 256;

  // `clock` must outlive this.
  explicit PendingSignIns(const Clock& clock) : clock_(clock) {}

  // Keeps it under the digest of `handle`. The ninth of a certificate takes the place of its oldest.
  // RESOURCE_EXHAUSTED when 256 wait.
  absl::Status Add(absl::string_view handle, PendingSignIn pending);
  // Once. UNAUTHENTICATED, alike for what never was, was taken, is older than 10 minutes or began with
  // another certificate, where it goes on waiting.
  absl::StatusOr<PendingSignIn> Take(absl::string_view handle, absl::string_view certificate_sha256);
  size_t size() const;

 private:
  using Entries = absl::flat_hash_map<std::string, PendingSignIn>;
  void DropExpired() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoomFor(absl::string_view certificate_sha256) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  mutable Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);  // by SHA-256 of the handle
};

}  // namespace tsunagi::openid
