#include "services/identity/membership_service.h"

#include <utility>

#include "services/rpc/reply.h"

namespace tsunagi::identity {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using rpc::Finish;
using rpc::Who;

std::vector<rpc::AccessRow> MembershipRows() {
  return {
      {"/tsunagi.identity.v1.MembershipService/Apply", Who::kOwnOperator, "", people::kOperator},
      {"/tsunagi.identity.v1.MembershipService/Approve", Who::kOwnOperator, "", people::kOperator},
      {"/tsunagi.identity.v1.MembershipService/Decline", Who::kOwnOperator, "", people::kOperator},
      {"/tsunagi.identity.v1.MembershipService/UpdateParticipant", Who::kOwnOperator, "", people::kOperator},
      {"/tsunagi.identity.v1.MembershipService/SetSuspended", Who::kOwnOperator, "", people::kAdministrator},
      {"/tsunagi.identity.v1.MembershipService/Leave", Who::kOwnOperator, "", people::kAdministrator},
      {"/tsunagi.identity.v1.MembershipService/ConsentToNamespace", Who::kParticipant},
      {"/tsunagi.identity.v1.MembershipService/ListPending", Who::kOwnOperator, "", people::kViewer},
      {"/tsunagi.identity.v1.MembershipService/ListParticipants", Who::kParticipant},
  };
}

ServerUnaryReactor* MembershipService::Apply(CallbackServerContext* context, const v1::ApplyRequest* request,
                                             v1::ApplyResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.membership().Apply(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* MembershipService::Approve(CallbackServerContext* context,
                                               const v1::ApproveRequest* request,
                                               v1::ApproveResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.membership().Approve(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* MembershipService::Decline(CallbackServerContext* context,
                                               const v1::DeclineRequest* request,
                                               v1::DeclineResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.membership().Decline(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* MembershipService::UpdateParticipant(CallbackServerContext* context,
                                                         const v1::UpdateParticipantRequest* request,
                                                         v1::UpdateParticipantResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.membership().Update(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* MembershipService::SetSuspended(CallbackServerContext* context,
                                                    const v1::SetSuspendedRequest* request,
                                                    v1::SetSuspendedResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.membership().SetSuspended(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* MembershipService::Leave(CallbackServerContext* context, const v1::LeaveRequest* request,
                                             v1::LeaveResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.membership().Leave(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* MembershipService::ConsentToNamespace(CallbackServerContext* context,
                                                          const v1::ConsentToNamespaceRequest* request,
                                                          v1::ConsentToNamespaceResponse* response) {
  return guard_.Serve(context, [=, this](const Caller& caller, Finish finish) {
    registrar_.membership().ConsentToNamespace(caller, *request, rpc::Into(response, std::move(finish)));
  });
}

ServerUnaryReactor* MembershipService::ListPending(CallbackServerContext* context,
                                                   const v1::ListPendingRequest* request,
                                                   v1::ListPendingResponse* response) {
  return guard_.Serve(context, [=, this](const Caller&, const Finish& finish) {
    rpc::Return(registrar_.membership().ListPending(*request), response, finish);
  });
}

ServerUnaryReactor* MembershipService::ListParticipants(CallbackServerContext* context,
                                                        const v1::ListParticipantsRequest* request,
                                                        v1::ListParticipantsResponse* response) {
  return guard_.Serve(context, [=, this](const Caller&, const Finish& finish) {
    rpc::Return(registrar_.membership().List(*request), response, finish);
  });
}

}  // namespace tsunagi::identity
