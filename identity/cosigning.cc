#include "identity/cosigning.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/checkpoint.h"
#include "core/audit/merkle.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/store/key.h"
#include "identity/entries.h"
#include "identity/members.h"
#include "identity/trust.h"

namespace tsunagi::identity {
namespace {

using audit::Checkpoint;
using internal::v1::StoredCosigned;

constexpr size_t kMaxNote = 16 << 10;
constexpr int kMaxProof = 64;

std::string CosignedKey(absl::string_view origin) { return store::Key("cosigned").Str(origin); }

absl::Status Refused(absl::string_view reason, absl::string_view expected, absl::string_view message) {
  ErrorDetail detail;
  detail.set_reason(std::string(reason));
  detail.set_field("checkpoint");
  detail.set_expected(std::string(expected));
  return WithDetail(absl::FailedPreconditionError(message), detail);
}

// The checkpoint, signed by a key that the caller lists for the log of its process and that counts now.
absl::StatusOr<Checkpoint> OpenNote(const StoredParticipant& entry, const std::string& note,
                                    const std::string& origin, absl::Time now) {
  Party party;
  party.participant = entry.participant();
  absl::Status last = absl::PermissionDeniedError(absl::StrCat("no key is listed for log `", origin, "`"));
  for (const v1::ParticipantKey& listed : party.participant.keys()) {
    if (listed.log_origin() != origin || !party.KeyCountsAt(listed.key_id(), now).ok()) continue;
    ASSIGN_OR_RETURN(const crypto::PublicKey key, party.FindKey(listed.key_id(), v1::KEY_PURPOSE_LOG));
    absl::StatusOr<Checkpoint> opened = audit::OpenCheckpoint(note, origin, key);
    if (opened.ok()) return opened;
    last = absl::InvalidArgumentError(
        absl::StrCat("checkpoint is not one of log `", origin, "`: ", opened.status().message()));
  }
  return last;
}

absl::StatusOr<StoredCosigned> LoadCosigned(const store::Store& store, absl::string_view origin) {
  StoredCosigned cosigned;
  const absl::StatusOr<std::string> bytes = store.Get(store::Table::kState, CosignedKey(origin));
  if (absl::IsNotFound(bytes.status())) {
    cosigned.set_root(audit::RootOf({}));
    return cosigned;
  }
  RETURN_IF_ERROR(bytes.status());
  RETURN_IF_ERROR(Decode(*bytes, "cosigned checkpoint", cosigned));
  return cosigned;
}

absl::Status CheckExtends(const StoredCosigned& last, const Checkpoint& next,
                          const v1::CosignCheckpointRequest& request) {
  if (next.size < last.size()) {
    return Refused("VIEW_SMALLER", absl::StrCat(last.size()),
                   absl::StrCat("log `", next.origin, "` has ", next.size, " leaves, but ", last.size(),
                                " were cosigned: it lost some, or was restored"));
  }
  if (request.old_size() != last.size()) {
    return Refused("OLD_SIZE_WRONG", absl::StrCat(last.size()),
                   absl::StrCat("consistency starts from size ", request.old_size(), ": expected ",
                                last.size(), ", the last one that was cosigned"));
  }
  const std::vector<audit::Digest> proof(request.consistency().begin(), request.consistency().end());
  if (audit::VerifyConsistency(last.size(), last.root(), next.size, next.root, proof).ok())
    return absl::OkStatus();
  return Refused("VIEW_FORKED", absl::StrCat(last.size()),
                 absl::StrCat("log `", next.origin, "` at size ", next.size,
                              " does not extend the tree of size ", last.size(), " that was cosigned"));
}

}  // namespace

void Cosigning::Cosign(const Caller& caller, const v1::CosignCheckpointRequest& request,
                       Done<v1::CosignCheckpointResponse> done) {
  Act<v1::CosignCheckpointResponse>(
      context_.journal, [this, caller, request] { return Decide(caller, request); }, std::move(done));
}

absl::StatusOr<Decision<v1::CosignCheckpointResponse>> Cosigning::Decide(
    const Caller& caller, const v1::CosignCheckpointRequest& request) const {
  if (request.checkpoint().size() > kMaxNote || request.consistency_size() > kMaxProof) {
    return absl::InvalidArgumentError("checkpoint or consistency proof is too long");
  }
  const store::Store& store = context_.journal.store();
  const absl::Time now = context_.clock.Now();
  ASSIGN_OR_RETURN(const StoredParticipant entry, LoadEntry(store, caller.label()));
  RETURN_IF_ERROR(CheckActs(entry));
  const std::string origin = LogOrigin(caller.process(), caller.label(), context_.options.federation);
  ASSIGN_OR_RETURN(const Checkpoint next, OpenNote(entry, request.checkpoint(), origin, now));
  ASSIGN_OR_RETURN(const StoredCosigned last, LoadCosigned(store, origin));
  if (absl::Status extends = CheckExtends(last, next, request); !extends.ok()) {
    log::Warning("checkpoint refused", {{"origin", origin}, {"reason", std::string(extends.message())}});
    return extends;
  }
  Decision<v1::CosignCheckpointResponse> decision;
  ASSIGN_OR_RETURN(*decision.reply.mutable_checkpoint(),
                   audit::Cosign(request.checkpoint(), WitnessName(context_.options.federation),
                                 context_.authority.Get()->witness, now));
  StoredCosigned cosigned;
  cosigned.set_size(next.size);
  cosigned.set_root(next.root);
  audit::Commit commit;
  commit.reads = {CosignedKey(origin), EntryKey(caller.label())};
  commit.writes = {store::Put(store::Table::kState, CosignedKey(origin), Encode(cosigned))};
  commit.record = EncodeRecord(
      {"cosigned", caller.did(), crypto::Sha256(decision.reply.checkpoint()), ByOf(caller)}, now);
  decision.commit = std::move(commit);
  return decision;
}

}  // namespace tsunagi::identity
