#include "services/process/health.h"

#include <chrono>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "grpcpp/client_context.h"
#include "identity/names.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::process {
namespace {

constexpr size_t kMaxFileBytes = 64 << 10;
constexpr std::chrono::seconds kDeadline{5};

}  // namespace

absl::StatusOr<ops::v1::GetHealthResponse> CheckHealth(const internal::v1::NodeConfig& config,
                                                       const std::string& process) {
  const auto read = [&](absl::string_view name) {
    return ReadFile(config.data_dir() + "/" + std::string(name), kMaxFileBytes);
  };
  ASSIGN_OR_RETURN(const std::string address, read("listen"));
  ASSIGN_OR_RETURN(const std::string key, read("tls.key"));
  ASSIGN_OR_RETURN(const std::string certificate, read("tls.crt"));
  ASSIGN_OR_RETURN(const std::string root, read("root.crt"));
  ASSIGN_OR_RETURN(const std::string token, read("token"));
  const auto stub = ops::v1::OperationsService::NewStub(
      rpc::NewChannel(std::string(absl::StripAsciiWhitespace(address)),
                      identity::ProcessDnsName(process, config.participant(), config.federation()), key,
                      certificate, root, token));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  ops::v1::GetHealthResponse response;
  RETURN_IF_ERROR(rpc::FromGrpcStatus(stub->GetHealth(&context, {}, &response)));
  return response;
}

}  // namespace tsunagi::process
