// Membership: how its acts run, and what an approval does to an entry.
#include "identity/membership.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/claims.h"
#include "identity/members.h"
#include "identity/once.h"

namespace tsunagi::identity {

template <class Reply>
Done<Reply> Membership::OnceListed(Done<Reply> done) {
  return [this, done = std::move(done)](absl::StatusOr<Reply> reply) {
    if (!reply.ok()) return done(std::move(reply));
    // The status list first: a suspension counts from then on.
    lists_.GetStatusList(
        [this, done, reply = *std::move(reply)](absl::StatusOr<SignedLists::StatusList> status) {
          if (!status.ok()) return done(status.status());
          lists_.GetDirectory([done, reply](absl::StatusOr<SignedLists::Directory> directory) {
            directory.ok() ? done(reply) : done(directory.status());
          });
        });
  };
}

template <class Reply, class Request>
void Membership::Run(absl::string_view method, const Caller& caller, const Request& request,
                     absl::StatusOr<Decision<Reply>> (Membership::*decide)(const Caller&, const Request&)
                         const,
                     Done<Reply> done) {
  Act<Reply>(
      context_.journal,
      [this, method, caller, request, decide] {
        return Once<Reply>(context_, caller, method, request,
                           [&] { return (this->*decide)(caller, request); });
      },
      OnceListed(std::move(done)));
}

void Membership::Apply(const Caller& caller, const v1::ApplyRequest& request, Done<v1::ApplyResponse> done) {
  Run("Apply", caller, request, &Membership::DecideApply, std::move(done));
}

void Membership::Approve(const Caller& caller, const v1::ApproveRequest& request,
                         Done<v1::ApproveResponse> done) {
  Run("Approve", caller, request, &Membership::DecideApprove, std::move(done));
}

void Membership::Decline(const Caller& caller, const v1::DeclineRequest& request,
                         Done<v1::DeclineResponse> done) {
  Run("Decline", caller, request, &Membership::DecideDecline, std::move(done));
}

void Membership::Update(const Caller& caller, const v1::UpdateParticipantRequest& request,
                        Done<v1::UpdateParticipantResponse> done) {
  Run("UpdateParticipant", caller, request, &Membership::DecideUpdate, std::move(done));
}

void Membership::SetSuspended(const Caller& caller, const v1::SetSuspendedRequest& request,
                              Done<v1::SetSuspendedResponse> done) {
  Run("SetSuspended", caller, request, &Membership::DecideSuspended, std::move(done));
}

void Membership::Leave(const Caller& caller, const v1::LeaveRequest& request, Done<v1::LeaveResponse> done) {
  Run("Leave", caller, request, &Membership::DecideLeave, std::move(done));
}

void Membership::ConsentToNamespace(const Caller& caller, const v1::ConsentToNamespaceRequest& request,
                                    Done<v1::ConsentToNamespaceResponse> done) {
  Run("ConsentToNamespace", caller, request, &Membership::DecideConsent, std::move(done));
}

absl::StatusOr<Membership::Listed> Membership::Admit(const v1::Participant& applied,
                                                     audit::Commit& commit) const {
  StoredParticipant entry;
  *entry.mutable_participant() = applied;
  entry.mutable_participant()->set_state(v1::PARTICIPANT_STATE_APPROVED);
  RETURN_IF_ERROR(ChangeClaims(context_.journal.store(), {}, entry.participant(), commit));
  ASSIGN_OR_RETURN(const EntryChange change, AddEntryChange(context_, entry, commit));
  return Listed{entry.participant(), change.digest};
}

absl::StatusOr<Membership::Listed> Membership::Change(const v1::Participant& stated,
                                                      audit::Commit& commit) const {
  ASSIGN_OR_RETURN(StoredParticipant entry, FindMember(context_.journal.store(), stated.label()));
  const v1::Participant before = entry.participant();
  // What was listed since the change was entered stays.
  SetStated(stated, *entry.mutable_participant());
  RETURN_IF_ERROR(ChangeClaims(context_.journal.store(), before, entry.participant(), commit));
  ASSIGN_OR_RETURN(const EntryChange change, AddEntryChange(context_, entry, commit));
  return Listed{entry.participant(), change.digest};
}

absl::StatusOr<Membership::Listed> Membership::TakeOut(const v1::Participant& leaving,
                                                       audit::Commit& commit) const {
  const store::Store& store = context_.journal.store();
  ASSIGN_OR_RETURN(StoredParticipant entry, FindMember(store, leaving.label()));
  for (const std::string& heir : {leaving.successor(), leaving.custodian()}) {
    if (!heir.empty()) RETURN_IF_ERROR(CheckHeir(store, heir, commit));
  }
  v1::Participant& participant = *entry.mutable_participant();
  v1::Participant claims = participant;
  claims.clear_identifiers();
  RETURN_IF_ERROR(ChangeClaims(store, participant, claims, commit));
  for (v1::ParticipantKey& key : *participant.mutable_keys()) {
    if (!key.has_valid_until()) *key.mutable_valid_until() = ToProto(context_.clock.Now());
  }
  participant.clear_endpoints();
  participant.set_successor(leaving.successor());
  participant.set_custodian(leaving.custodian());
  participant.set_state(v1::PARTICIPANT_STATE_LEFT);
  entry.set_suspended(true);
  ASSIGN_OR_RETURN(const EntryChange change, AddEntryChange(context_, entry, commit));
  RETURN_IF_ERROR(AddStatusChange(store, participant.did(), true, commit).status());
  return Listed{participant, change.digest};
}

absl::Status Membership::CheckOverlaps(const v1::Participant& before, const v1::Participant& after,
                                       bool ruled, audit::Commit& commit) const {
  ASSIGN_OR_RETURN(const std::vector<std::string> overlaps,
                   FindOverlaps(context_.journal.store(), before, after, commit));
  if (overlaps.empty() || ruled) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "`", absl::StrJoin(overlaps, "`, `"),
      "`: expected the consent of each holder (`tsunagi participant consent`), or the registrar's "
      "ruling: an approval with its reason"));
}

absl::Status Membership::Enter(const Actor& actor, absl::string_view act, v1::Pending pending,
                               audit::Commit& commit) const {
  const absl::Time now = context_.clock.Now();
  pending.set_label(pending.participant().label());
  commit.reads.push_back(EntryKey(pending.label()));
  pending.set_entered_by(actor.shown);
  *pending.mutable_entered_at() = ToProto(now);
  commit.record = EncodeRecord({act, pending.participant().did(),
                                crypto::Sha256(Encode(pending.participant())), actor.by, pending.reason()},
                               now);
  StoredPending stored;
  *stored.mutable_pending() = std::move(pending);
  if (!actor.person.id().empty()) *stored.mutable_person() = actor.person;
  return AddPending(context_.journal.store(), stored, commit);
}

}  // namespace tsunagi::identity
