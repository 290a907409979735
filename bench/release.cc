#include "bench/release.h"

#include <atomic>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "bench/proto/echo_service.grpc.pb.h"
#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "services/rpc/status.h"
#include "tsunagi/connector/v1/connector_service.grpc.pb.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::bench {
namespace {

using connector::v1::ConnectorService;

constexpr std::chrono::seconds kDeadline(30);

constexpr common::v1::Section kSections[] = {common::v1::SECTION_IDENTITY, common::v1::SECTION_CONDITION,
                                             common::v1::SECTION_HISTORY};

// One call in flight: context and messages live until it has ended.
template <class Request, class Response>
struct Call {
  Call() { context.set_deadline(std::chrono::system_clock::now() + kDeadline); }
  grpc::ClientContext context;
  Request request;
  Response response;
};

connector::v1::ReleaseRequest RequestFor(const ReleaseLoad& load, uint64_t index) {
  connector::v1::ReleaseRequest request;
  request.set_agreement(load.agreement);
  *request.mutable_subject()->mutable_battery() = BatteryAt(load.batteries, index);
  for (const common::v1::Section section : kSections) request.add_sections(section);
  request.set_purpose(load.purpose);
  return request;
}

// A reply counts when it carries content and the proof of its leaf.
absl::Status CheckReply(const grpc::Status& status, const connector::v1::ReleaseResponse& response) {
  RETURN_IF_ERROR(rpc::FromGrpcStatus(status));
  if (response.content().empty() || response.proof().checkpoint().empty()) {
    return absl::DataLossError("a release came without content or proof");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> Agree(const std::shared_ptr<grpc::Channel>& channel, const std::string& purpose) {
  SystemRandom random;
  grpc::ClientContext context;
  connector::v1::RequestAgreementRequest request;
  request.set_request_id(NewUuid(random));
  for (const common::v1::Section section : kSections) request.add_sections(section);
  request.set_purpose(purpose);
  connector::v1::RequestAgreementResponse response;
  const auto stub = ConnectorService::NewStub(channel);
  RETURN_IF_ERROR(rpc::FromGrpcStatus(stub->RequestAgreement(&context, request, &response)));

  connector::v1::Agreement agreement;
  if (!agreement.ParseFromString(response.agreement().payload()) || agreement.id().empty()) {
    return absl::DataLossError("the provider's agreement cannot be read");
  }
  return agreement.id();
}

absl::StatusOr<uint64_t> CountLeaves(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  ops::v1::GetCheckpointResponse response;
  const auto stub = ops::v1::OperationsService::NewStub(channel);
  RETURN_IF_ERROR(rpc::FromGrpcStatus(stub->GetCheckpoint(&context, {}, &response)));
  // C2SP tlog-checkpoint: origin, size, root.
  const std::vector<std::string> lines = absl::StrSplit(response.checkpoint(), '\n');
  uint64_t size = 0;
  if (lines.size() < 3 || !absl::SimpleAtoi(lines[1], &size)) {
    return absl::DataLossError("the checkpoint has no size in its second line");
  }
  return size;
}

absl::StatusOr<MessageSizes> MeasureRelease(const std::shared_ptr<grpc::Channel>& channel,
                                            const ReleaseLoad& load) {
  grpc::ClientContext context;
  const connector::v1::ReleaseRequest request = RequestFor(load, 0);
  connector::v1::ReleaseResponse response;
  const grpc::Status status = ConnectorService::NewStub(channel)->Release(&context, request, &response);
  RETURN_IF_ERROR(CheckReply(status, response));
  return MessageSizes{static_cast<uint32_t>(request.ByteSizeLong()),
                      static_cast<uint32_t>(response.ByteSizeLong())};
}

absl::StatusOr<LoadResult> RunReleases(const std::shared_ptr<grpc::Channel>& channel, const ReleaseLoad& load,
                                       const LoadOptions& options) {
  const auto stub = ConnectorService::NewStub(channel);
  std::atomic<uint64_t> next = 0;
  return RunLoad(options, [&](std::function<void(absl::Status)> done) {
    auto call = std::make_shared<Call<connector::v1::ReleaseRequest, connector::v1::ReleaseResponse>>();
    call->request = RequestFor(load, next++ % load.batteries.count);
    stub->async()->Release(&call->context, &call->request, &call->response,
                           [call, done = std::move(done)](const grpc::Status& status) {
                             done(CheckReply(status, call->response));
                           });
  });
}

absl::StatusOr<LoadResult> RunEchoes(const std::shared_ptr<grpc::Channel>& channel, const MessageSizes& sizes,
                                     const LoadOptions& options) {
  const auto stub = EchoService::NewStub(channel);
  return RunLoad(options, [&](std::function<void(absl::Status)> done) {
    auto call = std::make_shared<Call<EchoRequest, EchoResponse>>();
    call->request.mutable_payload()->assign(sizes.request, 'x');
    call->request.add_response_bytes(sizes.response);
    stub->async()->Echo(
        &call->context, &call->request, &call->response,
        [call, done = std::move(done)](const grpc::Status& status) { done(rpc::FromGrpcStatus(status)); });
  });
}

}  // namespace tsunagi::bench
