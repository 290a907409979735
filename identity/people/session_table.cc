#include "identity/people/session_table.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"

namespace tsunagi::people {
namespace {

constexpr size_t kMaxFile = 16 << 20;

absl::Status SignInFirst(absl::string_view what) {
  return absl::UnauthenticatedError(absl::StrCat(what, ": sign in with `tsunagi sign-in`"));
}

}  // namespace

internal::v1::StoredSession ToStored(const Session& session) {
  internal::v1::StoredSession stored;
  stored.set_digest(session.digest);
  stored.set_account(session.account);
  stored.set_role(session.role);
  stored.set_certificate_sha256(session.certificate_sha256);
  *stored.mutable_create_time() = ToProto(session.opened);
  *stored.mutable_expire_time() = ToProto(session.expires);
  *stored.mutable_use_time() = ToProto(session.used);
  return stored;
}

absl::StatusOr<Session> FromStored(const internal::v1::StoredSession& stored) {
  Session session;
  session.digest = stored.digest();
  session.account = stored.account();
  session.role = stored.role();
  session.certificate_sha256 = stored.certificate_sha256();
  ASSIGN_OR_RETURN(session.opened, FromProto(stored.create_time()));
  ASSIGN_OR_RETURN(session.expires, FromProto(stored.expire_time()));
  ASSIGN_OR_RETURN(session.used, FromProto(stored.use_time()));
  session.saved = session.used;
  return session;
}

absl::StatusOr<Session> SessionTable::Use(absl::string_view token, absl::string_view certificate_sha256) {
  RETURN_IF_ERROR(Follow());
  const absl::StatusOr<std::string> bytes = FromBase64Url(token);
  if (!bytes.ok()) return absl::UnauthenticatedError("the session token is none");
  std::function<void()> notify;
  Session found;
  {
    MutexLock lock(mutex_);
    const auto entry = sessions_.find(crypto::Sha256(*bytes));
    const absl::Time now = clock_.Now();
    if (entry == sessions_.end()) return SignInFirst("no such session, or it has ended");
    Session& session = entry->second;
    if (now >= session.expires) return SignInFirst("the session is over after 12 hours");
    if (now >= session.used + kSessionIdle) return SignInFirst("the session was idle for an hour");
    if (session.certificate_sha256 != certificate_sha256) {
      return SignInFirst("the session was opened with another certificate");
    }
    session.used = std::max(session.used, now);
    if (session.used >= session.saved + kSaveEvery) notify = notify_;
    found = session;
  }
  if (notify) notify();
  return found;
}

absl::Status SessionTable::CheckRole(absl::string_view digest, Role needed) {
  RETURN_IF_ERROR(Follow());
  MutexLock lock(mutex_);
  if (!required_) return absl::OkStatus();
  const auto session = sessions_.find(digest);
  if (session == sessions_.end()) {
    return SignInFirst("accounts are in use here, and the call carries no session");
  }
  if (Covers(session->second.role, needed)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("account `", session->second.account, "` has role `",
                                                  RoleWord(session->second.role), "`: expected `",
                                                  RoleWord(needed), "`"));
}

void SessionTable::SetRequired() {
  MutexLock lock(mutex_);
  required_ = true;
}

bool SessionTable::required() const {
  MutexLock lock(mutex_);
  return required_;
}

void SessionTable::Put(Session session) {
  MutexLock lock(mutex_);
  std::string digest = session.digest;
  sessions_.insert_or_assign(std::move(digest), std::move(session));
}

void SessionTable::Remove(absl::string_view digest) {
  MutexLock lock(mutex_);
  sessions_.erase(digest);
}

void SessionTable::RemoveAllOf(absl::string_view account) {
  MutexLock lock(mutex_);
  absl::erase_if(sessions_, [&](const auto& entry) { return entry.second.account == account; });
}

std::vector<Session> SessionTable::TakeUnsaved() {
  MutexLock lock(mutex_);
  std::vector<Session> unsaved;
  for (auto& [digest, session] : sessions_) {
    if (session.used == session.saved) continue;
    session.saved = session.used;
    unsaved.push_back(session);
  }
  return unsaved;
}

internal::v1::SessionFile SessionTable::Show() const {
  MutexLock lock(mutex_);
  internal::v1::SessionFile file;
  file.set_required(required_);
  for (const auto& [digest, session] : sessions_) {
    if (clock_.Now() < session.expires) *file.add_sessions() = ToStored(session);
  }
  return file;
}

void SessionTable::OnUnsaved(std::function<void()> notify) {
  MutexLock lock(mutex_);
  notify_ = std::move(notify);
}

absl::Status SessionTable::Follow() {
  if (followed_.empty()) return absl::OkStatus();
  struct stat info = {};
  if (::stat(followed_.c_str(), &info) != 0 && errno == ENOENT) return absl::OkStatus();
  const std::string version = absl::StrCat(info.st_ino, " ", info.st_size, " ", info.st_mtim.tv_sec, " ",
                                           info.st_mtim.tv_nsec, " ", info.st_ctim.tv_nsec);
  {
    MutexLock lock(mutex_);
    if (seen_ == version) return absl::OkStatus();
  }
  internal::v1::SessionFile file;
  absl::StatusOr<std::string> bytes = ReadSecretFile(followed_, kMaxFile);
  absl::Status status = bytes.status();
  if (status.ok()) status = Decode(*bytes, "sessions", file);
  if (status.ok()) status = Take(file);
  if (!status.ok()) {
    return absl::UnavailableError(
        absl::StrCat("the participant's sessions cannot be read: ", status.message()));
  }
  MutexLock lock(mutex_);
  seen_ = version;
  return absl::OkStatus();
}

// Uses that this process has seen itself stay.
absl::Status SessionTable::Take(const internal::v1::SessionFile& file) {
  absl::flat_hash_map<std::string, Session> taken;
  for (const internal::v1::StoredSession& stored : file.sessions()) {
    ASSIGN_OR_RETURN(Session session, FromStored(stored));
    taken.insert_or_assign(session.digest, std::move(session));
  }
  MutexLock lock(mutex_);
  for (auto& [digest, session] : taken) {
    if (const auto known = sessions_.find(digest); known != sessions_.end()) {
      session.used = std::max(session.used, known->second.used);
    }
  }
  sessions_ = std::move(taken);
  required_ = required_ || file.required();
  return absl::OkStatus();
}

}  // namespace tsunagi::people
