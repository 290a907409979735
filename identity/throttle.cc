#include "identity/throttle.h"

namespace tsunagi::identity {

absl::Status Throttle::Check(absl::string_view peer) {
  MutexLock lock(mutex_);
  ForgetOld();
  const auto found = peers_.find(peer);
  const bool too_often = found != peers_.end() && found->second.count >= kMaxFailures;
  const bool too_many = found == peers_.end() && peers_.size() >= kMaxPeers;
  if (!too_often && !too_many) return absl::OkStatus();
  return absl::ResourceExhaustedError("too many wrong invitation codes: try again in a minute");
}

void Throttle::Failed(absl::string_view peer) {
  MutexLock lock(mutex_);
  if (!peers_.contains(peer) && peers_.size() >= kMaxPeers) return;
  Failures& failures = peers_[peer];
  if (failures.count == 0) failures.since = clock_.Now();
  ++failures.count;
}

void Throttle::ForgetOld() {
  const absl::Time start = clock_.Now() - kWindow;
  absl::erase_if(peers_, [&](const auto& entry) { return entry.second.since < start; });
}

}  // namespace tsunagi::identity
