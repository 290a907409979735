#include "services/passport/registrar_client.h"

#include <chrono>
#include <memory>
#include <utility>

#include "core/base/status_macros.h"
#include "grpcpp/client_context.h"
#include "services/rpc/status.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"

namespace tsunagi::passport {
namespace {

constexpr std::chrono::seconds kDeadline{10};

}  // namespace

absl::StatusOr<identity::v1::Amendment> RegistrarClient::SubmitAmendment(
    const identity::v1::SubmitAmendmentRequest& request) {
  ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel, process_.ChannelToRegistrar());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  identity::v1::SubmitAmendmentResponse response;
  const grpc::Status status =
      identity::v1::IdentityService::NewStub(channel)->SubmitAmendment(&context, request, &response);
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  return std::move(*response.mutable_amendment());
}

}  // namespace tsunagi::passport
