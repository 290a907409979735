#include "identity/mandate_registry.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/entries.h"
#include "identity/mandates.h"
#include "identity/trust.h"

namespace tsunagi::identity {
namespace {

using common::v1::SignedEnvelope;

// The id that a listed envelope is about; empty when it cannot be read.
template <class Message>
std::string IdOf(const SignedEnvelope& envelope) {
  Message message;
  return Decode(envelope.payload(), "listed mandate", message).ok() ? message.id() : "";
}

template <class Message>
const SignedEnvelope* FindListed(const google::protobuf::RepeatedPtrField<SignedEnvelope>& listed,
                                 absl::string_view id) {
  for (const SignedEnvelope& envelope : listed) {
    if (IdOf<Message>(envelope) == id) return &envelope;
  }
  return nullptr;
}

absl::Status CheckGrantor(const std::string& grantor, const Caller& caller) {
  if (grantor == caller.did()) return absl::OkStatus();
  return InvalidArgument(
      {"GRANTOR_DIFFERS", "grantor", grantor, "the calling participant: each files its own mandates"});
}

absl::Status CheckHolder(const store::Store& store, const std::string& holder) {
  const absl::StatusOr<StoredParticipant> entry = FindEntry(store, holder);
  if (absl::IsNotFound(entry.status())) {
    return InvalidArgument({"HOLDER_UNKNOWN", "holder", holder, "the DID of a member of the federation"});
  }
  RETURN_IF_ERROR(entry.status());
  // Whoever left stands in the status list too.
  ASSIGN_OR_RETURN(const v1::StatusList list, LoadStatus(store));
  const auto& suspended = list.suspended();
  if (std::find(suspended.begin(), suspended.end(), holder) == suspended.end()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("participant `", entry->participant().label(),
                   "` is suspended or has left: it can hold no new mandate"));
}

// Leaves out the mandates that are over by time, with their revocations: an over one cannot be filed again.
void DropOver(absl::Time now, v1::Participant& grantor) {
  google::protobuf::RepeatedPtrField<SignedEnvelope> kept;
  google::protobuf::RepeatedPtrField<SignedEnvelope> revocations;
  for (SignedEnvelope& envelope : *grantor.mutable_mandates()) {
    const absl::StatusOr<CheckedMandate> checked = ReadMandate(envelope.payload());
    if (!checked.ok() || checked->valid_until <= now) continue;
    const SignedEnvelope* revocation =
        FindListed<v1::MandateRevocation>(grantor.revocations(), checked->mandate.id());
    if (revocation != nullptr) *revocations.Add() = *revocation;
    *kept.Add() = std::move(envelope);
  }
  grantor.mutable_mandates()->Swap(&kept);
  grantor.mutable_revocations()->Swap(&revocations);
}

absl::Status MakeRoom(absl::Time now, v1::Participant& grantor) {
  if (grantor.mandates_size() < kMaxMandates) return absl::OkStatus();
  DropOver(now, grantor);
  if (grantor.mandates_size() < kMaxMandates) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("participant `", grantor.label(), "` has ", kMaxMandates,
                                                    " mandates that are not over: wait until one is"));
}

absl::Status CheckSigner(const SignedEnvelope& envelope, absl::string_view payload_type,
                         const v1::Participant& grantor, absl::Time at) {
  Party party;
  party.participant = grantor;
  return CheckMandateSigner(envelope, payload_type, party, at);
}

// Acknowledged once the registrar's own trust view has it.
template <class Reply>
Done<Reply> AfterListing(SignedLists& lists, Done<Reply> done) {
  return [&lists, done = std::move(done)](absl::StatusOr<Reply> reply) {
    if (!reply.ok()) return done(std::move(reply));
    lists.GetDirectory([done, reply = *std::move(reply)](absl::StatusOr<SignedLists::Directory> directory) {
      directory.ok() ? done(reply) : done(directory.status());
    });
  };
}

// The reply to what is filed already.
template <class Reply>
absl::StatusOr<Decision<Reply>> Unchanged(const store::Store& store) {
  Decision<Reply> decision;
  ASSIGN_OR_RETURN(const v1::Directory head, LoadHead(store));
  decision.reply.set_directory_version(head.version());
  return decision;
}

// One changed entry, one leaf.
template <class Reply>
absl::StatusOr<Decision<Reply>> Filed(const RegistrarContext& context, StoredParticipant entry,
                                      absl::string_view act, const Caller& caller,
                                      const SignedEnvelope& envelope) {
  Decision<Reply> decision;
  audit::Commit commit;
  ASSIGN_OR_RETURN(const EntryChange change, AddEntryChange(context, entry, commit));
  commit.record =
      EncodeRecord({act, caller.did(), crypto::Sha256(Encode(envelope)), ByOf(caller)}, context.clock.Now());
  decision.reply.set_directory_version(change.directory_version);
  decision.commit = std::move(commit);
  return decision;
}

}  // namespace

