#include "services/catalog/service.h"

#include <utility>

#include "services/rpc/reply.h"

namespace tsunagi::catalog {
std::vector<rpc::AccessRow> CatalogRows() {
  using rpc::Who;
  return {
      {"/tsunagi.catalog.v1.CatalogService/FileNotices", Who::kParticipant},
      {"/tsunagi.catalog.v1.CatalogService/FindHolders", Who::kAnyFederation},
  };
}

grpc::ServerUnaryReactor* CatalogService::FileNotices(grpc::CallbackServerContext* context,
                                                      const v1::FileNoticesRequest* request,
                                                      v1::FileNoticesResponse* response) {
  return guard_.Serve(context, rpc::OnPool(inbound_, response, [this, request](const Caller& caller) {
                        return notices_.File(caller, *request);
                      }));
}

grpc::ServerUnaryReactor* CatalogService::FindHolders(grpc::CallbackServerContext* context,
                                                      const v1::FindHoldersRequest* request,
                                                      v1::FindHoldersResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, rpc::Finish finish) {
    notices_.Find(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

}  // namespace tsunagi::catalog
