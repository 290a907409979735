// The baseline server: mutual TLS with a node's own files, callback services, and nothing behind them.
#include <signal.h>

#include <cstdio>
#include <memory>
#include <string>

#include "bench/proto/echo_service.grpc.pb.h"
#include "core/base/deadlock.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace tsunagi::bench {
namespace {

constexpr int kMaxMessageBytes = 4 << 20;
constexpr int kMaxConcurrentStreams = 512;
constexpr unsigned kReloadSeconds = 1;

// Answers each request with as many bytes as it asks for.
class EchoReactor final : public grpc::ServerBidiReactor<EchoRequest, EchoResponse> {
 public:
  EchoReactor() { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    next_ = 0;
    WriteNext();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    WriteNext();
  }
  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (next_ == request_.response_bytes_size()) return StartRead(&request_);
    response_.mutable_payload()->assign(request_.response_bytes(next_++), 'x');
    StartWrite(&response_);
  }

  EchoRequest request_;
  EchoResponse response_;
  int next_ = 0;
};

class EchoServer final : public EchoService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const EchoRequest* request,
                                 EchoResponse* response) override {
    for (const uint32_t bytes : request->response_bytes()) response->mutable_payload()->assign(bytes, 'x');
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerBidiReactor<EchoRequest, EchoResponse>* EchoStream(grpc::CallbackServerContext*) override {
    return new EchoReactor();
  }
};

std::shared_ptr<grpc::ServerCredentials> Credentials(char** files) {
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(files[0], files[1], files[2],
                                                                           kReloadSeconds));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

int Serve(const std::string& listen, char** files) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  EchoServer service;
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams);
  builder.AddListeningPort(listen, Credentials(files));
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "bench_echo: cannot listen on `%s`: expected a free host:port\n", listen.c_str());
    return 1;
  }
  int signal = 0;
  sigwait(&ends, &signal);
  server->Shutdown();
  return 0;
}

}  // namespace
}  // namespace tsunagi::bench

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: bench_echo LISTEN KEY CERTIFICATE ROOT\n");
    return 2;
  }
  tsunagi::StopDeadlockDetection();
  return tsunagi::bench::Serve(argv[1], argv + 2);
}
