#include "services/rpc/server.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/crypto/certificate.h"
#include "core/crypto/key.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/impl/server_builder_option.h"
#include "grpcpp/impl/server_builder_plugin.h"
#include "grpcpp/impl/server_initializer.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "grpcpp/server_builder.h"
#include "services/rpc/call_counts.h"
#include "services/rpc/grpc_log.h"

namespace tsunagi::rpc {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr unsigned kReloadSeconds = 1;
constexpr int kHandshakeTimeoutMs = 10'000;
constexpr int kMaxMetadataBytes = 16 << 10;
constexpr int kMinPingIntervalMs = 30'000;
constexpr int kKeepaliveMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr size_t kMemoryQuotaBytes = size_t{512} << 20;

// Learns the names of the services that a builder registered: grpc::Service does not tell them.
class ServiceNames final : public grpc::ServerBuilderPlugin {
 public:
  explicit ServiceNames(std::vector<std::string>& names) : names_(names) {}
  std::string name() override { return "tsunagi-service-names"; }
  void InitServer(grpc::ServerInitializer*) override {}
  void Finish(grpc::ServerInitializer* initializer) override { names_ = *initializer->GetServiceList(); }
  void ChangeArguments(const std::string&, void*) override {}

 private:
  std::vector<std::string>& names_;
};

class AddServiceNames final : public grpc::ServerBuilderOption {
 public:
  explicit AddServiceNames(std::vector<std::string>& names) : names_(names) {}
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->push_back(std::make_unique<ServiceNames>(names_));
  }

 private:
  std::vector<std::string>& names_;
};

absl::StatusOr<std::vector<std::string>> MethodsOf(const std::vector<std::string>& services) {
  std::vector<std::string> methods;
  for (const std::string& name : services) {
    const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    if (service == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("service `", name, "` has no descriptor: link its proto"));
    }
    for (int i = 0; i < service->method_count(); ++i) {
      methods.push_back(absl::StrCat("/", name, "/", service->method(i)->name()));
    }
  }
  return methods;
}

// gRPC reads the files itself and only logs what is wrong with them, at each handshake: we look before it
// starts.
absl::Status CheckFiles(const TlsFiles& files) {
  ASSIGN_OR_RETURN(const std::string key_pem, ReadFile(files.key_path, kMaxFileBytes));
  ASSIGN_OR_RETURN(const std::string chain_pem, ReadFile(files.certificate_path, kMaxFileBytes));
  ASSIGN_OR_RETURN(const std::string root_pem, ReadFile(files.root_path, kMaxFileBytes));
  ASSIGN_OR_RETURN(const crypto::PrivateKey key, crypto::PrivateKey::FromPem(key_pem));
  ASSIGN_OR_RETURN(const std::vector<crypto::Certificate> chain, crypto::ParseCertificatesPem(chain_pem));
  RETURN_IF_ERROR(crypto::ParseCertificatesPem(root_pem).status());
  if (chain.empty() || chain.front().public_key.id() != key.id()) {
    return absl::FailedPreconditionError(absl::StrCat("`", files.certificate_path,
                                                      "`: expected the certificate of `", files.key_path,
                                                      "`; remove it to enrol again"));
  }
  return absl::OkStatus();
}

std::shared_ptr<grpc::ServerCredentials> Credentials(const TlsFiles& files, Guard& guard) {
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          files.key_path, files.certificate_path, files.root_path, kReloadSeconds));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::experimental::TlsServerCredentials(options);
  credentials->SetAuthMetadataProcessor(guard.Processor());
  return credentials;
}

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.SetResourceQuota(grpc::ResourceQuota("tsunagi").Resize(kMemoryQuotaBytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  // A peer that vanished must not keep its streams: a watch may say nothing for weeks.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // A connection lives as long as its peer wants: the Guard looks at certificate and status on every call.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // The message limit counts compressed bytes: a small message could unpack to any size.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Guard& guard,
                                                      const std::vector<grpc::Service*>& services) {
  TakeGrpcLog();
  RETURN_IF_ERROR(CheckFiles(options.tls));
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  std::vector<std::string> names;
  builder.SetOption(std::make_unique<AddServiceNames>(names));
  auto server = std::unique_ptr<Server>(new Server());
  builder.AddListeningPort(options.listen, Credentials(options.tls, guard), &server->port_);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(NewCallCounter(guard.counts()));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || server->port_ == 0) {
    return absl::UnavailableError(absl::StrCat("`listen` is `", options.listen,
                                               "`: expected an address of this machine whose port is free"));
  }
  // Until this check a method without a row was refused by the guard.
  ASSIGN_OR_RETURN(const std::vector<std::string> methods, MethodsOf(names));
  RETURN_IF_ERROR(guard.CheckComplete(methods));
  return server;
}

Server::~Server() { Drain(absl::ZeroDuration()); }

void Server::Drain(absl::Duration limit) {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(limit));
  server_.reset();
}

}  // namespace tsunagi::rpc
