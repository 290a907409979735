#include "services/mandate/node.h"

#include <chrono>
#include <memory>

#include "core/base/status_macros.h"
#include "grpcpp/client_context.h"
#include "services/rpc/status.h"
#include "tsunagi/identity/v1/mandate_service.grpc.pb.h"

namespace tsunagi::mandate {
namespace {

using Service = identity::v1::MandateRegistryService;

constexpr absl::Duration kUpkeep = absl::Seconds(5);
constexpr std::chrono::seconds kDeadline{10};

template <class Request, class Response>
absl::Status Call(process::ParticipantProcess& process,
                  grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request) {
  ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel, process.ChannelToRegistrar());
  Service::Stub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  Response response;
  return rpc::FromGrpcStatus((stub.*method)(&context, request, &response));
}

}  // namespace

absl::Status RegistryClient::FileMandate(const identity::v1::FileMandateRequest& request) {
  return Call(process_, &Service::Stub::FileMandate, request);
}

absl::Status RegistryClient::FileRevocation(const identity::v1::FileRevocationRequest& request) {
  return Call(process_, &Service::Stub::FileRevocation, request);
}

MandateNode::MandateNode(process::ParticipantProcess& process, const std::string& shared_dir)
    : revoked_(shared_dir),
      registry_(process),
      own_({process.journal(), process.trust(), process.signing_key(), process.clock(), revoked_, registry_,
            process.did()}),
      ticker_(kUpkeep, [this] { own_.FileWaiting(); }) {}

}  // namespace tsunagi::mandate
