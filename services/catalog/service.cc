#include "services/catalog/service.h"

#include <utility>

namespace tsunagi::catalog {
namespace {

template <typename Response>
void Answer(absl::StatusOr<Response> result, Response* response, const rpc::Finish& finish) {
  if (result.ok()) *response = *std::move(result);
  finish(result.status());
}

}  // namespace

std::vector<rpc::AccessRow> CatalogRows() {
  using rpc::Who;
  return {
      {"/tsunagi.catalog.v1.CatalogService/FileNotices", Who::kParticipant},
      {"/tsunagi.catalog.v1.CatalogService/FindHolders", Who::kParticipant},
  };
}

grpc::ServerUnaryReactor* CatalogService::FileNotices(grpc::CallbackServerContext* context,
                                                      const v1::FileNoticesRequest* request,
                                                      v1::FileNoticesResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, rpc::Finish finish) {
    const absl::Status queued =
        inbound_.Run([=, this] { Answer(notices_.File(caller, *request), response, finish); });
    if (!queued.ok()) finish(queued);
  });
}

grpc::ServerUnaryReactor* CatalogService::FindHolders(grpc::CallbackServerContext* context,
                                                      const v1::FindHoldersRequest* request,
                                                      v1::FindHoldersResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, rpc::Finish finish) {
    notices_.Find(caller, *request, [response, finish](absl::StatusOr<v1::FindHoldersResponse> found) {
      Answer(std::move(found), response, finish);
    });
  });
}

}  // namespace tsunagi::catalog
