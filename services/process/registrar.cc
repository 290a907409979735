#include "services/process/registrar.h"

#include <chrono>

#include "core/base/error.h"
#include "grpcpp/client_context.h"
#include "services/rpc/status.h"

namespace tsunagi::process {
namespace {

using Stub = identity::v1::IdentityService::Stub;
using AuthorityStub = identity::v1::AuthorityService::Stub;
using FederationsStub = identity::v1::FederationTrustService::Stub;

constexpr std::chrono::seconds kDeadline{5};

template <class Service, class Request, class Response>
absl::StatusOr<Response> Call(Service& stub,
                              grpc::Status (Service::*method)(grpc::ClientContext*, const Request&,
                                                              Response*),
                              const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return Annotate(rpc::FromGrpcStatus(status), "asking the registrar");
  return response;
}

}  // namespace

absl::StatusOr<identity::v1::IssueTokenResponse> Registrar::IssueToken() {
  return Call(*stub_, &Stub::IssueToken, identity::v1::IssueTokenRequest());
}

absl::StatusOr<identity::v1::GetTrustBundleResponse> Registrar::GetTrustBundle(uint64_t known_version) {
  identity::v1::GetTrustBundleRequest request;
  request.set_known_version(known_version);
  return Call(*authority_, &AuthorityStub::GetTrustBundle, request);
}

absl::StatusOr<identity::v1::GetDirectoryResponse> Registrar::GetDirectory(uint64_t known_version) {
  identity::v1::GetDirectoryRequest request;
  request.set_known_version(known_version);
  return Call(*stub_, &Stub::GetDirectory, request);
}

absl::StatusOr<identity::v1::GetStatusListResponse> Registrar::GetStatusList(uint64_t known_version) {
  identity::v1::GetStatusListRequest request;
  request.set_known_version(known_version);
  return Call(*stub_, &Stub::GetStatusList, request);
}

absl::StatusOr<identity::v1::GetFederationTrustResponse> Registrar::GetFederationTrust(
    const identity::v1::GetFederationTrustRequest& request) {
  return Call(*federations_, &FederationsStub::GetFederationTrust, request);
}

absl::StatusOr<identity::v1::ListKeysResponse> Registrar::ListKeys(
    const identity::v1::ListKeysRequest& request) {
  return Call(*stub_, &Stub::ListKeys, request);
}

absl::StatusOr<identity::v1::CosignCheckpointResponse> Registrar::CosignCheckpoint(
    const identity::v1::CosignCheckpointRequest& request) {
  return Call(*stub_, &Stub::CosignCheckpoint, request);
}

absl::StatusOr<ops::v1::GetCheckpointResponse> Registrar::GetCheckpoint(uint64_t old_size) {
  ops::v1::GetCheckpointRequest request;
  request.set_old_size(old_size);
  return Call(*operations_, &ops::v1::OperationsService::Stub::GetCheckpoint, request);
}

}  // namespace tsunagi::process
