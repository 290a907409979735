#include "services/process/registrar_log.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/epoch.h"
#include "core/audit/merkle.h"
#include "core/audit/receipt.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/names.h"

namespace tsunagi::process {
namespace {

using audit::Checkpoint;
using audit::LogEpoch;

constexpr size_t kMaxNote = 16 << 10;

absl::Status AnotherHistory(absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("the registrar's log is not the one that this process saw: ", what,
                   "; ask the registrar, and keep `registrar-checkpoint` as the proof"));
}

absl::StatusOr<audit::v1::EpochRecord> BeginningOf(const ops::v1::GetCheckpointResponse& response,
                                                   const Checkpoint& next, const crypto::PublicKey& log_key) {
  const audit::v1::LogProof& proof = response.first_leaf();
  if (proof.leaf_index() != 0 || proof.checkpoint() != response.checkpoint()) {
    return AnotherHistory("its new epoch does not prove its first leaf");
  }
  RETURN_IF_ERROR(audit::VerifyLogProof(proof, next.origin, log_key).status());
  audit::v1::Record record;
  RETURN_IF_ERROR(Decode(proof.record(), "first leaf", record));
  if (!record.has_epoch()) return AnotherHistory("the first leaf of its new epoch names no epoch before");
  return record.epoch();
}

}  // namespace

RegistrarLog::RegistrarLog(std::string data_dir, const identity::TrustStore& trust)
    : path_(std::move(data_dir) + "/registrar-checkpoint"),
      trust_(trust),
      log_(identity::LogOrigin(identity::kRegistrarLabel, identity::kRegistrarLabel, trust.federation())) {
  newest_ = ReadFile(path_, kMaxNote).value_or("");
}

std::string RegistrarLog::Newest() const {
  MutexLock lock(mutex_);
  return newest_;
}

std::string RegistrarLog::Alarm() const {
  MutexLock lock(mutex_);
  return alarm_.empty() ? lost_ : alarm_;
}

absl::Status RegistrarLog::Look(Registrar& registrar) {
  MutexLock looking(looking_);
  const std::string known = Newest();
  uint64_t old_size = 0;
  if (!known.empty()) {
    ASSIGN_OR_RETURN(const Checkpoint kept, Open(known));
    old_size = kept.size;
  }
  ASSIGN_OR_RETURN(const ops::v1::GetCheckpointResponse response, registrar.GetCheckpoint(old_size));
  ASSIGN_OR_RETURN(const Checkpoint next, Open(response.checkpoint()));
  const absl::Status follows = known.empty() ? absl::OkStatus() : CheckFollows(known, response, next);
  {
    MutexLock lock(mutex_);
    alarm_ = std::string(follows.message());
  }
  if (!follows.ok()) log::Error("the registrar's log", {{"reason", std::string(follows.message())}});
  RETURN_IF_ERROR(follows);
  return response.checkpoint() == known ? absl::OkStatus() : Keep(response.checkpoint());
}

// The key that the directory lists for the registrar's log: of every epoch.
absl::StatusOr<crypto::PublicKey> RegistrarLog::Key() const {
  ASSIGN_OR_RETURN(const auto party, trust_.View()->Find(identity::kRegistrarLabel));
  for (const identity::v1::ParticipantKey& key : party->participant.keys()) {
    if (key.log_origin() == log_) return crypto::PublicKey::FromDer(key.public_key());
  }
  return absl::NotFoundError(absl::StrCat("the directory lists no key of log `", log_, "`"));
}

// A checkpoint of the registrar's log, of any epoch.
absl::StatusOr<Checkpoint> RegistrarLog::Open(absl::string_view note) const {
  ASSIGN_OR_RETURN(const LogEpoch claimed, audit::ParseEpochOrigin(audit::ClaimedOrigin(note)));
  if (claimed.log != log_) return absl::DataLossError("the checkpoint is of another log");
  ASSIGN_OR_RETURN(const crypto::PublicKey key, Key());
  return audit::OpenCheckpoint(note, audit::ClaimedOrigin(note), key);
}

absl::Status RegistrarLog::CheckFollows(const std::string& known,
                                        const ops::v1::GetCheckpointResponse& response,
                                        const Checkpoint& next) {
  ASSIGN_OR_RETURN(const Checkpoint before, Open(known));
  ASSIGN_OR_RETURN(const LogEpoch old_epoch, audit::ParseEpochOrigin(before.origin));
  ASSIGN_OR_RETURN(const LogEpoch new_epoch, audit::ParseEpochOrigin(next.origin));
  if (new_epoch.epoch < old_epoch.epoch) {
    return AnotherHistory(absl::StrCat("it shows epoch ", new_epoch.epoch, " after ", old_epoch.epoch));
  }
  if (new_epoch.epoch > old_epoch.epoch) return CheckNewEpoch(before, response, next);
  if (next.size < before.size) {
    return AnotherHistory(absl::StrCat("it has ", next.size, " leaves after ", before.size));
  }
  const std::vector<audit::Digest> proof(response.consistency().begin(), response.consistency().end());
  if (audit::VerifyConsistency(before.size, before.root, next.size, next.root, proof).ok())
    return absl::OkStatus();
  return AnotherHistory(
      absl::StrCat("at ", next.size, " leaves it does not go on from the tree of ", before.size));
}

// Epochs that this process never saw may lie between.
absl::Status RegistrarLog::CheckNewEpoch(const Checkpoint& before,
                                         const ops::v1::GetCheckpointResponse& response,
                                         const Checkpoint& next) {
  ASSIGN_OR_RETURN(const LogEpoch new_epoch, audit::ParseEpochOrigin(next.origin));
  ASSIGN_OR_RETURN(const crypto::PublicKey key, Key());
  ASSIGN_OR_RETURN(const audit::v1::EpochRecord beginning, BeginningOf(response, next, key));
  if (beginning.origin() != audit::EpochOrigin(log_, new_epoch.epoch - 1)) {
    return AnotherHistory("the first leaf of its new epoch names another epoch than the one before");
  }
  const bool same_epoch = beginning.origin() == before.origin;
  if (same_epoch && beginning.size() == before.size && beginning.root() != before.root) {
    return AnotherHistory("the first leaf of its new epoch names another tree than the one before");
  }
  ASSIGN_OR_RETURN(const LogEpoch old_epoch, audit::ParseEpochOrigin(before.origin));
  RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(path_, "-", old_epoch.epoch), Newest(), 0600));
  log::Warning("the registrar's log began a new epoch", {{"origin", next.origin},
                                                         {"names_leaves", absl::StrCat(beginning.size())},
                                                         {"seen_leaves", absl::StrCat(before.size)}});
  if (!same_epoch || beginning.size() >= before.size) return absl::OkStatus();
  MutexLock lock(mutex_);
  lost_ = absl::StrCat("the registrar's log was begun anew from leaf ", beginning.size(),
                       ", this process saw ", before.size, ": the registrar lost acts that `",
                       "registrar-checkpoint-", old_epoch.epoch, "` proves; tell the registrar");
  return absl::OkStatus();
}

absl::Status RegistrarLog::Keep(const std::string& note) {
  RETURN_IF_ERROR(WriteFileAtomically(path_, note, 0600));
  MutexLock lock(mutex_);
  newest_ = note;
  return absl::OkStatus();
}

}  // namespace tsunagi::process
