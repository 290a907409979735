// Tries at an account's password, counted in its row.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "identity/people/rows.h"

namespace tsunagi::people {

// Counts a try in `account` and its row, before the password is looked at. RESOURCE_EXHAUSTED, and nothing
// is counted, while the account has to wait. The context's mutex must be held.
absl::Status CountTry(PeopleContext& context, absl::string_view id, StoredAccount& account);

// After a success; the caller writes the row.
void ClearTries(StoredAccount& account);

}  // namespace tsunagi::people
