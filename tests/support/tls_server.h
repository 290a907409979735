// A guarded server on loopback with a certificate of a TestFederation, and raw calls to it.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "services/rpc/channel.h"
#include "services/rpc/server.h"
#include "services/rpc/status.h"
#include "tests/support/federation.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::testing {

class TlsServer {
 public:
  TlsServer(TestFederation& federation, std::string label, std::string process)
      : federation_(federation), label_(std::move(label)), process_(std::move(process)) {
    Show(federation_.Enrol(label_, process_));
    ShowRoots(federation_.root_pem());
  }

  // Writes key and certificate where the server reads them.
  void Show(const TestCredential& credential) {
    WriteFileAtomically(dir_.File("tls.key"), credential.key_pem, 0600).IgnoreError();
    WriteFileAtomically(dir_.File("tls.crt"), credential.chain_pem, 0600).IgnoreError();
  }
  // Writes the roots that the server accepts.
  void ShowRoots(const std::string& pem) {
    WriteFileAtomically(dir_.File("root.crt"), pem, 0600).IgnoreError();
  }
  rpc::ServerOptions Options() const {
    rpc::ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.tls = {dir_.File("tls.key"), dir_.File("tls.crt"), dir_.File("root.crt")};
    return options;
  }
  absl::Status Start(rpc::Guard& guard, const std::vector<grpc::Service*>& services) {
    absl::StatusOr<std::unique_ptr<rpc::Server>> server = rpc::Server::Start(Options(), guard, services);
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    return absl::OkStatus();
  }

  rpc::Server& server() { return *server_; }
  std::string address() const { return absl::StrCat("127.0.0.1:", server_->port()); }

  // A channel that expects this server; with the token in every call unless it is empty.
  std::shared_ptr<grpc::Channel> Channel(const TestCredential& credential, const std::string& token) const {
    return rpc::NewChannel(address(), rpc::ProcessDnsName(process_, label_, federation_.name()),
                           credential.key_pem, credential.chain_pem, federation_.root_pem(), token);
  }

 private:
  TestFederation& federation_;
  const std::string label_;
  const std::string process_;
  const TempDir dir_;
  std::unique_ptr<rpc::Server> server_;
};

using RawMetadata = std::vector<std::pair<std::string, std::string>>;

// Calls `method` with `request` as its bytes and exactly these headers. The status as it came, after at most
// 10 s.
inline absl::Status CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                            const RawMetadata& metadata = {}, const std::string& request = "") {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
  const grpc::Slice slice(request);
  grpc::ByteBuffer in(&slice, 1);
  grpc::ByteBuffer out;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, method, grpc::StubOptions(), &in, &out,
                 [&](grpc::Status status) { done.set_value(std::move(status)); });
  return rpc::FromGrpcStatus(done.get_future().get());
}

}  // namespace tsunagi::testing
