// What is kept of people and apps, and the acts that change it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/journal.h"
#include "core/audit/requests.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/random.h"
#include "core/crypto/password.h"
#include "identity/people/role.h"
#include "identity/people/session_table.h"
#include "tsunagi/internal/v1/people.pb.h"

namespace tsunagi::people {

namespace v1 = identity::v1;
using internal::v1::StoredAccount;
using internal::v1::StoredClient;

// What every part works with. All references must outlive it.
struct PeopleContext {
  audit::Journal& journal;
  const Clock& clock;
  Random& random;
  SessionTable& sessions;
  std::string session_file;  // what the participant's other processes follow
  crypto::PasswordHasher hasher;
  // Held from an act's first read until its commit and what follows in `sessions` are done, so that nothing
  // ends a session that another act is just opening. Acts are few and run on threads that may block.
  Mutex mutex = {};
};

// Keys of table STATE.
std::string AccountKey(absl::string_view id);
std::string ClientKey(absl::string_view id);
std::string SessionKey(absl::string_view account, absl::string_view digest);
// Key of table PERSON: the display name of an account or API client.
std::string NameKey(absl::string_view id);
// The row that a try at an unknown account writes.
std::string DecoyKey();

// NOT_FOUND naming the id.
absl::StatusOr<StoredAccount> LoadAccount(const store::Store& store, absl::string_view id);
absl::StatusOr<StoredClient> LoadClient(const store::Store& store, absl::string_view id);
// Empty once erased.
absl::StatusOr<std::string> LoadName(const store::Store& store, absl::string_view id);

// In the order of their ids, from `start` on, until `visit` returns false.
absl::Status ForEachAccount(const store::Store& store, absl::string_view start,
                            const std::function<bool(const std::string& id, const StoredAccount&)>& visit);
absl::Status ForEachClient(const store::Store& store, absl::string_view start,
                           const std::function<bool(const std::string& id, const StoredClient&)>& visit);
// All stored sessions, or those of one account.
absl::StatusOr<std::vector<Session>> LoadSessions(const store::Store& store, absl::string_view account = "");

// An id that nobody has: `prefix`, a hyphen and 10 characters.
absl::StatusOr<std::string> NewId(const PeopleContext& context, absl::string_view prefix);

// INVALID_ARGUMENT, without the value, unless it has 1 to 200 bytes of text on one line.
absl::Status CheckDisplayName(absl::string_view name);
absl::Status CheckRole(Role role);
// 0 to 1,000, or INVALID_ARGUMENT; 100 for 0.
absl::StatusOr<int> PageSize(int32_t page_size);

// What an account may do: a viewer's, as long as it has a one-time password.
inline Role ActingRole(const StoredAccount& account) {
  return account.has_one_time_until() ? kViewer : account.role();
}

// The role of whoever calls; administrator for an operator without account while none is needed. NOT_FOUND
// or PERMISSION_DENIED otherwise.
absl::StatusOr<Role> RoleOf(const PeopleContext& context, const Caller& caller);

// How a request is remembered. `request` must hold no password and no name: its plain digest is kept.
audit::RequestKey RememberedAs(const Caller& caller, absl::string_view method, absl::string_view request_id,
                               const google::protobuf::Message& request);

// Adds the deletions of all sessions of an account.
absl::Status EndSessions(const store::Store& store, absl::string_view account,
                         std::vector<store::Write>& writes);

// What the leaf of an act says.
struct PeopleAct {
  absl::string_view act;  // one word of audit.v1.PeopleRecord
  absl::string_view account;
  Role role = kNoRole;
  std::string by;  // account of the caller
};

// The serialised audit.v1.Record.
std::string EncodeAct(const PeopleAct& act, absl::Time time);

// Commits an act with its leaf, or writes without one, and waits.
absl::Status Commit(PeopleContext& context, const std::optional<PeopleAct>& act,
                    std::vector<store::Write> writes);
// The same for writes that delete or replace what lies in table PERSON: scrubbed when it returns.
absl::Status CommitErasure(PeopleContext& context, const PeopleAct& act, std::vector<store::Write> writes);

// Writes the sessions where the other processes look. UNAVAILABLE when they could not be told: the same
// request again tells them.
absl::Status Publish(const PeopleContext& context);

}  // namespace tsunagi::people
