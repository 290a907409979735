#include "services/connector/service.h"

#include <utility>

#include "connector/transfer/notices.h"
#include "identity/mandates.h"
#include "services/rpc/reply.h"

namespace tsunagi::connector {
std::vector<rpc::AccessRow> ConnectorRows() {
  using rpc::Who;
  return {
      {"/tsunagi.connector.v1.ConnectorService/RequestAgreement", Who::kAnyFederation},
      {"/tsunagi.connector.v1.ConnectorService/Release", Who::kAnyFederation},
      {"/tsunagi.connector.v1.ConnectorService/ReleaseStream", Who::kAnyFederation},
      {"/tsunagi.connector.v1.ConnectorService/Resolve", Who::kOwnOperator, "", people::kViewer},
      {"/tsunagi.connector.v1.ConnectorService/SetPolicies", Who::kOwnOperator, "", people::kAdministrator,
       identity::kScopePolicy},
      {"/tsunagi.connector.v1.ConnectorService/GetPolicies", Who::kOwnOperator, "", people::kViewer,
       identity::kScopePolicy},
      {"/tsunagi.connector.v1.ConnectorService/PreviewRelease", Who::kOwnOperator, "", people::kViewer},
      {"/tsunagi.connector.v1.ConnectorService/ListAgreements", Who::kOwnOperator, "", people::kViewer},
      {"/tsunagi.connector.v1.ConnectorService/FileHolderNotices", Who::kOwnOperator, "", people::kOperator},
  };
}

grpc::ServerUnaryReactor* ConnectorService::RequestAgreement(grpc::CallbackServerContext* context,
                                                             const v1::RequestAgreementRequest* request,
                                                             v1::RequestAgreementResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, rpc::Finish finish) {
    node_.agreements().Request(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

grpc::ServerUnaryReactor* ConnectorService::Release(grpc::CallbackServerContext* context,
                                                    const v1::ReleaseRequest* request,
                                                    v1::ReleaseResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, rpc::Finish finish) {
    node_.releases().Release(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

grpc::ServerBidiReactor<v1::ReleaseStreamRequest, v1::ReleaseStreamResponse>* ConnectorService::ReleaseStream(
    grpc::CallbackServerContext* context) {
  return NewStreamCall(context, guard_, node_.chunks(), workers_, streams_);
}

grpc::ServerUnaryReactor* ConnectorService::Resolve(grpc::CallbackServerContext* context,
                                                    const v1::ResolveRequest* request,
                                                    v1::ResolveResponse* response) {
  return guard_.Serve(context, rpc::OnPool(workers_, response, [this, request](const Caller& caller) {
                        return node_.resolver().Resolve(caller, *request);
                      }));
}

grpc::ServerUnaryReactor* ConnectorService::SetPolicies(grpc::CallbackServerContext* context,
                                                        const v1::SetPoliciesRequest* request,
                                                        v1::SetPoliciesResponse* response) {
  return guard_.ServeInScope(context, identity::kScopePolicy,
                             [=, this](const Caller& caller, rpc::Finish finish) {
                               node_.policies().Set(caller, *request, rpc::Into(response, std::move(finish)));
                             });
}

grpc::ServerUnaryReactor* ConnectorService::GetPolicies(grpc::CallbackServerContext* context,
                                                        const v1::GetPoliciesRequest*,
                                                        v1::GetPoliciesResponse* response) {
  return guard_.ServeInScope(context, identity::kScopePolicy,
                             [=, this](const Caller& caller, rpc::Finish finish) {
                               node_.policies().Show(caller, rpc::Into(response, std::move(finish)));
                             });
}

grpc::ServerUnaryReactor* ConnectorService::PreviewRelease(grpc::CallbackServerContext* context,
                                                           const v1::PreviewReleaseRequest* request,
                                                           v1::PreviewReleaseResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, rpc::Finish finish) {
    node_.previews().Preview(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

grpc::ServerUnaryReactor* ConnectorService::ListAgreements(grpc::CallbackServerContext* context,
                                                           const v1::ListAgreementsRequest* request,
                                                           v1::ListAgreementsResponse* response) {
  return guard_.Serve(context, [=, this](const Caller&, const rpc::Finish& finish) {
    rpc::Return(node_.agreement_table().List(*request), response, finish);
  });
}

grpc::ServerUnaryReactor* ConnectorService::FileHolderNotices(grpc::CallbackServerContext* context,
                                                              const v1::FileHolderNoticesRequest* request,
                                                              v1::FileHolderNoticesResponse* response) {
  return guard_.Serve(context, rpc::OnPool(workers_, response, [this, request](const Caller&) {
                        return connector::FileHolderNotices(node_.federation(), *request);
                      }));
}

}  // namespace tsunagi::connector
