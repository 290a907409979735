#include "services/identity/authority_service.h"

#include <utility>

#include "services/identity/reply.h"

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
  };
}

template <class Response>
ServerUnaryReactor* AuthorityService::Change(
    CallbackServerContext* context, Response* response,
    const std::function<absl::StatusOr<Response>(Anchors&, const Caller&)>& change) {
  return guard_.Serve(context, [=, this](const Caller& caller, const Finish& finish) {
    const absl::Status queued =
        worker_.Run([=, this] { Return(change(registrar_.anchors(), caller), response, finish); });
    if (!queued.ok()) finish(queued);
  });
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
  return Change<v1::RotateKeyResponse>(context, response, [request](Anchors& anchors, const Caller& caller) {
    return anchors.Rotate(caller, *request);
  });
}

ServerUnaryReactor* AuthorityService::RemoveAuthority(CallbackServerContext* context,
                                                      const v1::RemoveAuthorityRequest* request,
                                                      v1::RemoveAuthorityResponse* response) {
  return Change<v1::RemoveAuthorityResponse>(
      context, response,
      [request](Anchors& anchors, const Caller& caller) { return anchors.Remove(caller, *request); });
}

ServerUnaryReactor* AuthorityService::EndKey(CallbackServerContext* context, const v1::EndKeyRequest* request,
                                             v1::EndKeyResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, const Finish& finish) {
    registrar_.keys().EndKey(caller, *request, Into(response, finish));
  });
}

}  // namespace tsunagi::identity
