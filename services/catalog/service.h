// CatalogService over gRPC.
#pragma once

#include <vector>

#include "catalog/notices.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"
#include "tsunagi/catalog/v1/catalog_service.grpc.pb.h"

namespace tsunagi::catalog {

// Access rows of CatalogService.
std::vector<rpc::AccessRow> CatalogRows();

// Thread-safe.
class CatalogService final : public v1::CatalogService::CallbackService {
 public:
  // All must outlive the service and its calls. Filing runs on `workers`: RESOURCE_EXHAUSTED when they are
  // full.
  CatalogService(rpc::Guard& guard, Notices& notices, rpc::WorkerPool& workers)
      : guard_(guard), notices_(notices), workers_(workers) {}

  grpc::ServerUnaryReactor* FileNotices(grpc::CallbackServerContext* context,
                                        const v1::FileNoticesRequest* request,
                                        v1::FileNoticesResponse* response) override;
  grpc::ServerUnaryReactor* FindHolders(grpc::CallbackServerContext* context,
                                        const v1::FindHoldersRequest* request,
                                        v1::FindHoldersResponse* response) override;

 private:
  rpc::Guard& guard_;
  Notices& notices_;
  rpc::WorkerPool& workers_;
};

}  // namespace tsunagi::catalog
