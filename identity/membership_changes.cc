// Membership: changes of a member, suspension, leaving, consents.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "identity/checks.h"
#include "identity/claims.h"
#include "identity/identifiers.h"
#include "identity/members.h"
#include "identity/membership.h"
#include "identity/names.h"

namespace tsunagi::identity {
namespace {

constexpr size_t kMaxReason = 500;

// What waits has no keys and endpoints: those are the member's own, and change meanwhile.
v1::Participant WithoutListed(v1::Participant participant) {
  participant.clear_keys();
  participant.clear_endpoints();
  participant.clear_mandates();
  participant.clear_revocations();
  return participant;
}

v1::Pending PendingOf(absl::string_view id, v1::PendingKind kind, v1::Participant participant,
                      absl::string_view reason) {
  v1::Pending pending;
  pending.set_id(std::string(id));
  pending.set_kind(kind);
  *pending.mutable_participant() = WithoutListed(std::move(participant));
  pending.set_reason(std::string(reason));
  return pending;
}

// The DID of successor or custodian; empty when none is named.
absl::StatusOr<std::string> HeirOf(const store::Store& store, absl::string_view field,
                                   const std::string& named, const v1::Participant& leaver,
                                   audit::Commit& commit) {
  if (named.empty()) return std::string();
  RETURN_IF_ERROR(Annotate(CheckHeir(store, named, commit), field));
  ASSIGN_OR_RETURN(const StoredParticipant heir, FindEntry(store, named));
  if (heir.participant().did() != leaver.did()) return heir.participant().did();
  return InvalidArgument({"OWN_HEIR", field, named, "another member than the one that leaves"});
}

}  // namespace

absl::StatusOr<Decision<v1::UpdateParticipantResponse>> Membership::DecideUpdate(
    const Caller& caller, const v1::UpdateParticipantRequest& request) const {
  const store::Store& store = context_.journal.store();
  ASSIGN_OR_RETURN(const Actor actor, ApproverOf(context_, caller));
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
  RETURN_IF_ERROR(CheckParticipant(request.participant()));
  ASSIGN_OR_RETURN(const StoredParticipant entry, FindMember(store, request.participant().label()));
  const v1::Participant& before = entry.participant();
  if (!request.participant().did().empty() && request.participant().did() != before.did()) {
    return InvalidArgument({"DID_CHANGED", "did", request.participant().did(), before.did()});
  }
  v1::Participant after = before;
  SetStated(request.participant(), after);
  Decision<v1::UpdateParticipantResponse> decision;
  const std::vector<std::string> warnings = IdentifierWarnings(after);
  decision.reply.mutable_warnings()->Assign(warnings.begin(), warnings.end());

  audit::Commit commit;
  RETURN_IF_ERROR(CheckNothingWaits(store, before.label(), commit));
  ASSIGN_OR_RETURN(const std::vector<std::string> overlaps, FindOverlaps(store, before, after, commit));
  if (overlaps.empty() && !context_.options.two_person_approval) {
    ASSIGN_OR_RETURN(Listed listed, Change(after, commit));
    commit.record = EncodeRecord({"changed", before.did(), listed.digest, actor.by, request.reason()},
                                 context_.clock.Now());
    *decision.reply.mutable_participant() = std::move(listed.participant);
  } else {
    audit::Commit dropped;
    RETURN_IF_ERROR(ChangeClaims(store, before, after, dropped));
    const auto kind = overlaps.empty() ? v1::PENDING_KIND_CHANGE : v1::PENDING_KIND_NAMESPACE_RULING;
    RETURN_IF_ERROR(Enter(actor, "change-entered",
                          PendingOf(request.request_id(), kind, std::move(after), request.reason()), commit));
    decision.reply.set_pending_id(request.request_id());
    *decision.reply.mutable_participant() = before;
  }
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<Decision<v1::SetSuspendedResponse>> Membership::DecideSuspended(
    const Caller& caller, const v1::SetSuspendedRequest& request) const {
  const store::Store& store = context_.journal.store();
  ASSIGN_OR_RETURN(const Actor actor, ActorOf(context_, caller));
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
  ASSIGN_OR_RETURN(StoredParticipant entry, FindMember(store, request.participant()));
  Decision<v1::SetSuspendedResponse> decision;
  if (entry.suspended() == request.suspended()) {
    ASSIGN_OR_RETURN(const v1::StatusList list, LoadStatus(store));
    decision.reply.set_status_version(list.version());
    return decision;
  }
  entry.set_suspended(request.suspended());
  const auto state_after = entry.enrolled() ? v1::PARTICIPANT_STATE_ACTIVE : v1::PARTICIPANT_STATE_APPROVED;
  entry.mutable_participant()->set_state(request.suspended() ? v1::PARTICIPANT_STATE_SUSPENDED : state_after);
  audit::Commit commit;
  ASSIGN_OR_RETURN(const EntryChange change, AddEntryChange(context_, entry, commit));
  const std::string& did = entry.participant().did();
  ASSIGN_OR_RETURN(const uint64_t version, AddStatusChange(store, did, request.suspended(), commit));
  decision.reply.set_status_version(version);
  commit.record = EncodeRecord(
      {request.suspended() ? "suspended" : "reinstated", did, change.digest, actor.by, request.reason()},
      context_.clock.Now());
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<Decision<v1::LeaveResponse>> Membership::DecideLeave(const Caller& caller,
                                                                    const v1::LeaveRequest& request) const {
  const store::Store& store = context_.journal.store();
  ASSIGN_OR_RETURN(const Actor actor, ApproverOf(context_, caller));
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
  ASSIGN_OR_RETURN(const StoredParticipant entry, FindMember(store, request.participant()));
  audit::Commit commit;
  RETURN_IF_ERROR(CheckNothingWaits(store, entry.participant().label(), commit));
  v1::Participant leaving = entry.participant();
  ASSIGN_OR_RETURN(*leaving.mutable_successor(),
                   HeirOf(store, "successor", request.successor(), leaving, commit));
  const std::string& custodian = request.custodian().empty() ? request.successor() : request.custodian();
  ASSIGN_OR_RETURN(*leaving.mutable_custodian(), HeirOf(store, "custodian", custodian, leaving, commit));

  Decision<v1::LeaveResponse> decision;
  if (context_.options.two_person_approval) {
    *decision.reply.mutable_participant() = entry.participant();
    RETURN_IF_ERROR(
        Enter(actor, "leaving-entered",
              PendingOf(request.request_id(), v1::PENDING_KIND_LEAVING, std::move(leaving), request.reason()),
              commit));
    decision.reply.set_pending_id(request.request_id());
  } else {
    ASSIGN_OR_RETURN(Listed listed, TakeOut(leaving, commit));
    commit.record = EncodeRecord(
        {"left", listed.participant.did(), listed.digest, actor.by, request.reason()}, context_.clock.Now());
    *decision.reply.mutable_participant() = std::move(listed.participant);
  }
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<Decision<v1::ConsentToNamespaceResponse>> Membership::DecideConsent(
    const Caller& caller, const v1::ConsentToNamespaceRequest& request) const {
  const store::Store& store = context_.journal.store();
  if (caller.process() != kOperatorProcess) {
    return absl::PermissionDeniedError("a consent is given by the holder's operator");
  }
  RETURN_IF_ERROR(CheckNamespace(request.namespace_()));
  RETURN_IF_ERROR(Label::Parse(request.label()).status());
  ASSIGN_OR_RETURN(const StoredParticipant entry, LoadEntry(store, caller.label()));
  RETURN_IF_ERROR(CheckActs(entry));
  const std::string claim = NamespaceClaim(request.namespace_());
  if (claim.empty()) {
    return InvalidArgument({"NO_CONSENT_NEEDED", "namespace.serial_prefix",
                            request.namespace_().serial_prefix(),
                            "a chassis_type, vin_wmi or link_domain: serial prefixes need no consent"});
  }
  const std::vector<std::string> held = NamespaceClaims(entry.participant());
  if (std::find(held.begin(), held.end(), claim) == held.end()) {
    return absl::FailedPreconditionError(
        absl::StrCat("`", caller.label(), "` does not hold `", claim, "`: only a holder consents"));
  }
  audit::Commit commit;
  ASSIGN_OR_RETURN(const bool changed,
                   SetConsent(store, claim, caller.label(), request.label(), request.consent(), commit));
  Decision<v1::ConsentToNamespaceResponse> decision;
  if (!changed) return decision;
  commit.reads.push_back(EntryKey(caller.label()));
  commit.record = EncodeRecord({request.consent() ? "consented" : "consent-withdrawn", caller.did(), "",
                                ByOf(caller), absl::StrCat(claim, " for ", request.label())},
                               context_.clock.Now());
  decision.commit = std::move(commit);
  return decision;
}

}  // namespace tsunagi::identity
