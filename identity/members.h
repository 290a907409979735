// Members and applicants as the acts of membership look at them.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/journal.h"
#include "core/store/store.h"
#include "identity/context.h"
#include "identity/entries.h"
#include "tsunagi/identity/v1/directory.pb.h"

namespace tsunagi::identity {

// Copies what an operator states about a member: names, identifiers, plants, contacts, roles and namespaces.
void SetStated(const v1::Participant& stated, v1::Participant& participant);

// The DID that an applicant gets: its own, or the one that the registrar hosts for its label.
// INVALID_ARGUMENT when it is malformed or hosted for another label.
absl::StatusOr<std::string> DidFor(const v1::Participant& applicant, const RegistrarOptions& options);

// A member whose membership an act may change. NOT_FOUND naming it when there is none; FAILED_PRECONDITION
// when it has left or is the registrar.
absl::StatusOr<StoredParticipant> FindMember(const store::Store& store, absl::string_view did_or_label);

// OK when `did_or_label` may take over from a leaver: neither suspended nor gone. Becomes a read of `commit`.
// NOT_FOUND or FAILED_PRECONDITION otherwise.
absl::Status CheckHeir(const store::Store& store, absl::string_view did_or_label, audit::Commit& commit);

}  // namespace tsunagi::identity
