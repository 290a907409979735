#include "services/rpc/channel.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "services/rpc/grpc_log.h"

namespace tsunagi::rpc {
namespace {

// What one battery may release (8 MiB), its proof, and room for the parts of an answer before it.
constexpr int kMaxMessageBytes = 16 << 20;
constexpr int kKeepaliveMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
constexpr int kMaxReconnectBackoffMs = 2'000;

// Puts the token into every call. Never blocks: a plugin that may block costs half of the calls per second.
class BearerToken final : public grpc::MetadataCredentialsPlugin {
 public:
  explicit BearerToken(absl::string_view token) : header_(absl::StrCat("Bearer ", token)) {}

  bool IsBlocking() const override { return false; }
  const char* GetType() const override { return "tsunagi-token"; }
  grpc::Status GetMetadata(grpc::string_ref, grpc::string_ref, const grpc::AuthContext&,
                           std::multimap<grpc::string, grpc::string>* metadata) override {
    metadata->insert({"authorization", header_});
    return grpc::Status::OK;
  }
  grpc::string DebugString() override { return "access token"; }

 private:
  const std::string header_;
};

std::shared_ptr<grpc::ChannelCredentials> Credentials(const std::string& key_pem,
                                                      const std::string& certificate_pem,
                                                      const std::string& root_pem, const std::string& token) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      root_pem, std::vector<grpc::experimental::IdentityKeyCertPair>{{key_pem, certificate_pem}}));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  std::shared_ptr<grpc::ChannelCredentials> tls = grpc::experimental::TlsCredentials(options);
  if (token.empty()) return tls;
  return grpc::CompositeChannelCredentials(
      tls, grpc::MetadataCredentialsFromPlugin(std::make_unique<BearerToken>(token)));
}

grpc::ChannelArguments Arguments(const std::string& expected_name) {
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride(expected_name);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectBackoffMs);
  // Connections are shared by address otherwise, also between channels with different certificates and
  // tokens.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Neither an environment variable nor a DNS record says how we reach others.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  return arguments;
}

}  // namespace

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address, const std::string& expected_name,
                                          const std::string& key_pem, const std::string& certificate_pem,
                                          const std::string& root_pem, const std::string& token) {
  TakeGrpcLog();
  return grpc::CreateCustomChannel(address, Credentials(key_pem, certificate_pem, root_pem, token),
                                   Arguments(expected_name));
}

}  // namespace tsunagi::rpc