void MandateRegistry::FileMandate(const Caller& caller, const v1::FileMandateRequest& request,
                                  Done<v1::FileMandateResponse> done) {
  Act<v1::FileMandateResponse>(
      context_.journal, [this, caller, request] { return DecideMandate(caller, request); },
      AfterListing(lists_, std::move(done)));
}

absl::StatusOr<Decision<v1::FileMandateResponse>> MandateRegistry::DecideMandate(
    const Caller& caller, const v1::FileMandateRequest& request) const {
  const store::Store& store = context_.journal.store();
  const absl::Time now = context_.clock.Now();
  ASSIGN_OR_RETURN(const CheckedMandate checked, ReadMandate(request.mandate().payload()));
  RETURN_IF_ERROR(CheckGrantor(checked.mandate.grantor(), caller));
  ASSIGN_OR_RETURN(StoredParticipant entry, LoadEntry(store, caller.label()));
  v1::Participant& grantor = *entry.mutable_participant();
  RETURN_IF_ERROR(CheckSigner(request.mandate(), kMandatePayload, grantor, now));
  RETURN_IF_ERROR(CheckSigner(request.mandate(), kMandatePayload, grantor, checked.valid_from));
  if (const SignedEnvelope* listed = FindListed<v1::Mandate>(grantor.mandates(), checked.mandate.id())) {
    if (listed->payload() == request.mandate().payload()) return Unchanged<v1::FileMandateResponse>(store);
    return absl::AlreadyExistsError(
        absl::StrCat("mandate `", checked.mandate.id(), "` was filed with other content: take a new id"));
  }
  if (checked.valid_until <= now) {
    return InvalidArgument({"MANDATE_OVER", "valid_until", absl::FormatTime(checked.valid_until),
                            "a time that is still to come"});
  }
  RETURN_IF_ERROR(CheckHolder(store, checked.mandate.holder()));
  RETURN_IF_ERROR(MakeRoom(now, grantor));
  *grantor.add_mandates() = request.mandate();
  return Filed<v1::FileMandateResponse>(context_, std::move(entry), "mandate-filed", caller,
                                        request.mandate());
}

void MandateRegistry::FileRevocation(const Caller& caller, const v1::FileRevocationRequest& request,
                                     Done<v1::FileRevocationResponse> done) {
  Act<v1::FileRevocationResponse>(
      context_.journal, [this, caller, request] { return DecideRevocation(caller, request); },
      AfterListing(lists_, std::move(done)));
}

absl::StatusOr<Decision<v1::FileRevocationResponse>> MandateRegistry::DecideRevocation(
    const Caller& caller, const v1::FileRevocationRequest& request) const {
  const store::Store& store = context_.journal.store();
  ASSIGN_OR_RETURN(const v1::MandateRevocation revocation, ReadRevocation(request.revocation().payload()));
  RETURN_IF_ERROR(CheckGrantor(revocation.grantor(), caller));
  ASSIGN_OR_RETURN(StoredParticipant entry, LoadEntry(store, caller.label()));
  v1::Participant& grantor = *entry.mutable_participant();
  RETURN_IF_ERROR(
      CheckSigner(request.revocation(), kMandateRevocationPayload, grantor, context_.clock.Now()));
  if (FindListed<v1::Mandate>(grantor.mandates(), revocation.id()) == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("mandate `", revocation.id(), "` was not filed by the calling participant, or is over"));
  }
  if (FindListed<v1::MandateRevocation>(grantor.revocations(), revocation.id()) != nullptr) {
    return Unchanged<v1::FileRevocationResponse>(store);
  }
  *grantor.add_revocations() = request.revocation();
  return Filed<v1::FileRevocationResponse>(context_, std::move(entry), "mandate-revoked", caller,
                                           request.revocation());
}

}  // namespace tsunagi::identity
