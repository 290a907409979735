#include "identity/people/tries.h"

#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/people/lockout.h"

namespace tsunagi::people {

absl::Status CountTry(PeopleContext& context, absl::string_view id, StoredAccount& account) {
  const absl::Time now = context.clock.Now();
  if (account.has_locked_until()) {
    ASSIGN_OR_RETURN(const absl::Time locked_until, FromProto(account.locked_until()));
    RETURN_IF_ERROR(CheckLocked(locked_until, now));
  }
  account.set_tries(account.tries() + 1);
  *account.mutable_locked_until() = ToProto(now + DelayAfter(account.tries()));
  return Commit(context, std::nullopt, {store::Put(store::Table::kState, AccountKey(id), Encode(account))});
}

void ClearTries(StoredAccount& account) {
  account.clear_tries();
  account.clear_locked_until();
}

}  // namespace tsunagi::people
