#include "bench/access.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"

namespace tsunagi::bench {
namespace {

constexpr size_t kMaxPemBytes = 1 << 20;

absl::StatusOr<std::string> IssueToken(const std::shared_ptr<grpc::Channel>& registrar) {
  const auto stub = identity::v1::IdentityService::NewStub(registrar);
  grpc::ClientContext context;
  identity::v1::IssueTokenResponse response;
  RETURN_IF_ERROR(rpc::FromGrpcStatus(stub->IssueToken(&context, {}, &response)));
  return response.token();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const Access& access, const Target& target) {
  ASSIGN_OR_RETURN(const std::string key, ReadFile(access.key_path, kMaxPemBytes));
  ASSIGN_OR_RETURN(const std::string certificate, ReadFile(access.certificate_path, kMaxPemBytes));
  ASSIGN_OR_RETURN(const std::string root, ReadFile(access.root_path, kMaxPemBytes));
  const std::string registrar_name = rpc::ProcessDnsName("registrar", "registrar", access.federation);
  ASSIGN_OR_RETURN(const std::string token,
                   IssueToken(rpc::NewChannel(access.registrar, registrar_name, key, certificate, root, "")));
  return rpc::NewChannel(target.address, target.name, key, certificate, root, token);
}

}  // namespace tsunagi::bench
