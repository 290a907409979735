#include "identity/people/lockout.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace tsunagi::people {
namespace {

constexpr absl::Duration kFirst = absl::Seconds(1);
constexpr absl::Duration kLongest = absl::Minutes(15);
constexpr uint32_t kMaxDoublings = 10;  // 1,024 s: beyond the longest

}  // namespace

absl::Duration DelayAfter(uint32_t tries) {
  const uint32_t doublings = std::min(tries - 1, kMaxDoublings);
  return std::min(kFirst * (int64_t{1} << doublings), kLongest);
}

absl::Status CheckLocked(absl::Time locked_until, absl::Time now) {
  if (now >= locked_until) return absl::OkStatus();
  const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(locked_until - now, absl::Seconds(1)));
  return absl::ResourceExhaustedError(
      absl::StrCat("too many tries to sign in: try again in ", seconds, " s"));
}

absl::Status Lockout::Begin(absl::string_view key) {
  MutexLock lock(mutex_);
  const auto known = tries_.find(key);
  if (known == tries_.end() && tries_.size() >= kMaxKeys) {
    tries_.erase(std::min_element(tries_.begin(), tries_.end(), [](const auto& a, const auto& b) {
      return a.second.locked_until < b.second.locked_until;
    }));
  }
  Tries& tries = tries_[key];
  if (tries.count > 0) {
    if (absl::Status status = CheckLocked(tries.locked_until, clock_.Now()); !status.ok()) return status;
  }
  ++tries.count;
  tries.locked_until = clock_.Now() + DelayAfter(tries.count);
  return absl::OkStatus();
}

void Lockout::Succeeded(absl::string_view key) {
  MutexLock lock(mutex_);
  tries_.erase(key);
}

size_t Lockout::size() const {
  MutexLock lock(mutex_);
  return tries_.size();
}

}  // namespace tsunagi::people
