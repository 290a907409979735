// ParticipantKeys::EndKey.
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/checks.h"
#include "identity/entries.h"
#include "identity/once.h"
#include "identity/participant_keys.h"
#include "identity/proposals.h"

namespace tsunagi::identity {
namespace {

constexpr size_t kMaxReason = 500;

absl::Status NoSuchKey(const v1::Participant& participant, absl::string_view key_id) {
  return absl::NotFoundError(absl::StrCat("participant `", participant.label(), "` lists no key `", key_id,
                                          "`: the directory shows its keys"));
}

// Ends the key at `end`; an end is only ever moved forward.
absl::Status End(absl::string_view key_id, absl::Time end, v1::Participant& participant) {
  for (v1::ParticipantKey& key : *participant.mutable_keys()) {
    if (key.key_id() != key_id) continue;
    ASSIGN_OR_RETURN(const absl::Time from, FromProto(key.valid_from()));
    if (end < from) {
      return InvalidArgument(
          {"END_TOO_EARLY", "end_time", absl::FormatTime(end, absl::UTCTimeZone()),
           absl::StrCat("not before the key began, ", absl::FormatTime(from, absl::UTCTimeZone()))});
    }
    if (key.has_valid_until()) {
      ASSIGN_OR_RETURN(const absl::Time until, FromProto(key.valid_until()));
      if (until <= end) {
        return absl::FailedPreconditionError(absl::StrCat(
            "key `", key_id, "` ended at ", absl::FormatTime(until, absl::UTCTimeZone()), " already"));
      }
    }
    *key.mutable_valid_until() = ToProto(end);
    return absl::OkStatus();
  }
  return NoSuchKey(participant, key_id);
}

absl::StatusOr<absl::Time> EndOf(const v1::EndKeyRequest& request, absl::Time now) {
  if (!request.has_end_time()) return now;
  ASSIGN_OR_RETURN(const absl::Time end, FromProto(request.end_time()));
  if (end <= now) return end;
  return InvalidArgument({"END_IN_THE_FUTURE", "end_time", absl::FormatTime(end, absl::UTCTimeZone()),
                          "a time that is past: since when the key is in other hands"});
}

}  // namespace

void ParticipantKeys::EndKey(const Caller& caller, const v1::EndKeyRequest& request,
                             Done<v1::EndKeyResponse> done) {
  using Reply = v1::EndKeyResponse;
  Act<Reply>(
      context_.journal, [this, caller, request] { return DecideEndKey(caller, request); },
      [this, done = std::move(done)](absl::StatusOr<Reply> reply) {
        if (!reply.ok()) return done(std::move(reply));
        lists_.GetDirectory(
            [done, reply = *std::move(reply)](absl::StatusOr<SignedLists::Directory> directory) {
              directory.ok() ? done(reply) : done(directory.status());
            });
      });
}

absl::StatusOr<std::string> BasisOfKeyEnd(const store::Store& store, const v1::EndKeyRequest& request) {
  ASSIGN_OR_RETURN(const StoredParticipant entry, FindEntry(store, request.participant()));
  for (const v1::ParticipantKey& key : entry.participant().keys()) {
    if (key.key_id() == request.key_id()) return crypto::Sha256(Encode(key));
  }
  return NoSuchKey(entry.participant(), request.key_id());
}

absl::StatusOr<v1::EndKeyResponse> AddKeyEnd(const RegistrarContext& context, const std::string& by,
                                             const v1::EndKeyRequest& request, audit::Commit& commit) {
  const absl::Time now = context.clock.Now();
  ASSIGN_OR_RETURN(const absl::Time end, EndOf(request, now));
  ASSIGN_OR_RETURN(StoredParticipant entry, FindEntry(context.journal.store(), request.participant()));
  if (entry.participant().label() == kRegistrarLabel) {
    return absl::FailedPreconditionError("the registrar's own keys are rotated: `tsunagi authority rotate`");
  }
  RETURN_IF_ERROR(End(request.key_id(), end, *entry.mutable_participant()));
  ASSIGN_OR_RETURN(const EntryChange change, AddEntryChange(context, entry, commit));
  v1::EndKeyResponse reply;
  reply.set_directory_version(change.directory_version);
  commit.record =
      EncodeRecord({"key-ended", entry.participant().did(), change.digest, by, request.reason()}, now);
  return reply;
}

absl::StatusOr<Decision<v1::EndKeyResponse>> ParticipantKeys::DecideEndKey(
    const Caller& caller, const v1::EndKeyRequest& request) const {
  return Once<v1::EndKeyResponse>(
      context_, caller, "EndKey", request, [&]() -> absl::StatusOr<Decision<v1::EndKeyResponse>> {
        RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
        Decision<v1::EndKeyResponse> decision;
        audit::Commit commit;
        // Also when it is only proposed: what cannot be done is told at once.
        ASSIGN_OR_RETURN(decision.reply, AddKeyEnd(context_, ByOf(caller), request, commit));
        if (context_.options.two_person_approval) {
          ASSIGN_OR_RETURN(decision.reply, ProposeKeyEnd(caller, request, commit));
        }
        decision.commit = std::move(commit);
        return decision;
      });
}

absl::StatusOr<v1::EndKeyResponse> ParticipantKeys::ProposeKeyEnd(const Caller& caller,
                                                                  const v1::EndKeyRequest& request,
                                                                  audit::Commit& commit) const {
  commit = {};
  v1::Proposal proposal;
  *proposal.mutable_end_key() = request;
  // Since when it counts does not depend on when it is approved.
  if (!request.has_end_time())
    *proposal.mutable_end_key()->mutable_end_time() = ToProto(context_.clock.Now());
  ASSIGN_OR_RETURN(const std::string basis, BasisOfKeyEnd(context_.journal.store(), request));
  v1::EndKeyResponse reply;
  ASSIGN_OR_RETURN(*reply.mutable_pending_id(),
                   EnterProposal(context_, caller, std::move(proposal), basis, request.reason(), commit));
  return reply;
}

}  // namespace tsunagi::identity
