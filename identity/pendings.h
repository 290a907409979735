// What waits for approval at the registrar: at most one thing for each participant.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/journal.h"
#include "core/store/store.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {

using internal::v1::StoredPending;

// Every pending lies under this prefix, in order of label.
std::string PendingPrefix();
std::string PendingKey(absl::string_view label);

// NOT_FOUND naming the id when nothing waits under it.
absl::StatusOr<StoredPending> LoadPending(const store::Store& store, absl::string_view id);

// OK when nothing waits for `label`, which becomes a read of `commit`. FAILED_PRECONDITION naming what does.
absl::Status CheckNothingWaits(const store::Store& store, absl::string_view label, audit::Commit& commit);

// Adds a new pending to `commit`. FAILED_PRECONDITION when something waits for its label, ALREADY_EXISTS when
// its id is another one's.
absl::Status AddPending(const store::Store& store, const StoredPending& pending, audit::Commit& commit);

// Takes a pending out. The commit reads it: of two at once one decides.
void RemovePending(const StoredPending& pending, audit::Commit& commit);

}  // namespace tsunagi::identity
