// FederationTrustService over the registrar.
#pragma once

#include <vector>

#include "identity/registrar.h"
#include "services/identity/federation_follower.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"
#include "tsunagi/identity/v1/federation_trust_service.grpc.pb.h"

namespace tsunagi::identity {

// Access rows of FederationTrustService.
std::vector<rpc::AccessRow> FederationTrustRows();

// Thread-safe.
class FederationTrustService final : public v1::FederationTrustService::CallbackService {
 public:
  // All must outlive the service.
  FederationTrustService(rpc::Guard& guard, Registrar& registrar, FederationFollower& follower)
      : guard_(guard), registrar_(registrar), follower_(follower) {}

  grpc::ServerUnaryReactor* TrustFederation(grpc::CallbackServerContext* context,
                                            const v1::TrustFederationRequest* request,
                                            v1::TrustFederationResponse* response) override;
  grpc::ServerUnaryReactor* RevokeFederation(grpc::CallbackServerContext* context,
                                             const v1::RevokeFederationRequest* request,
                                             v1::RevokeFederationResponse* response) override;
  grpc::ServerUnaryReactor* GetFederationTrust(grpc::CallbackServerContext* context,
                                               const v1::GetFederationTrustRequest* request,
                                               v1::GetFederationTrustResponse* response) override;

 private:
  absl::StatusOr<v1::TrustFederationResponse> Trust(const Caller& caller, v1::TrustFederationRequest request);

  rpc::Guard& guard_;
  Registrar& registrar_;
  FederationFollower& follower_;
  rpc::WorkerPool worker_{1, 8};  // fetches; last: ends before what its jobs use
};

}  // namespace tsunagi::identity
