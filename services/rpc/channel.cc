#include "services/rpc/channel.h"

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "services/rpc/grpc_log.h"
#include "services/rpc/guard.h"
#include "services/rpc/status.h"

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

// Judges a server as the Guard judges a client, and that it is the one that is meant.
class ServerCheck final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  ServerCheck(std::string expected_name, std::shared_ptr<const identity::Bundle> bundle)
      : expected_name_(std::move(expected_name)), bundle_(std::move(bundle)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>, grpc::Status* sync_status) override {
    const grpc::string_ref pem = request->peer_cert();
    *sync_status = ToGrpcStatus(Check({pem.data(), pem.size()}));
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  absl::Status Check(absl::string_view pem) const {
    ASSIGN_OR_RETURN(const Peer peer, BelievedPeer(pem, *bundle_, absl::Now()));
    if (ProcessDnsName(peer.process, peer.label, peer.federation) == expected_name_) return absl::OkStatus();
    return absl::UnauthenticatedError(absl::StrCat("the server is not `", expected_name_, "`"));
  }

  const std::string expected_name_;
  const std::shared_ptr<const identity::Bundle> bundle_;
};

std::shared_ptr<grpc::ChannelCredentials> Credentials(const std::string& expected_name,
                                                      const std::string& key_pem,
                                                      const std::string& certificate_pem,
                                                      const std::string& root_pem, const std::string& token,
                                                      std::shared_ptr<const identity::Bundle> bundle) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      root_pem, std::vector<grpc::experimental::IdentityKeyCertPair>{{key_pem, certificate_pem}}));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  if (bundle != nullptr) {
    options.set_certificate_verifier(grpc::experimental::ExternalCertificateVerifier::Create<ServerCheck>(
        expected_name, std::move(bundle)));
  }
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
                                          const std::string& root_pem, const std::string& token,
                                          std::shared_ptr<const identity::Bundle> bundle) {
  TakeGrpcLog();
  return grpc::CreateCustomChannel(
      address, Credentials(expected_name, key_pem, certificate_pem, root_pem, token, std::move(bundle)),
      Arguments(expected_name));
}

}  // namespace tsunagi::rpc
