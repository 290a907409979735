#include "services/connector/federation_client.h"

#include <chrono>

#include "core/base/status_macros.h"
#include "grpcpp/client_context.h"
#include "services/rpc/status.h"
#include "tsunagi/catalog/v1/catalog_service.grpc.pb.h"
#include "tsunagi/connector/v1/connector_service.grpc.pb.h"

namespace tsunagi::connector {
namespace {

constexpr std::chrono::seconds kDeadline{10};

// One blocking call with a deadline.
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Call(Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                              const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  return response;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> FederationClient::ChannelTo(absl::string_view participant,
                                                                           absl::string_view process) {
  auto channel = process_.ChannelTo(participant, process);
  if (absl::IsNotFound(channel.status())) return absl::UnavailableError(channel.status().message());
  return channel;
}

absl::StatusOr<v1::RequestAgreementResponse> FederationClient::RequestAgreement(
    absl::string_view participant, const v1::RequestAgreementRequest& request) {
  using Stub = v1::ConnectorService::Stub;
  ASSIGN_OR_RETURN(const auto channel, ChannelTo(participant, "connector"));
  Stub stub(channel);
  return Call(stub, &Stub::RequestAgreement, request);
}

absl::StatusOr<v1::ReleaseResponse> FederationClient::Release(absl::string_view participant,
                                                              const v1::ReleaseRequest& request) {
  using Stub = v1::ConnectorService::Stub;
  ASSIGN_OR_RETURN(const auto channel, ChannelTo(participant, "connector"));
  Stub stub(channel);
  return Call(stub, &Stub::Release, request);
}

absl::StatusOr<catalog::v1::FindHoldersResponse> FederationClient::FindHolders(
    absl::string_view participant, const catalog::v1::FindHoldersRequest& request) {
  using Stub = catalog::v1::CatalogService::Stub;
  ASSIGN_OR_RETURN(const auto channel, ChannelTo(participant, "catalog"));
  Stub stub(channel);
  return Call(stub, &Stub::FindHolders, request);
}

absl::Status FederationClient::FileNotices(absl::string_view participant,
                                           const catalog::v1::FileNoticesRequest& request) {
  using Stub = catalog::v1::CatalogService::Stub;
  ASSIGN_OR_RETURN(const auto channel, ChannelTo(participant, "catalog"));
  Stub stub(channel);
  return Call(stub, &Stub::FileNotices, request).status();
}

}  // namespace tsunagi::connector
