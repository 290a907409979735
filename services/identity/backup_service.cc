#include "services/identity/backup_service.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "identity/names.h"
#include "services/rpc/reply.h"

namespace tsunagi::identity {

std::vector<rpc::AccessRow> BackupRows() {
  return {{"/tsunagi.identity.v1.BackupService/CopyStore", rpc::Who::kOwnProcess, kRegistrarLabel}};
}

grpc::ServerUnaryReactor* BackupService::CopyStore(grpc::CallbackServerContext* context,
                                                   const v1::CopyStoreRequest*,
                                                   v1::CopyStoreResponse* response) {
  return guard_.Serve(
      context, rpc::OnPool(worker_, response, [this](const Caller&) -> absl::StatusOr<v1::CopyStoreResponse> {
        RETURN_IF_ERROR(journal_.store().CopyTo(absl::StrCat(data_dir_, "/", kStoreCheckpoint)));
        return v1::CopyStoreResponse();
      }));
}

}  // namespace tsunagi::identity
