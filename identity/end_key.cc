// ParticipantKeys::EndKey.
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/requests.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/checks.h"
#include "identity/entries.h"
#include "identity/participant_keys.h"

namespace tsunagi::identity {
namespace {

constexpr size_t kMaxReason = 500;

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
  return absl::NotFoundError(absl::StrCat("participant `", participant.label(), "` lists no key `", key_id,
                                          "`: the directory shows its keys"));
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

absl::StatusOr<Decision<v1::EndKeyResponse>> ParticipantKeys::DecideEndKey(
    const Caller& caller, const v1::EndKeyRequest& request) const {
  const store::Store& store = context_.journal.store();
  const absl::Time now = context_.clock.Now();
  const audit::RequestKey key = {caller.did(), "EndKey", request.request_id(),
                                 crypto::Sha256(Encode(request))};
  Decision<v1::EndKeyResponse> decision;
  ASSIGN_OR_RETURN(const std::optional<std::string> replied, audit::FindReply(store, key));
  if (replied.has_value()) {
    RETURN_IF_ERROR(Decode(*replied, "stored reply", decision.reply));
    return decision;
  }
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
  ASSIGN_OR_RETURN(const absl::Time end, EndOf(request, now));
  ASSIGN_OR_RETURN(StoredParticipant entry, FindEntry(store, request.participant()));
  if (entry.participant().label() == kRegistrarLabel) {
    return absl::FailedPreconditionError("the registrar's own keys are rotated: `tsunagi authority rotate`");
  }
  RETURN_IF_ERROR(End(request.key_id(), end, *entry.mutable_participant()));
  audit::Commit commit;
  ASSIGN_OR_RETURN(const EntryChange change, AddEntryChange(context_, entry, commit));
  decision.reply.set_directory_version(change.directory_version);
  commit.reads.push_back(audit::StoredRequestKey(key));
  audit::RememberReply(key, Encode(decision.reply), now, commit.writes);
  commit.record = EncodeRecord(
      {"key-ended", entry.participant().did(), change.digest, ByOf(caller), request.reason()}, now);
  decision.commit = std::move(commit);
  return decision;
}

}  // namespace tsunagi::identity
