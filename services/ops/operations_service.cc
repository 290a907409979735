#include "services/ops/operations_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/epoch.h"
#include "core/audit/stamp.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/store/key.h"

namespace tsunagi::ops {
namespace {

// Read on a handler's thread: two reads a leaf.
constexpr int kMaxLeaves = 500;
// Below the message limit of 4 MiB, with room for one record.
constexpr size_t kMaxPageBytes = size_t{3} << 20;

// A stamp has at most 32 KiB, its note 16 KiB: 50 of them are below the message limit.
constexpr int kMaxStamps = 50;

absl::StatusOr<size_t> PageSize(int32_t asked, int most) {
  if (asked >= 0 && asked <= most) return static_cast<size_t>(asked == 0 ? most : asked);
  return InvalidArgument({.reason = "PAGE_SIZE_OUT_OF_RANGE",
                          .field = "page_size",
                          .value = absl::StrCat(asked),
                          .expected = absl::StrCat("0 to ", most)});
}

absl::Status FillLeaves(const audit::Journal& journal, const v1::ListLeavesRequest& request,
                        v1::ListLeavesResponse& response) {
  ASSIGN_OR_RETURN(const size_t limit, PageSize(request.page_size(), kMaxLeaves));
  ASSIGN_OR_RETURN(std::vector<audit::Journal::Leaf> leaves, journal.Leaves(request.start(), limit));
  size_t bytes = 0;
  for (audit::Journal::Leaf& leaf : leaves) {
    bytes += leaf.commitment.size() + leaf.record.size() + leaf.salt.size();
    if (bytes > kMaxPageBytes && response.leaves_size() > 0) break;
    v1::Leaf& out = *response.add_leaves();
    out.set_index(leaf.index);
    out.set_commitment(std::move(leaf.commitment));
    out.set_record(std::move(leaf.record));
    out.set_salt(std::move(leaf.salt));
  }
  return absl::OkStatus();
}

// How the checkpoint goes on from what the caller has, and how its epoch began.
absl::Status FillHistory(const audit::Journal& journal, uint64_t old_size,
                         v1::GetCheckpointResponse& response) {
  ASSIGN_OR_RETURN(const audit::Checkpoint checkpoint,
                   audit::OpenCheckpoint(response.checkpoint(), journal.origin(), journal.log_key()));
  if (old_size <= checkpoint.size) {
    ASSIGN_OR_RETURN(const std::vector<audit::Digest> proof,
                     journal.ConsistencyProof(old_size, checkpoint.size));
    for (const audit::Digest& digest : proof) response.add_consistency(digest);
  }
  ASSIGN_OR_RETURN(const audit::LogEpoch epoch, audit::ParseEpochOrigin(journal.origin()));
  if (epoch.epoch == 1 || checkpoint.size == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(*response.mutable_first_leaf(), journal.Prove(0, response.checkpoint()));
  return absl::OkStatus();
}

absl::Status FillCheckpoint(const audit::Journal& journal, uint64_t old_size,
                            v1::GetCheckpointResponse& response) {
  response.set_checkpoint(journal.LatestCheckpoint());
  RETURN_IF_ERROR(FillHistory(journal, old_size, response));
  absl::StatusOr<std::string> cosigned = journal.store().Get(store::Table::kState, CosignedKey());
  if (cosigned.ok()) response.set_cosigned_checkpoint(*std::move(cosigned));
  return absl::IsNotFound(cosigned.status()) ? absl::OkStatus() : cosigned.status();
}

absl::Status FillStamps(const audit::Journal& journal, const v1::ListStampsRequest& request,
                        v1::ListStampsResponse& response) {
  ASSIGN_OR_RETURN(const size_t limit, PageSize(request.page_size(), kMaxStamps));
  ASSIGN_OR_RETURN(std::vector<audit::KeptStamp> stamps,
                   audit::StampsFrom(journal.store(), request.size(), limit));
  if (stamps.empty()) return absl::OkStatus();
  if (request.size() > 0) {
    ASSIGN_OR_RETURN(const std::vector<audit::Digest> proof,
                     journal.ConsistencyProof(request.size(), stamps.front().size));
    for (const audit::Digest& digest : proof) response.add_consistency(digest);
  }
  for (audit::KeptStamp& kept : stamps) *response.add_stamps() = std::move(kept.stamp);
  return absl::OkStatus();
}

// No process serves without its journal.
void AddJournal(const audit::Journal& journal, v1::GetHealthResponse& health) {
  const absl::Status status = journal.Health();
  if (status.ok()) return;
  health.set_state(v1::HEALTH_STATE_NOT_SERVING);
  health.add_notes(std::string(status.message()));
}

}  // namespace

std::vector<rpc::AccessRow> OperationsRows() {
  return {
      {"/tsunagi.ops.v1.OperationsService/GetHealth", rpc::Who::kOwnParticipant, "", people::kNoRole},
      {"/tsunagi.ops.v1.OperationsService/RenewCertificate", rpc::Who::kOwnOperator, "", people::kOperator},
      {"/tsunagi.ops.v1.OperationsService/GetCheckpoint", rpc::Who::kParticipant},
      {"/tsunagi.ops.v1.OperationsService/ListLeaves", rpc::Who::kOwnOperator, "", people::kAuditor},
      {"/tsunagi.ops.v1.OperationsService/ListStamps", rpc::Who::kParticipant},
  };
}

const std::string& CosignedKey() {
  static const auto& key = *new std::string(store::Key("cosigned").bytes());
  return key;
}

OperationsService::OperationsService(rpc::Guard& guard, const audit::Journal& journal, ProcessHooks hooks)
    : guard_(guard), journal_(journal), hooks_(std::move(hooks)) {}

grpc::ServerUnaryReactor* OperationsService::GetHealth(grpc::CallbackServerContext* context,
                                                       const v1::GetHealthRequest*,
                                                       v1::GetHealthResponse* response) {
  return guard_.Serve(context, [&](const Caller&, const rpc::Finish& finish) {
    *response = hooks_.health();
    AddJournal(journal_, *response);
    finish(absl::OkStatus());
  });
}

grpc::ServerUnaryReactor* OperationsService::RenewCertificate(grpc::CallbackServerContext* context,
                                                              const v1::RenewCertificateRequest*,
                                                              v1::RenewCertificateResponse* response) {
  return guard_.Serve(context, [&, response](const Caller&, const rpc::Finish& finish) {
    hooks_.renew_certificate([response, finish](const absl::StatusOr<absl::Time>& expires) {
      if (expires.ok()) *response->mutable_expire_time() = ToProto(*expires);
      finish(expires.status());
    });
  });
}

grpc::ServerUnaryReactor* OperationsService::GetCheckpoint(grpc::CallbackServerContext* context,
                                                           const v1::GetCheckpointRequest* request,
                                                           v1::GetCheckpointResponse* response) {
  return guard_.Serve(context, [&](const Caller&, const rpc::Finish& finish) {
    finish(FillCheckpoint(journal_, request->old_size(), *response));
  });
}

grpc::ServerUnaryReactor* OperationsService::ListLeaves(grpc::CallbackServerContext* context,
                                                        const v1::ListLeavesRequest* request,
                                                        v1::ListLeavesResponse* response) {
  return guard_.Serve(context, [&](const Caller&, const rpc::Finish& finish) {
    finish(FillLeaves(journal_, *request, *response));
  });
}

grpc::ServerUnaryReactor* OperationsService::ListStamps(grpc::CallbackServerContext* context,
                                                        const v1::ListStampsRequest* request,
                                                        v1::ListStampsResponse* response) {
  return guard_.Serve(context, [&](const Caller&, const rpc::Finish& finish) {
    finish(FillStamps(journal_, *request, *response));
  });
}

}  // namespace tsunagi::ops
