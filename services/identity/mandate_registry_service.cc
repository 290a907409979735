#include "services/identity/mandate_registry_service.h"

#include <utility>

#include "services/rpc/reply.h"

namespace tsunagi::identity {
std::vector<rpc::AccessRow> MandateRegistryRows() {
  return {
      {"/tsunagi.identity.v1.MandateRegistryService/FileMandate", rpc::Who::kParticipant},
      {"/tsunagi.identity.v1.MandateRegistryService/FileRevocation", rpc::Who::kParticipant},
  };
}

grpc::ServerUnaryReactor* MandateRegistryService::FileMandate(grpc::CallbackServerContext* context,
                                                              const v1::FileMandateRequest* request,
                                                              v1::FileMandateResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, rpc::Finish finish) {
    mandates_.FileMandate(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

grpc::ServerUnaryReactor* MandateRegistryService::FileRevocation(grpc::CallbackServerContext* context,
                                                                 const v1::FileRevocationRequest* request,
                                                                 v1::FileRevocationResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, rpc::Finish finish) {
    mandates_.FileRevocation(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

}  // namespace tsunagi::identity
