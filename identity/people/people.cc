#include "identity/people/people.h"

#include <utility>

#include "core/base/proto.h"
#include "core/base/status_macros.h"

namespace tsunagi::people {

absl::StatusOr<std::unique_ptr<People>> People::Open(audit::Journal& journal, const Clock& clock,
                                                     Random& random, SessionTable& sessions,
                                                     std::string session_file, crypto::PasswordCost cost) {
  std::unique_ptr<People> people(new People(journal, clock, random, sessions, std::move(session_file), cost));
  RETURN_IF_ERROR(people->Load());
  return people;
}

absl::Status People::Load() {
  MutexLock lock(context_.mutex);
  const store::Store& store = context_.journal.store();
  RETURN_IF_ERROR(ForEachAccount(store, "", [&](const std::string&, const StoredAccount& account) {
    if (account.role() == kAdministrator) context_.sessions.SetRequired();
    return true;
  }));
  ASSIGN_OR_RETURN(std::vector<Session> sessions, LoadSessions(store));
  for (Session& session : sessions) {
    if (context_.clock.Now() < session.expires) context_.sessions.Put(std::move(session));
  }
  return Publish(context_);
}

absl::Status People::SaveUses() {
  MutexLock lock(context_.mutex);
  std::vector<store::Write> writes;
  for (const Session& session : context_.sessions.TakeUnsaved()) {
    writes.push_back(store::Put(store::Table::kState, SessionKey(session.account, session.digest),
                                Encode(ToStored(session))));
  }
  if (writes.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(Commit(context_, std::nullopt, std::move(writes)));
  return Publish(context_);
}

}  // namespace tsunagi::people
