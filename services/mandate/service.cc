#include "services/mandate/service.h"

#include "services/rpc/reply.h"

namespace tsunagi::mandate {

namespace v1 = identity::v1;

std::vector<rpc::AccessRow> MandateRows() {
  using rpc::Who;
  return {
      {"/tsunagi.identity.v1.MandateService/GrantMandate", Who::kOwnOperator},
      {"/tsunagi.identity.v1.MandateService/RevokeMandate", Who::kOwnOperator},
      {"/tsunagi.identity.v1.MandateService/ListMandates", Who::kOwnOperator},
  };
}

grpc::ServerUnaryReactor* MandateService::GrantMandate(grpc::CallbackServerContext* context,
                                                       const v1::GrantMandateRequest* request,
                                                       v1::GrantMandateResponse* response) {
  return guard_.Serve(context, rpc::OnPool(workers_, response, [this, request](const Caller& caller) {
                        return own_.Grant(caller, *request);
                      }));
}

grpc::ServerUnaryReactor* MandateService::RevokeMandate(grpc::CallbackServerContext* context,
                                                        const v1::RevokeMandateRequest* request,
                                                        v1::RevokeMandateResponse* response) {
  return guard_.Serve(context, rpc::OnPool(workers_, response, [this, request](const Caller& caller) {
                        return own_.Revoke(caller, *request);
                      }));
}

grpc::ServerUnaryReactor* MandateService::ListMandates(grpc::CallbackServerContext* context,
                                                       const v1::ListMandatesRequest* request,
                                                       v1::ListMandatesResponse* response) {
  return guard_.Serve(context, rpc::OnPool(workers_, response,
                                           [this, request](const Caller&) { return own_.List(*request); }));
}

}  // namespace tsunagi::mandate
