#include "services/process/trust_service.h"

namespace tsunagi::process {

std::vector<rpc::AccessRow> TrustRows() {
  return {{"/tsunagi.identity.v1.TrustService/GetTrustLists", rpc::Who::kParticipant}};
}

grpc::ServerUnaryReactor* TrustService::GetTrustLists(grpc::CallbackServerContext* context,
                                                      const identity::v1::GetTrustListsRequest* request,
                                                      identity::v1::GetTrustListsResponse* response) {
  return guard_.Serve(context, [&](const Caller&, const rpc::Finish& finish) {
    *response = keeper_.Lists(*request);
    response->set_registrar_checkpoint(registrar_log_.Newest());
    finish(absl::OkStatus());
  });
}

}  // namespace tsunagi::process
