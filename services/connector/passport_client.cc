#include "services/connector/passport_client.h"

#include <chrono>
#include <memory>
#include <utility>

#include "connector/grant/seal.h"
#include "grpcpp/client_context.h"
#include "services/rpc/status.h"
#include "tsunagi/passport/v1/passport_service.grpc.pb.h"

namespace tsunagi::connector {
namespace {

constexpr std::chrono::seconds kDeadline{10};

// What must live as long as the call.
struct ReadCall {
  explicit ReadCall(const std::shared_ptr<grpc::Channel>& channel) : stub(channel) {}
  passport::v1::PassportService::Stub stub;
  grpc::ClientContext context;
  passport::v1::ReadPartsRequest request;
  passport::v1::ReadPartsResponse response;
};

// What the own passport refuses is this node's fault, never the caller's.
absl::Status OwnFault(const grpc::Status& status) {
  const absl::Status cause = rpc::FromGrpcStatus(status);
  if (absl::IsUnavailable(cause) || absl::IsDeadlineExceeded(cause)) {
    return absl::UnavailableError("the passport records cannot be read now");
  }
  // One battery has more to release than a message holds: the caller must ask for less.
  if (absl::IsResourceExhausted(cause)) return cause;
  return absl::InternalError(cause.message());
}

}  // namespace

void PassportClient::ReadParts(const grant::Grant& grant, absl::Span<const common::v1::Subject> subjects,
                               Done done) {
  const auto channel = process_.ChannelTo(process_.label(), "passport");
  if (!channel.ok()) return done(absl::UnavailableError("the passport records cannot be reached"));
  auto call = std::make_shared<ReadCall>(*channel);
  call->context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  call->request.set_grant(grant::Seal(grant, process_.seal_key()));
  for (const common::v1::Subject& subject : subjects) *call->request.add_subjects() = subject;
  call->stub.async()->ReadParts(&call->context, &call->request, &call->response,
                                [call, done = std::move(done)](const grpc::Status& status) {
                                  if (!status.ok()) return done(OwnFault(status));
                                  done(std::move(call->response));
                                });
}

}  // namespace tsunagi::connector
