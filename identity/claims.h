// Values that one participant has, or that several share: DIDs, identifiers, namespaces, and the consents of
// holders to share a namespace.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/journal.h"
#include "core/store/store.h"
#include "tsunagi/identity/v1/directory.pb.h"

namespace tsunagi::identity {

// Adds to `commit` what the change of an entry from `before` to `after` takes and gives back; for a new entry
// `before` is empty. A namespace that others hold is shared with them, whether or not they consented: see
// FindOverlaps. Consents that it uses are used up.
//   ALREADY_EXISTS  a DID or identifier belongs to another participant
absl::Status ChangeClaims(const store::Store& store, const v1::Participant& before,
                          const v1::Participant& after, audit::Commit& commit);

// Namespaces that the change takes although a holder has not consented, as `kind:value held by label`.
// Whoever has left consents to its successor. What was looked at becomes a read of `commit`.
absl::StatusOr<std::vector<std::string>> FindOverlaps(const store::Store& store,
                                                      const v1::Participant& before,
                                                      const v1::Participant& after, audit::Commit& commit);

// Adds to `commit` that `holder` consents, or no more, that `label` holds the namespace too. False when it is
// so already. FAILED_PRECONDITION beyond 100 consents to one namespace that were not used.
absl::StatusOr<bool> SetConsent(const store::Store& store, absl::string_view claim, absl::string_view holder,
                                absl::string_view label, bool consent, audit::Commit& commit);

}  // namespace tsunagi::identity
