// Sessions of a participant's people and apps, as the Guard asks for them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "identity/people/role.h"
#include "tsunagi/internal/v1/people.pb.h"

namespace tsunagi::people {

inline constexpr absl::Duration kSessionLife = absl::Hours(12);
inline constexpr absl::Duration kSessionIdle = absl::Hours(1);

struct Session {
  std::string digest;   // SHA-256 of the token
  std::string account;  // id of the account or API client
  Role role = kNoRole;
  std::string certificate_sha256;  // that signed in
  absl::Time opened;
  absl::Time expires;
  absl::Time used;
  absl::Time saved;  // the `used` that is on disk
};

internal::v1::StoredSession ToStored(const Session& session);
absl::StatusOr<Session> FromStored(const internal::v1::StoredSession& stored);

// In memory; written by the process that keeps the accounts, followed by the others through a file.
// Thread-safe.
class SessionTable {
 public:
  // How far behind the saved `used` may be.
  static constexpr absl::Duration kSaveEvery = absl::Minutes(5);

  // `clock` must outlive the table. With `followed`, the file of that path is looked at before each answer: a
  // file that does not exist changes nothing.
  explicit SessionTable(const Clock& clock, std::string followed = "")
      : clock_(clock), followed_(std::move(followed)) {}

  // The session that `token` opens for this certificate; counts as a use of it.
  //   UNAUTHENTICATED  there is none, it is over or idle, or another certificate signed in
  //   UNAVAILABLE      the followed file cannot be read
  absl::StatusOr<Session> Use(absl::string_view token, absl::string_view certificate_sha256);

  // Whether the session of this digest (none when empty) may do what `needed` may.
  //   UNAUTHENTICATED    an administrator exists and there is no such session
  //   PERMISSION_DENIED  its role does not suffice
  //   UNAVAILABLE        the followed file cannot be read
  absl::Status CheckRole(absl::string_view digest, Role needed);

  // For the process that keeps the accounts. From SetRequired on nobody gets on without a session.
  void SetRequired();
  bool required() const;
  void Put(Session session);
  void Remove(absl::string_view digest);
  void RemoveAllOf(absl::string_view account);
  // Sessions whose last use is newer than what is on disk; from now on it is taken to be there.
  std::vector<Session> TakeUnsaved();
  // What the other processes follow: everything but sessions that are over.
  internal::v1::SessionFile Show() const;
  // Called, without a lock, when a use should be saved; must not block. Empty to end it.
  void OnUnsaved(std::function<void()> notify);

 private:
  absl::Status Follow();
  absl::Status Take(const internal::v1::SessionFile& file);

  const Clock& clock_;
  const std::string followed_;
  mutable Mutex mutex_;
  bool required_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<std::string, Session> sessions_ ABSL_GUARDED_BY(mutex_);  // by digest
  std::string seen_ ABSL_GUARDED_BY(mutex_);  // which version of the followed file was taken
  std::function<void()> notify_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::people
