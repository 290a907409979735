// Who the registrar's operators are, for two-person approval (二者承認). Names stay in the registrar's store
// and in what its operators see; leaves have ids.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/journal.h"
#include "core/base/random.h"
#include "core/store/store.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {

using internal::v1::StoredPerson;

// The person of this name; names that differ in case or width only are one person's. The key of the ids is
// made with the first person, in `commit`. INVALID_ARGUMENT, without the name, unless it is 1 to 100 bytes on
// one line.
absl::StatusOr<StoredPerson> NewPerson(const store::Store& store, absl::string_view name, Random& random,
                                       audit::Commit& commit);

// Keeps whose certificate this is.
void KeepPerson(absl::string_view certificate_sha256, const StoredPerson& person, audit::Commit& commit);

// Whose certificate this is; nothing when it names no person.
absl::StatusOr<std::optional<StoredPerson>> FindPerson(const store::Store& store,
                                                       absl::string_view certificate_sha256);

}  // namespace tsunagi::identity
