#include "services/process/cosigner.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/audit/checkpoint.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "identity/evidence_keys.h"
#include "services/ops/operations_service.h"

namespace tsunagi::process {
namespace {

// The size that the registrar wants to start from: it knows of a cosignature whose reply we lost.
std::optional<uint64_t> WantedSize(const absl::Status& refusal) {
  const std::optional<ErrorDetail> detail = DetailOf(refusal);
  uint64_t size = 0;
  if (!detail || detail->reason() != "OLD_SIZE_WRONG" || !absl::SimpleAtoi(detail->expected(), &size))
    return {};
  return size;
}

}  // namespace

absl::Status Cosigner::Run(Registrar& registrar) {
  const std::string note = journal_.LatestCheckpoint();
  ASSIGN_OR_RETURN(const audit::Checkpoint checkpoint,
                   audit::OpenCheckpoint(note, journal_.origin(), journal_.log_key()));
  ASSIGN_OR_RETURN(const uint64_t old_size, CosignedSize());
  if (checkpoint.size == old_size && compared_) return absl::OkStatus();
  absl::StatusOr<std::string> cosigned = Submit(registrar, note, old_size, checkpoint.size);
  const std::optional<uint64_t> wanted = WantedSize(cosigned.status());
  if (wanted && *wanted <= checkpoint.size) cosigned = Submit(registrar, note, *wanted, checkpoint.size);
  if (!cosigned.ok()) StopIfAnotherLog(cosigned.status());
  RETURN_IF_ERROR(cosigned.status());
  compared_ = true;
  RETURN_IF_ERROR(CheckCosigned(note, *cosigned));
  return Keep(*cosigned);
}

// Whoever has a receipt of the longer log could show two histories: not one leaf more.
void Cosigner::StopIfAnotherLog(const absl::Status& refusal) {
  const std::optional<ErrorDetail> detail = DetailOf(refusal);
  if (!detail || (detail->reason() != "VIEW_SMALLER" && detail->reason() != "VIEW_FORKED")) return;
  journal_.RefuseWrites(absl::FailedPreconditionError(
      absl::StrCat("log `", journal_.origin(), "` is not the one that the registrar cosigned up to leaf ",
                   detail->expected(),
                   ": it was restored from an older copy or lost leaves; put the newest store back, or see "
                   "`After a restore` in docs/operations.md")));
}

absl::StatusOr<uint64_t> Cosigner::CosignedSize() const {
  const absl::StatusOr<std::string> kept = journal_.store().Get(store::Table::kState, ops::CosignedKey());
  if (absl::IsNotFound(kept.status())) return 0;
  RETURN_IF_ERROR(kept.status());
  ASSIGN_OR_RETURN(const audit::Checkpoint checkpoint,
                   audit::OpenCheckpoint(*kept, journal_.origin(), journal_.log_key()));
  return checkpoint.size;
}

absl::StatusOr<std::string> Cosigner::Submit(Registrar& registrar, const std::string& note, uint64_t old_size,
                                             uint64_t new_size) const {
  identity::v1::CosignCheckpointRequest request;
  request.set_checkpoint(note);
  request.set_old_size(old_size);
  if (old_size > 0) {
    ASSIGN_OR_RETURN(const std::vector<audit::Digest> proof, journal_.ConsistencyProof(old_size, new_size));
    for (const audit::Digest& digest : proof) request.add_consistency(digest);
  }
  ASSIGN_OR_RETURN(auto response, registrar.CosignCheckpoint(request));
  return std::move(*response.mutable_checkpoint());
}

absl::Status Cosigner::CheckCosigned(const std::string& note, const std::string& cosigned) const {
  // Opening it checks the signature, so equal sizes are the same checkpoint.
  ASSIGN_OR_RETURN(const audit::Checkpoint ours,
                   audit::OpenCheckpoint(note, journal_.origin(), journal_.log_key()));
  ASSIGN_OR_RETURN(const audit::Checkpoint theirs,
                   audit::OpenCheckpoint(cosigned, journal_.origin(), journal_.log_key()));
  if (ours.size != theirs.size) return absl::DataLossError("the registrar cosigned another checkpoint");
  return identity::CosignedAt(*trust_.View(), trust_.federation(), cosigned).status();
}

absl::Status Cosigner::Keep(const std::string& cosigned) {
  audit::Commit commit;
  commit.writes.push_back(store::Put(store::Table::kState, ops::CosignedKey(), cosigned));
  return journal_.SubmitAndWait(std::move(commit)).status();
}

}  // namespace tsunagi::process
