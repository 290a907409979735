// AuthorityService over the registrar.
#pragma once

#include <functional>
#include <vector>

#include "identity/registrar.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"
#include "tsunagi/identity/v1/trust_service.grpc.pb.h"

namespace tsunagi::identity {

// Access rows of AuthorityService.
std::vector<rpc::AccessRow> AuthorityRows();

// Thread-safe.
class AuthorityService final : public v1::AuthorityService::CallbackService {
 public:
  // Both must outlive the service.
  AuthorityService(rpc::Guard& guard, Registrar& registrar) : guard_(guard), registrar_(registrar) {}

  grpc::ServerUnaryReactor* GetTrustBundle(grpc::CallbackServerContext* context,
                                           const v1::GetTrustBundleRequest* request,
                                           v1::GetTrustBundleResponse* response) override;
  grpc::ServerUnaryReactor* RotateKey(grpc::CallbackServerContext* context,
                                      const v1::RotateKeyRequest* request,
                                      v1::RotateKeyResponse* response) override;
  grpc::ServerUnaryReactor* RemoveAuthority(grpc::CallbackServerContext* context,
                                            const v1::RemoveAuthorityRequest* request,
                                            v1::RemoveAuthorityResponse* response) override;
  grpc::ServerUnaryReactor* EndKey(grpc::CallbackServerContext* context, const v1::EndKeyRequest* request,
                                   v1::EndKeyResponse* response) override;

  grpc::ServerUnaryReactor* ListProposals(grpc::CallbackServerContext* context,
                                          const v1::ListProposalsRequest* request,
                                          v1::ListProposalsResponse* response) override;
  grpc::ServerUnaryReactor* ApproveProposal(grpc::CallbackServerContext* context,
                                            const v1::ApproveProposalRequest* request,
                                            v1::ApproveProposalResponse* response) override;
  grpc::ServerUnaryReactor* DeclineProposal(grpc::CallbackServerContext* context,
                                            const v1::DeclineProposalRequest* request,
                                            v1::DeclineProposalResponse* response) override;

 private:
  rpc::Guard& guard_;
  Registrar& registrar_;
  rpc::WorkerPool worker_{1, 8};  // changes write key files; last: ends before what its jobs use
};

}  // namespace tsunagi::identity
