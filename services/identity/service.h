// IdentityService over the registrar.
#pragma once

#include <vector>

#include "identity/registrar.h"
#include "services/identity/status_watches.h"
#include "services/rpc/guard.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"

namespace tsunagi::identity {

// Access rows of IdentityService.
std::vector<rpc::AccessRow> IdentityRows();

// Thread-safe.
class IdentityService final : public v1::IdentityService::CallbackService {
 public:
  // Both must outlive the service.
  IdentityService(rpc::Guard& guard, Registrar& registrar)
      : guard_(guard), registrar_(registrar), watches_(guard, registrar.lists()) {}

  // Ends the watches, which would hold a drain up.
  void EndWatches() { watches_.End(); }

  grpc::ServerUnaryReactor* CreateInvitation(grpc::CallbackServerContext* context,
                                             const v1::CreateInvitationRequest* request,
                                             v1::CreateInvitationResponse* response) override;
  grpc::ServerUnaryReactor* IssueToken(grpc::CallbackServerContext* context,
                                       const v1::IssueTokenRequest* request,
                                       v1::IssueTokenResponse* response) override;
  grpc::ServerUnaryReactor* ListKeys(grpc::CallbackServerContext* context, const v1::ListKeysRequest* request,
                                     v1::ListKeysResponse* response) override;
  grpc::ServerUnaryReactor* GetDirectory(grpc::CallbackServerContext* context,
                                         const v1::GetDirectoryRequest* request,
                                         v1::GetDirectoryResponse* response) override;
  grpc::ServerUnaryReactor* GetStatusList(grpc::CallbackServerContext* context,
                                          const v1::GetStatusListRequest* request,
                                          v1::GetStatusListResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchStatusListResponse>* WatchStatusList(
      grpc::CallbackServerContext* context, const v1::WatchStatusListRequest* request) override;
  grpc::ServerUnaryReactor* CosignCheckpoint(grpc::CallbackServerContext* context,
                                             const v1::CosignCheckpointRequest* request,
                                             v1::CosignCheckpointResponse* response) override;
  grpc::ServerUnaryReactor* SubmitAmendment(grpc::CallbackServerContext* context,
                                            const v1::SubmitAmendmentRequest* request,
                                            v1::SubmitAmendmentResponse* response) override;
  grpc::ServerUnaryReactor* ApproveAmendment(grpc::CallbackServerContext* context,
                                             const v1::ApproveAmendmentRequest* request,
                                             v1::ApproveAmendmentResponse* response) override;
  grpc::ServerUnaryReactor* ListAmendments(grpc::CallbackServerContext* context,
                                           const v1::ListAmendmentsRequest* request,
                                           v1::ListAmendmentsResponse* response) override;

 private:
  rpc::Guard& guard_;
  Registrar& registrar_;
  StatusWatches watches_;
};

}  // namespace tsunagi::identity
