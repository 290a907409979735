// BackupService: a copy of the store for `tsunagi-identity backup` beside a registrar that runs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/audit/journal.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"
#include "tsunagi/identity/v1/backup_service.grpc.pb.h"

namespace tsunagi::identity {

// Where the copy is put, in data_dir.
inline constexpr absl::string_view kStoreCheckpoint = "store-checkpoint";

// Access rows of BackupService.
std::vector<rpc::AccessRow> BackupRows();

// Thread-safe.
class BackupService final : public v1::BackupService::CallbackService {
 public:
  // All but `data_dir` must outlive the service.
  BackupService(rpc::Guard& guard, const audit::Journal& journal, std::string data_dir)
      : guard_(guard), journal_(journal), data_dir_(std::move(data_dir)) {}

  grpc::ServerUnaryReactor* CopyStore(grpc::CallbackServerContext* context,
                                      const v1::CopyStoreRequest* request,
                                      v1::CopyStoreResponse* response) override;

 private:
  rpc::Guard& guard_;
  const audit::Journal& journal_;
  const std::string data_dir_;
  rpc::WorkerPool worker_{1, 1};
};

}  // namespace tsunagi::identity
