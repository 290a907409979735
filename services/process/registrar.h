// Blocking calls to the registrar, each with a deadline.
#pragma once

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "tsunagi/identity/v1/federation_trust_service.grpc.pb.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"
#include "tsunagi/identity/v1/trust_service.grpc.pb.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::process {

// UNAVAILABLE or DEADLINE_EXCEEDED when the registrar is away.
class Registrar {
 public:
  explicit Registrar(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(identity::v1::IdentityService::NewStub(channel)),
        authority_(identity::v1::AuthorityService::NewStub(channel)),
        federations_(identity::v1::FederationTrustService::NewStub(channel)),
        operations_(ops::v1::OperationsService::NewStub(channel)) {}

  absl::StatusOr<identity::v1::IssueTokenResponse> IssueToken();
  absl::StatusOr<identity::v1::GetTrustBundleResponse> GetTrustBundle(uint64_t known_version);
  absl::StatusOr<identity::v1::GetDirectoryResponse> GetDirectory(uint64_t known_version);
  absl::StatusOr<identity::v1::GetStatusListResponse> GetStatusList(uint64_t known_version);
  absl::StatusOr<identity::v1::GetFederationTrustResponse> GetFederationTrust(
      const identity::v1::GetFederationTrustRequest& request);
  absl::StatusOr<identity::v1::ListKeysResponse> ListKeys(const identity::v1::ListKeysRequest& request);
  absl::StatusOr<identity::v1::CosignCheckpointResponse> CosignCheckpoint(
      const identity::v1::CosignCheckpointRequest& request);
  // The registrar's own log, from `old_size` leaves on.
  absl::StatusOr<ops::v1::GetCheckpointResponse> GetCheckpoint(uint64_t old_size);

 private:
  const std::unique_ptr<identity::v1::IdentityService::Stub> stub_;
  const std::unique_ptr<identity::v1::AuthorityService::Stub> authority_;
  const std::unique_ptr<identity::v1::FederationTrustService::Stub> federations_;
  const std::unique_ptr<ops::v1::OperationsService::Stub> operations_;
};

}  // namespace tsunagi::process
