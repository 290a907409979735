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
  // All must outlive the service and its calls. Filing runs on `inbound`: RESOURCE_EXHAUSTED when it is
  // full. It must not be a pool whose jobs wait for a catalog: filing would wait for itself.
  CatalogService(rpc::Guard& guard, Notices& notices, rpc::WorkerPool& inbound)
      : guard_(guard), notices_(notices), inbound_(inbound) {}

  grpc::ServerUnaryReactor* FileNotices(grpc::CallbackServerContext* context,
                                        const v1::FileNoticesRequest* request,
                                        v1::FileNoticesResponse* response) override;
  grpc::ServerUnaryReactor* FindHolders(grpc::CallbackServerContext* context,
                                        const v1::FindHoldersRequest* request,
                                        v1::FindHoldersResponse* response) override;

 private:
  rpc::Guard& guard_;
  Notices& notices_;
  rpc::WorkerPool& inbound_;
};

}  // namespace tsunagi::catalog
