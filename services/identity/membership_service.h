// MembershipService over the registrar.
#pragma once

#include <vector>

#include "identity/registrar.h"
#include "services/rpc/guard.h"
#include "tsunagi/identity/v1/membership_service.grpc.pb.h"

namespace tsunagi::identity {

// Access rows of MembershipService. A holder's consent is its operator's: the domain looks at the process.
std::vector<rpc::AccessRow> MembershipRows();

// Thread-safe.
class MembershipService final : public v1::MembershipService::CallbackService {
 public:
  // Both must outlive the service.
  MembershipService(rpc::Guard& guard, Registrar& registrar) : guard_(guard), registrar_(registrar) {}

  grpc::ServerUnaryReactor* Apply(grpc::CallbackServerContext* context, const v1::ApplyRequest* request,
                                  v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* Approve(grpc::CallbackServerContext* context, const v1::ApproveRequest* request,
                                    v1::ApproveResponse* response) override;
  grpc::ServerUnaryReactor* Decline(grpc::CallbackServerContext* context, const v1::DeclineRequest* request,
                                    v1::DeclineResponse* response) override;
  grpc::ServerUnaryReactor* UpdateParticipant(grpc::CallbackServerContext* context,
                                              const v1::UpdateParticipantRequest* request,
                                              v1::UpdateParticipantResponse* response) override;
  grpc::ServerUnaryReactor* SetSuspended(grpc::CallbackServerContext* context,
                                         const v1::SetSuspendedRequest* request,
                                         v1::SetSuspendedResponse* response) override;
  grpc::ServerUnaryReactor* Leave(grpc::CallbackServerContext* context, const v1::LeaveRequest* request,
                                  v1::LeaveResponse* response) override;
  grpc::ServerUnaryReactor* ConsentToNamespace(grpc::CallbackServerContext* context,
                                               const v1::ConsentToNamespaceRequest* request,
                                               v1::ConsentToNamespaceResponse* response) override;
  grpc::ServerUnaryReactor* ListPending(grpc::CallbackServerContext* context,
                                        const v1::ListPendingRequest* request,
                                        v1::ListPendingResponse* response) override;
  grpc::ServerUnaryReactor* ListParticipants(grpc::CallbackServerContext* context,
                                             const v1::ListParticipantsRequest* request,
                                             v1::ListParticipantsResponse* response) override;

 private:
  rpc::Guard& guard_;
  Registrar& registrar_;
};

}  // namespace tsunagi::identity
