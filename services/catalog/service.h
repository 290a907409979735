// The gRPC face of the catalog: guard, one domain call, answer.
#pragma once

#include <vector>

#include "catalog/notices.h"
#include "services/rpc/guard.h"
#include "tsunagi/catalog/v1/catalog_service.grpc.pb.h"

namespace tsunagi::catalog {

// Access rows of CatalogService.
std::vector<rpc::AccessRow> CatalogRows();

// Thread-safe.
class CatalogService final : public v1::CatalogService::CallbackService {
 public:
  // Both must outlive the service and its calls.
  CatalogService(rpc::Guard& guard, Notices& notices) : guard_(guard), notices_(notices) {}

  grpc::ServerUnaryReactor* FileNotices(grpc::CallbackServerContext* context, const v1::FileNoticesRequest* request,
                                        v1::FileNoticesResponse* response) override;
  grpc::ServerUnaryReactor* FindHolders(grpc::CallbackServerContext* context, const v1::FindHoldersRequest* request,
                                        v1::FindHoldersResponse* response) override;

 private:
  rpc::Guard& guard_;
  Notices& notices_;
};

}  // namespace tsunagi::catalog
