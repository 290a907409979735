#include "identity/openid/pending.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/crypto/digest.h"

namespace tsunagi::openid {

absl::Status PendingSignIns::Add(absl::string_view handle, PendingSignIn pending) {
  MutexLock lock(mutex_);
  DropExpired();
  MakeRoomFor(pending.certificate_sha256);
  if (entries_.size() >= kMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat(kMax, " sign-ins wait already: try again in some minutes"));
  }
  entries_[crypto::Sha256(handle)] = std::move(pending);
  return absl::OkStatus();
}

absl::StatusOr<PendingSignIn> PendingSignIns::Take(absl::string_view handle,
                                                   absl::string_view certificate_sha256) {
  MutexLock lock(mutex_);
  DropExpired();
  const auto entry = entries_.find(crypto::Sha256(handle));
  if (entry == entries_.end() || entry->second.certificate_sha256 != certificate_sha256) {
    return absl::UnauthenticatedError(
        "no such sign-in waits here: each waits 10 minutes and counts once; begin again");
  }
  PendingSignIn taken = std::move(entry->second);
  entries_.erase(entry);
  return taken;
}

size_t PendingSignIns::size() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

void PendingSignIns::DropExpired() {
  const absl::Time now = clock_.Now();
  absl::erase_if(entries_, [now](const auto& entry) { return now >= entry.second.began + kLife; });
}

void PendingSignIns::MakeRoomFor(absl::string_view certificate_sha256) {
  size_t waiting = 0;
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->second.certificate_sha256 != certificate_sha256) continue;
    ++waiting;
    if (oldest == entries_.end() || entry->second.began < oldest->second.began) oldest = entry;
  }
  if (waiting >= kMaxOfOne) entries_.erase(oldest);
}

}  // namespace tsunagi::openid
