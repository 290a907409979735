// Membership: applications, approvals, refusals.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "identity/checks.h"
#include "identity/claims.h"
#include "identity/identifiers.h"
#include "identity/members.h"
#include "identity/membership.h"

namespace tsunagi::identity {
namespace {

constexpr size_t kMaxReason = 500;

absl::Status CheckLabelFree(const store::Store& store, const std::string& label, audit::Commit& commit) {
  commit.reads.push_back(EntryKey(label));
  const absl::Status found = LoadEntry(store, label).status();
  if (absl::IsNotFound(found)) return absl::OkStatus();
  RETURN_IF_ERROR(found);
  return absl::AlreadyExistsError(absl::StrCat("label `", label, "` is taken: choose another one"));
}

// OK when DID and identifiers are free now: an application holds nothing before it is approved.
absl::Status CheckClaimsFree(const store::Store& store, const v1::Participant& applied) {
  audit::Commit dropped;
  return ChangeClaims(store, {}, applied, dropped);
}

// What the registrar decides about an applicant: nothing that a participant lists itself.
absl::StatusOr<v1::Participant> Applied(const v1::Participant& requested, const RegistrarOptions& options) {
  RETURN_IF_ERROR(Label::Parse(requested.label()).status());
  RETURN_IF_ERROR(CheckParticipant(requested));
  v1::Participant applied;
  applied.set_label(requested.label());
  ASSIGN_OR_RETURN(*applied.mutable_did(), DidFor(requested, options));
  SetStated(requested, applied);
  applied.set_state(v1::PARTICIPANT_STATE_APPLIED);
  return applied;
}

absl::string_view ActOf(v1::PendingKind kind) {
  switch (kind) {
    case v1::PENDING_KIND_APPLICATION:
      return "approved";
    case v1::PENDING_KIND_NAMESPACE_RULING:
    case v1::PENDING_KIND_CHANGE:
      return "changed";
    case v1::PENDING_KIND_LEAVING:
      return "left";
    default:
      return "";
  }
}

}  // namespace

absl::StatusOr<Decision<v1::ApplyResponse>> Membership::DecideApply(const Caller& caller,
                                                                    const v1::ApplyRequest& request) const {
  const store::Store& store = context_.journal.store();
  ASSIGN_OR_RETURN(const Actor actor, ApproverOf(context_, caller));
  ASSIGN_OR_RETURN(v1::Participant applied, Applied(request.participant(), context_.options));
  audit::Commit commit;
  RETURN_IF_ERROR(CheckLabelFree(store, applied.label(), commit));
  RETURN_IF_ERROR(CheckNothingWaits(store, applied.label(), commit));
  RETURN_IF_ERROR(CheckClaimsFree(store, applied));
  Decision<v1::ApplyResponse> decision;
  const std::vector<std::string> warnings = IdentifierWarnings(applied);
  decision.reply.mutable_warnings()->Assign(warnings.begin(), warnings.end());
  if (request.approve()) {
    if (context_.options.two_person_approval) {
      return absl::FailedPreconditionError(
          "two-person approval is on: leave `approve` out, and let another person approve the application");
    }
    RETURN_IF_ERROR(CheckOverlaps({}, applied, /*ruled=*/false, commit));
    ASSIGN_OR_RETURN(Listed listed, Admit(applied, commit));
    commit.record =
        EncodeRecord({"approved", listed.participant.did(), listed.digest, actor.by}, context_.clock.Now());
    *decision.reply.mutable_participant() = std::move(listed.participant);
  } else {
    v1::Pending pending;
    pending.set_id(request.request_id());
    pending.set_kind(v1::PENDING_KIND_APPLICATION);
    *pending.mutable_participant() = applied;
    RETURN_IF_ERROR(Enter(actor, "applied", std::move(pending), commit));
    decision.reply.set_pending_id(request.request_id());
    *decision.reply.mutable_participant() = std::move(applied);
  }
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<Decision<v1::ApproveResponse>> Membership::DecideApprove(
    const Caller& caller, const v1::ApproveRequest& request) const {
  const store::Store& store = context_.journal.store();
  ASSIGN_OR_RETURN(const Actor actor, ApproverOf(context_, caller));
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/false));
  ASSIGN_OR_RETURN(const StoredPending stored, LoadPending(store, request.id()));
  if (context_.options.two_person_approval) RETURN_IF_ERROR(CheckOtherPerson(stored.person(), actor.person));
  const v1::Pending& pending = stored.pending();
  const v1::Participant& waiting = pending.participant();
  const bool ruled = !request.reason().empty();
  audit::Commit commit;
  RemovePending(stored, commit);
  absl::StatusOr<Listed> listed;
  switch (pending.kind()) {
    case v1::PENDING_KIND_APPLICATION:
      RETURN_IF_ERROR(CheckOverlaps({}, waiting, ruled, commit));
      listed = Admit(waiting, commit);
      break;
    case v1::PENDING_KIND_NAMESPACE_RULING:
    case v1::PENDING_KIND_CHANGE: {
      ASSIGN_OR_RETURN(const StoredParticipant entry, FindMember(store, pending.label()));
      RETURN_IF_ERROR(CheckOverlaps(entry.participant(), waiting, ruled, commit));
      listed = Change(waiting, commit);
      break;
    }
    case v1::PENDING_KIND_LEAVING:
      listed = TakeOut(waiting, commit);
      break;
    default:
      return absl::DataLossError("what waits is of no known kind");
  }
  RETURN_IF_ERROR(listed.status());
  commit.record = EncodeRecord({ActOf(pending.kind()), listed->participant.did(), listed->digest, actor.by,
                                ruled ? request.reason() : pending.reason()},
                               context_.clock.Now());
  Decision<v1::ApproveResponse> decision;
  *decision.reply.mutable_participant() = std::move(listed->participant);
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<Decision<v1::DeclineResponse>> Membership::DecideDecline(
    const Caller& caller, const v1::DeclineRequest& request) const {
  ASSIGN_OR_RETURN(const Actor actor, ActorOf(context_, caller));
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
  ASSIGN_OR_RETURN(const StoredPending stored, LoadPending(context_.journal.store(), request.id()));
  audit::Commit commit;
  RemovePending(stored, commit);
  commit.record =
      EncodeRecord({"declined", stored.pending().participant().did(), "", actor.by, request.reason()},
                   context_.clock.Now());
  return Decision<v1::DeclineResponse>{{}, std::move(commit)};
}

}  // namespace tsunagi::identity
