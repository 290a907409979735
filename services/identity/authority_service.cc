#include "services/identity/authority_service.h"

#include <utility>

#include "identity/proposals.h"
#include "services/rpc/reply.h"

namespace tsunagi::identity {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using rpc::Finish;
using rpc::Who;

std::vector<rpc::AccessRow> AuthorityRows() {
  return {
      {"/tsunagi.identity.v1.AuthorityService/GetTrustBundle", Who::kParticipant},
      {"/tsunagi.identity.v1.AuthorityService/RotateKey", Who::kOwnOperator},
      {"/tsunagi.identity.v1.AuthorityService/RemoveAuthority", Who::kOwnOperator},
      {"/tsunagi.identity.v1.AuthorityService/EndKey", Who::kOwnOperator},
      {"/tsunagi.identity.v1.AuthorityService/ListProposals", Who::kOwnOperator, "", people::kViewer},
      {"/tsunagi.identity.v1.AuthorityService/ApproveProposal", Who::kOwnOperator},
      {"/tsunagi.identity.v1.AuthorityService/DeclineProposal", Who::kOwnOperator},
  };
}

ServerUnaryReactor* AuthorityService::GetTrustBundle(CallbackServerContext* context,
                                                     const v1::GetTrustBundleRequest* request,
                                                     v1::GetTrustBundleResponse* response) {
  return guard_.Serve(context, [=, this](const Caller&, const Finish& finish) {
    const std::shared_ptr<const Bundle> bundle = registrar_.trust().View()->bundle;
    if (bundle->version != request->known_version()) *response->mutable_bundle() = bundle->signed_bundle;
    finish(absl::OkStatus());
  });
}

ServerUnaryReactor* AuthorityService::RotateKey(CallbackServerContext* context,
                                                const v1::RotateKeyRequest* request,
                                                v1::RotateKeyResponse* response) {
  return guard_.Serve(context, rpc::OnPool(worker_, response, [this, request](const Caller& caller) {
                        return registrar_.anchors().Rotate(caller, *request);
                      }));
}

ServerUnaryReactor* AuthorityService::RemoveAuthority(CallbackServerContext* context,
                                                      const v1::RemoveAuthorityRequest* request,
                                                      v1::RemoveAuthorityResponse* response) {
  return guard_.Serve(context, rpc::OnPool(worker_, response, [this, request](const Caller& caller) {
                        return registrar_.anchors().Remove(caller, *request);
                      }));
}

ServerUnaryReactor* AuthorityService::EndKey(CallbackServerContext* context, const v1::EndKeyRequest* request,
                                             v1::EndKeyResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, const Finish& finish) {
    registrar_.keys().EndKey(caller, *request, rpc::Into(response, finish));
  });
}

ServerUnaryReactor* AuthorityService::ListProposals(CallbackServerContext* context,
                                                    const v1::ListProposalsRequest*,
                                                    v1::ListProposalsResponse* response) {
  return guard_.Serve(context, [=, this](const Caller&, const Finish& finish) {
    rpc::Return(identity::ListProposals(registrar_.context()), response, finish);
  });
}

ServerUnaryReactor* AuthorityService::ApproveProposal(CallbackServerContext* context,
                                                      const v1::ApproveProposalRequest* request,
                                                      v1::ApproveProposalResponse* response) {
  return guard_.Serve(context, rpc::OnPool(worker_, response, [this, request](const Caller& caller) {
                        return registrar_.anchors().Approve(caller, *request);
                      }));
}

ServerUnaryReactor* AuthorityService::DeclineProposal(CallbackServerContext* context,
                                                      const v1::DeclineProposalRequest* request,
                                                      v1::DeclineProposalResponse* response) {
  return guard_.Serve(context, rpc::OnPool(worker_, response, [this, request](const Caller& caller) {
                        return registrar_.anchors().Decline(caller, *request);
                      }));
}

}  // namespace tsunagi::identity
