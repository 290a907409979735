#include "identity/members.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "identity/names.h"
#include "identity/public_documents.h"

namespace tsunagi::identity {

void SetStated(const v1::Participant& stated, v1::Participant& participant) {
  participant.set_name_ja(stated.name_ja());
  participant.set_name_latin(stated.name_latin());
  participant.set_name_kana(stated.name_kana());
  *participant.mutable_identifiers() = stated.identifiers();
  *participant.mutable_plants() = stated.plants();
  *participant.mutable_contacts() = stated.contacts();
  *participant.mutable_roles() = stated.roles();
  *participant.mutable_namespaces() = stated.namespaces();
  participant.DiscardUnknownFields();
}

absl::StatusOr<std::string> DidFor(const v1::Participant& applicant, const RegistrarOptions& options) {
  const std::string hosted = HostedDid(options.did_host, applicant.label());
  if (applicant.did().empty() || applicant.did() == hosted) return hosted;
  RETURN_IF_ERROR(Did::Parse(applicant.did()).status());
  if (!absl::StartsWith(applicant.did(), HostedDid(options.did_host, ""))) return applicant.did();
  return InvalidArgument({"DID_OF_ANOTHER", "did", applicant.did(),
                          absl::StrCat("`", hosted, "`, or a DID that the registrar does not host")});
}

absl::StatusOr<StoredParticipant> FindMember(const store::Store& store, absl::string_view did_or_label) {
  ASSIGN_OR_RETURN(StoredParticipant entry, FindEntry(store, did_or_label));
  const v1::Participant& participant = entry.participant();
  if (participant.label() == kRegistrarLabel) {
    return absl::FailedPreconditionError("the registrar cannot be suspended, changed or taken out");
  }
  if (participant.state() == v1::PARTICIPANT_STATE_LEFT) {
    return absl::FailedPreconditionError(
        absl::StrCat("`", participant.label(), "` has left: who comes again applies under a new label"));
  }
  return entry;
}

absl::Status CheckHeir(const store::Store& store, absl::string_view did_or_label, audit::Commit& commit) {
  ASSIGN_OR_RETURN(const StoredParticipant entry, FindEntry(store, did_or_label));
  commit.reads.push_back(EntryKey(entry.participant().label()));
  if (!entry.suspended()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("`", entry.participant().label(),
                                                    "` is suspended or has left: expected an active member"));
}

}  // namespace tsunagi::identity
