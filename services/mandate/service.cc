#include "services/mandate/service.h"

#include <utility>

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

template <class Response>
grpc::ServerUnaryReactor* MandateService::ServeOnPool(
    grpc::CallbackServerContext* context, Response* response,
    std::function<absl::StatusOr<Response>(const Caller&)> work) {
  return guard_.Serve(context,
                      [this, response, work = std::move(work)](const Caller& caller, rpc::Finish finish) {
                        const absl::Status queued = workers_.Run([response, work, caller, finish] {
                          absl::StatusOr<Response> result = work(caller);
                          if (result.ok()) *response = *std::move(result);
                          finish(result.status());
                        });
                        if (!queued.ok()) finish(queued);
                      });
}

grpc::ServerUnaryReactor* MandateService::GrantMandate(grpc::CallbackServerContext* context,
                                                       const v1::GrantMandateRequest* request,
                                                       v1::GrantMandateResponse* response) {
  return ServeOnPool<v1::GrantMandateResponse>(
      context, response, [this, request](const Caller& caller) { return own_.Grant(caller, *request); });
}

grpc::ServerUnaryReactor* MandateService::RevokeMandate(grpc::CallbackServerContext* context,
                                                        const v1::RevokeMandateRequest* request,
                                                        v1::RevokeMandateResponse* response) {
  return ServeOnPool<v1::RevokeMandateResponse>(
      context, response, [this, request](const Caller& caller) { return own_.Revoke(caller, *request); });
}

grpc::ServerUnaryReactor* MandateService::ListMandates(grpc::CallbackServerContext* context,
                                                       const v1::ListMandatesRequest* request,
                                                       v1::ListMandatesResponse* response) {
  return ServeOnPool<v1::ListMandatesResponse>(
      context, response, [this, request](const Caller&) { return own_.List(*request); });
}

}  // namespace tsunagi::mandate
