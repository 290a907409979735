#include "identity/participants.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/audit/requests.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/checks.h"
#include "identity/entries.h"
#include "identity/public_documents.h"

namespace tsunagi::identity {
namespace {

using store::Table;

constexpr int kMaxPage = 1000;
constexpr int kDefaultPage = 100;
// A response stays below the 4 MiB that a message may have.
constexpr size_t kMaxPageBytes = 3 << 20;
constexpr size_t kMaxReason = 500;

audit::RequestKey KeyOf(const Caller& caller, absl::string_view method, absl::string_view request_id,
                        const google::protobuf::Message& request) {
  return {caller.did(), method, request_id, crypto::Sha256(Encode(request))};
}

// The DID that the participant gets: its own, or the one that the registrar hosts for its label.
absl::StatusOr<std::string> DidOf(const v1::Participant& participant, const RegistrarOptions& options) {
  const std::string hosted = HostedDid(options.did_host, participant.label());
  if (participant.did().empty() || participant.did() == hosted) return hosted;
  RETURN_IF_ERROR(Did::Parse(participant.did()).status());
  if (!absl::StartsWith(participant.did(), HostedDid(options.did_host, ""))) return participant.did();
  return InvalidArgument({"DID_OF_ANOTHER", "did", participant.did(),
                          absl::StrCat("`", hosted, "`, or a DID that the registrar does not host")});
}

// Takes a value that only one participant may have, for `label`.
absl::Status Claim(const store::Store& store, absl::string_view kind, absl::string_view value,
                   absl::string_view label, audit::Commit& commit) {
  const std::string key = ClaimKey(kind, value);
  const absl::StatusOr<std::string> holder = store.Get(Table::kState, key);
  if (holder.ok()) {
    return absl::AlreadyExistsError(
        absl::StrCat(kind, " `", value, "` belongs to participant `", *holder, "`"));
  }
  if (!absl::IsNotFound(holder.status())) return holder.status();
  commit.reads.push_back(key);
  commit.writes.push_back(store::Put(Table::kState, key, std::string(label)));
  return absl::OkStatus();
}

absl::Status ClaimAll(const store::Store& store, const v1::Participant& participant, audit::Commit& commit) {
  RETURN_IF_ERROR(Claim(store, "did", participant.did(), participant.label(), commit));
  for (const std::string& identifier : IdentifierClaims(participant)) {
    RETURN_IF_ERROR(Claim(store, "identifier", identifier, participant.label(), commit));
  }
  for (const std::string& space : NamespaceClaims(participant)) {
    RETURN_IF_ERROR(Claim(store, "namespace", space, participant.label(), commit));
  }
  return absl::OkStatus();
}

// What the registrar decides about a participant: nothing that the participant lists itself.
v1::Participant Registered(const v1::Participant& requested, std::string did) {
  v1::Participant participant = requested;
  participant.set_did(std::move(did));
  participant.clear_keys();
  participant.clear_endpoints();
  participant.clear_mandates();
  participant.clear_revocations();
  participant.clear_version();
  participant.DiscardUnknownFields();
  return participant;
}

}  // namespace

void Participants::Register(const Caller& caller, const v1::RegisterParticipantRequest& request,
                            Done<v1::RegisterParticipantResponse> done) {
  using Reply = v1::RegisterParticipantResponse;
  Act<Reply>(
      context_.journal, [this, caller, request] { return DecideRegister(caller, request); },
      [this, done = std::move(done)](absl::StatusOr<Reply> reply) {
        if (!reply.ok()) return done(std::move(reply));
        // Acknowledged once the registrar's own trust view has it: the next call may name the participant.
        lists_.GetDirectory(
            [done, reply = *std::move(reply)](absl::StatusOr<SignedLists::Directory> directory) {
              directory.ok() ? done(reply) : done(directory.status());
            });
      });
}

absl::StatusOr<Decision<v1::RegisterParticipantResponse>> Participants::DecideRegister(
    const Caller& caller, const v1::RegisterParticipantRequest& request) const {
  const store::Store& store = context_.journal.store();
  const audit::RequestKey key = KeyOf(caller, "RegisterParticipant", request.request_id(), request);
  Decision<v1::RegisterParticipantResponse> decision;
  ASSIGN_OR_RETURN(const std::optional<std::string> replied, audit::FindReply(store, key));
  if (replied.has_value()) {
    RETURN_IF_ERROR(Decode(*replied, "stored reply", decision.reply));
    return decision;
  }
  RETURN_IF_ERROR(Label::Parse(request.participant().label()).status());
  RETURN_IF_ERROR(CheckParticipant(request.participant()));
  ASSIGN_OR_RETURN(std::string did, DidOf(request.participant(), context_.options));
  StoredParticipant entry;
  *entry.mutable_participant() = Registered(request.participant(), std::move(did));
  if (LoadEntry(store, entry.participant().label()).ok()) {
    return absl::AlreadyExistsError(
        absl::StrCat("label `", entry.participant().label(), "` is taken: choose another one"));
  }
  audit::Commit commit;
  RETURN_IF_ERROR(ClaimAll(store, entry.participant(), commit));
  ASSIGN_OR_RETURN(const EntryChange change, AddEntryChange(context_, entry, commit));
  *decision.reply.mutable_participant() = entry.participant();
  commit.reads.push_back(audit::StoredRequestKey(key));
  audit::RememberReply(key, Encode(decision.reply), context_.clock.Now(), commit.writes);
  commit.record = EncodeRecord({"registered", entry.participant().did(), change.digest, ByOf(caller)},
                               context_.clock.Now());
  decision.commit = std::move(commit);
  return decision;
}

void Participants::SetSuspended(const Caller& caller, const v1::SetSuspendedRequest& request,
                                Done<v1::SetSuspendedResponse> done) {
  using Reply = v1::SetSuspendedResponse;
  Act<Reply>(
      context_.journal, [this, caller, request] { return DecideSuspended(caller, request); },
      [this, done = std::move(done)](absl::StatusOr<Reply> reply) {
        if (!reply.ok()) return done(std::move(reply));
        // Acknowledged once the registrar itself refuses the participant.
        lists_.GetStatusList([done, reply = *std::move(reply)](absl::StatusOr<SignedLists::StatusList> list) {
          list.ok() ? done(reply) : done(list.status());
        });
      });
}

absl::StatusOr<Decision<v1::SetSuspendedResponse>> Participants::DecideSuspended(
    const Caller& caller, const v1::SetSuspendedRequest& request) const {
  const store::Store& store = context_.journal.store();
  const audit::RequestKey key = KeyOf(caller, "SetSuspended", request.request_id(), request);
  Decision<v1::SetSuspendedResponse> decision;
  ASSIGN_OR_RETURN(const std::optional<std::string> replied, audit::FindReply(store, key));
  if (replied.has_value()) {
    RETURN_IF_ERROR(Decode(*replied, "stored reply", decision.reply));
    return decision;
  }
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
  ASSIGN_OR_RETURN(StoredParticipant entry, FindEntry(store, request.participant()));
  if (entry.participant().label() == kRegistrarLabel) {
    return absl::FailedPreconditionError("the registrar cannot be suspended");
  }
  ASSIGN_OR_RETURN(v1::StatusList list, LoadStatus(store));
  const std::string& did = entry.participant().did();
  v1::StatusList changed = list;
  changed.clear_suspended();
  for (const std::string& suspended : list.suspended()) {
    if (suspended != did) changed.add_suspended(suspended);
  }
  if (request.suspended()) changed.add_suspended(did);
  changed.set_version(list.version() + 1);
  entry.set_suspended(request.suspended());
  decision.reply.set_status_version(changed.version());

  audit::Commit commit;
  const std::string entry_key = EntryKey(entry.participant().label());
  commit.reads = {entry_key, StatusKey(), audit::StoredRequestKey(key)};
  commit.writes = {store::Put(Table::kState, entry_key, Encode(entry)),
                   store::Put(Table::kState, StatusKey(), Encode(changed))};
  audit::RememberReply(key, Encode(decision.reply), context_.clock.Now(), commit.writes);
  commit.record = EncodeRecord(
      {request.suspended() ? "suspended" : "reinstated", did, "", ByOf(caller), request.reason()},
      context_.clock.Now());
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<v1::ListParticipantsResponse> Participants::List(
    const v1::ListParticipantsRequest& request) const {
  if (request.page_size() < 0 || request.page_size() > kMaxPage) {
    return InvalidArgument(
        {"PAGE_SIZE_INVALID", "page_size", absl::StrCat(request.page_size()), "0 to 1000"});
  }
  const int page_size = request.page_size() == 0 ? kDefaultPage : request.page_size();
  std::string start;
  if (!request.page_token().empty()) {
    RETURN_IF_ERROR(Annotate(Label::Parse(request.page_token()).status(), "page_token"));
    start = EntryKey(request.page_token());
  }
  v1::ListParticipantsResponse response;
  absl::Status broken;
  size_t bytes = 0;
  RETURN_IF_ERROR(context_.journal.store().Scan(
      Table::kState, EntryPrefix(), start, [&](absl::string_view, absl::string_view value) {
        StoredParticipant entry;
        broken = Decode(value, "stored participant", entry);
        if (!broken.ok()) return false;
        bytes += value.size();
        if (response.participants_size() == page_size || bytes > kMaxPageBytes) {
          response.set_next_page_token(entry.participant().label());
          return false;
        }
        v1::ListedParticipant& row = *response.add_participants();
        row.set_suspended(entry.suspended());
        *row.mutable_participant() = std::move(*entry.mutable_participant());
        return true;
      }));
  RETURN_IF_ERROR(broken);
  return response;
}

}  // namespace tsunagi::identity
