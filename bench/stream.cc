#include "bench/stream.h"

#include <algorithm>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bench/process.h"
#include "bench/proto/echo_service.grpc.pb.h"
#include "core/base/status_macros.h"
#include "services/rpc/status.h"
#include "tsunagi/connector/v1/connector_service.grpc.pb.h"

namespace tsunagi::bench {
namespace {

constexpr uint64_t kBatteriesPerRequest = 1'000;

// Writes all requests from a thread of its own while it reads to the end.
template <class Request, class Response>
absl::StatusOr<StreamResult> Run(grpc::ClientReaderWriter<Request, Response>& stream,
                                 const std::vector<Request>& requests, int server_pid,
                                 const std::function<uint64_t(const Response&)>& records) {
  StreamResult result;
  result.request_bytes = static_cast<uint32_t>(requests.front().ByteSizeLong());
  ASSIGN_OR_RETURN(const absl::Duration time_before, ProcessorTime(server_pid));
  const absl::Time begin = absl::Now();
  std::thread writer([&] {
    for (const Request& request : requests) {
      if (!stream.Write(request)) break;
    }
    stream.WritesDone();
  });
  Response response;
  while (stream.Read(&response)) {
    result.records += records(response);
    result.frame_bytes.push_back(static_cast<uint32_t>(response.ByteSizeLong()));
  }
  writer.join();
  RETURN_IF_ERROR(rpc::FromGrpcStatus(stream.Finish()));
  result.elapsed = absl::Now() - begin;
  ASSIGN_OR_RETURN(const absl::Duration time_after, ProcessorTime(server_pid));
  result.server_processor_time = time_after - time_before;
  return result;
}

std::vector<connector::v1::ReleaseStreamRequest> RequestsFor(const StreamLoad& load) {
  std::vector<connector::v1::ReleaseStreamRequest> requests;
  for (uint64_t start = 0; start < load.batteries.count; start += kBatteriesPerRequest) {
    connector::v1::ReleaseStreamRequest& request = requests.emplace_back();
    request.set_agreement(load.agreement);
    request.add_sections(common::v1::SECTION_CONDITION);
    request.set_purpose(load.purpose);
    const uint64_t end = std::min(load.batteries.count, start + kBatteriesPerRequest);
    for (uint64_t i = start; i < end; ++i) *request.add_batteries() = BatteryAt(load.batteries, i);
  }
  return requests;
}

// Spreads the frames evenly over as many requests as the measured stream had.
std::vector<EchoRequest> RawRequestsFor(const StreamResult& shape) {
  const size_t count = (shape.records + kBatteriesPerRequest - 1) / kBatteriesPerRequest;
  std::vector<EchoRequest> requests(count);
  for (EchoRequest& request : requests) request.mutable_payload()->assign(shape.request_bytes, 'x');
  for (size_t i = 0; i < shape.frame_bytes.size(); ++i) {
    requests[i * count / shape.frame_bytes.size()].add_response_bytes(shape.frame_bytes[i]);
  }
  return requests;
}

}  // namespace

absl::StatusOr<StreamResult> RunReleaseStream(const std::shared_ptr<grpc::Channel>& channel,
                                              const StreamLoad& load) {
  const auto stub = connector::v1::ConnectorService::NewStub(channel);
  grpc::ClientContext context;
  const auto stream = stub->ReleaseStream(&context);
  ASSIGN_OR_RETURN(StreamResult result,
                   (Run<connector::v1::ReleaseStreamRequest, connector::v1::ReleaseStreamResponse>(
                       *stream, RequestsFor(load), load.server_pid, [](const auto& response) {
                         return static_cast<uint64_t>(response.contents_size());
                       })));
  if (result.records != load.batteries.count) {
    return absl::DataLossError(
        absl::StrCat(result.records, " records arrived, expected ", load.batteries.count));
  }
  return result;
}

absl::StatusOr<StreamResult> RunRawStream(const std::shared_ptr<grpc::Channel>& channel,
                                          const StreamResult& shape, int server_pid) {
  const auto stub = EchoService::NewStub(channel);
  grpc::ClientContext context;
  const auto stream = stub->EchoStream(&context);
  ASSIGN_OR_RETURN(StreamResult result,
                   (Run<EchoRequest, EchoResponse>(*stream, RawRequestsFor(shape), server_pid,
                                                   [](const EchoResponse&) { return uint64_t{0}; })));
  result.records = shape.records;
  return result;
}

}  // namespace tsunagi::bench
