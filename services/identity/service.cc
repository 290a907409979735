#include "services/identity/service.h"

#include <utility>

#include "services/rpc/reply.h"

namespace tsunagi::identity {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using rpc::Finish;
using rpc::Who;

}  // namespace

std::vector<rpc::AccessRow> IdentityRows() {
  return {
      {"/tsunagi.identity.v1.IdentityService/CreateInvitation", Who::kOwnOperator, "",
       people::kAdministrator},
      {"/tsunagi.identity.v1.IdentityService/IssueToken", Who::kCertificate},
      {"/tsunagi.identity.v1.IdentityService/ListKeys", Who::kParticipant},
      {"/tsunagi.identity.v1.IdentityService/GetDirectory", Who::kParticipant},
      {"/tsunagi.identity.v1.IdentityService/GetStatusList", Who::kParticipant},
      {"/tsunagi.identity.v1.IdentityService/WatchStatusList", Who::kParticipant},
      {"/tsunagi.identity.v1.IdentityService/CosignCheckpoint", Who::kParticipant},
      {"/tsunagi.identity.v1.IdentityService/SubmitAmendment", Who::kParticipant},
      {"/tsunagi.identity.v1.IdentityService/ApproveAmendment", Who::kOwnOperator, "", people::kOperator},
      {"/tsunagi.identity.v1.IdentityService/ListAmendments", Who::kParticipant},
  };
}

ServerUnaryReactor* IdentityService::CreateInvitation(CallbackServerContext* context,
                                                      const v1::CreateInvitationRequest* request,
                                                      v1::CreateInvitationResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.enrolment().CreateInvitation(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* IdentityService::IssueToken(CallbackServerContext* context, const v1::IssueTokenRequest*,
                                                v1::IssueTokenResponse* response) {
  return guard_.ServeByCertificate(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.tokens().Issue(ProcessOf(caller), rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* IdentityService::ListKeys(CallbackServerContext* context,
                                              const v1::ListKeysRequest* request,
                                              v1::ListKeysResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.keys().ListKeys(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* IdentityService::GetDirectory(CallbackServerContext* context,
                                                  const v1::GetDirectoryRequest* request,
                                                  v1::GetDirectoryResponse* response) {
  return guard_.Serve(context, [=, this](const Caller&, Finish finish) {
    registrar_.lists().GetDirectory(
        [=, this, finish = std::move(finish)](absl::StatusOr<SignedLists::Directory> directory) {
          // The registrar's own view has what was just signed, or something newer.
          const bool current = directory.ok() && request->known_version() != 0 &&
                               request->known_version() == registrar_.trust().View()->directory_version;
          if (directory.ok() && !current) *response->mutable_directory() = **directory;
          finish(directory.status());
        });
  });
}

ServerUnaryReactor* IdentityService::GetStatusList(CallbackServerContext* context,
                                                   const v1::GetStatusListRequest*,
                                                   v1::GetStatusListResponse* response) {
  return guard_.Serve(context, [=, this](const Caller&, Finish finish) {
    registrar_.lists().GetStatusList(
        [response, finish = std::move(finish)](absl::StatusOr<SignedLists::StatusList> list) {
          if (list.ok()) *response->mutable_status_list() = **list;
          finish(list.status());
        });
  });
}

grpc::ServerWriteReactor<v1::WatchStatusListResponse>* IdentityService::WatchStatusList(
    CallbackServerContext* context, const v1::WatchStatusListRequest*) {
  return watches_.Open(context);
}

ServerUnaryReactor* IdentityService::CosignCheckpoint(CallbackServerContext* context,
                                                      const v1::CosignCheckpointRequest* request,
                                                      v1::CosignCheckpointResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.cosigning().Cosign(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* IdentityService::SubmitAmendment(CallbackServerContext* context,
                                                     const v1::SubmitAmendmentRequest* request,
                                                     v1::SubmitAmendmentResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.amendments().Submit(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* IdentityService::ApproveAmendment(CallbackServerContext* context,
                                                      const v1::ApproveAmendmentRequest* request,
                                                      v1::ApproveAmendmentResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.amendments().Approve(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* IdentityService::ListAmendments(CallbackServerContext* context,
                                                    const v1::ListAmendmentsRequest* request,
                                                    v1::ListAmendmentsResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, const Finish& finish) {
    rpc::Return(registrar_.amendments().List(caller, *request), response, finish);
  });
}

}  // namespace tsunagi::identity
