#include "services/catalog/service.h"

#include <utility>

namespace tsunagi::catalog {

std::vector<rpc::AccessRow> CatalogRows() {
  using rpc::Who;
  return {
      {"/tsunagi.catalog.v1.CatalogService/FileNotices", Who::kParticipant},
      {"/tsunagi.catalog.v1.CatalogService/FindHolders", Who::kParticipant},
  };
}

grpc::ServerUnaryReactor* CatalogService::FileNotices(grpc::CallbackServerContext* context,
                                                      const v1::FileNoticesRequest* request,
                                                      v1::FileNoticesResponse*) {
  return guard_.Serve(context, [=](const Caller& caller, rpc::Finish finish) {
    notices_.File(caller, *request, [finish = std::move(finish)](const absl::StatusOr<v1::FileNoticesResponse>& filed) {
      finish(filed.status());
    });
  });
}

grpc::ServerUnaryReactor* CatalogService::FindHolders(grpc::CallbackServerContext* context,
                                                      const v1::FindHoldersRequest* request,
                                                      v1::FindHoldersResponse* response) {
  return guard_.Serve(context, [=](const Caller& caller, const rpc::Finish& finish) {
    absl::StatusOr<v1::FindHoldersResponse> found = notices_.Find(caller, *request);
    if (found.ok()) *response = *std::move(found);
    finish(found.status());
  });
}

}  // namespace tsunagi::catalog
