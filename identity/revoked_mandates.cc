#include "identity/revoked_mandates.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace tsunagi::identity {
namespace {

// A million ids.
constexpr size_t kMaxFile = 40 << 20;

}  // namespace

absl::Status RevokedMandates::Add(const std::string& id) {
  if (Contains(id)) return absl::OkStatus();
  struct stat file {};
  if (::stat(path_.c_str(), &file) != 0) {
    const absl::Status made = WriteNewFile(path_, "", 0600);
    // Another process may have been faster.
    if (!made.ok() && ::stat(path_.c_str(), &file) != 0) return made;
  }
  return AppendToFile(path_, absl::StrCat("\n", id, "\n"));
}

bool RevokedMandates::Contains(absl::string_view id) const {
  MutexLock lock(mutex_);
  const absl::Status status = Refresh();
  if (status.ok()) return ids_.contains(id);
  log::Error("revoked mandates cannot be read: everyone who acts under a mandate is refused",
             {{"reason", std::string(status.message())}});
  return true;
}

absl::Status RevokedMandates::Refresh() const {
  struct stat file {};
  if (::stat(path_.c_str(), &file) != 0) {
    // Nothing was revoked yet. A list that was there and is gone is no such case.
    if (errno == ENOENT && read_ == State()) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat("`", path_, "`: ", std::strerror(errno)));
  }
  const State now{file.st_size, file.st_mtim.tv_sec * 1'000'000'000 + file.st_mtim.tv_nsec};
  if (now == read_) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string content, ReadFile(path_, kMaxFile));
  for (const absl::string_view id : absl::StrSplit(content, '\n', absl::SkipEmpty())) ids_.emplace(id);
  // Of before the reading: what was added meanwhile is read the next time.
  read_ = now;
  return absl::OkStatus();
}

}  // namespace tsunagi::identity
