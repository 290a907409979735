// The server shell: mTLS, Guard, limits, drain.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/server.h"
#include "services/rpc/guard.h"

namespace tsunagi::rpc {

// Key and certificates that a process shows. The files are re-read when they change, for new handshakes.
struct TlsFiles {
  std::string key_path;          // PEM
  std::string certificate_path;  // PEM: leaf, then issuing CA
  std::string root_path;         // PEM: every root that counts
};

struct ServerOptions {
  std::string listen;  // host:port; port 0 picks a free one
  TlsFiles tls;
  int max_message_bytes = 4 << 20;
  int max_concurrent_streams = 512;
};

// A running server. Services must outlive it.
class Server {
 public:
  // Every method of `services` must have a row in the guard (FAILED_PRECONDITION naming those that have
  // none).
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options, Guard& guard,
                                                       const std::vector<grpc::Service*>& services);
  ~Server();

  int port() const { return port_; }
  // Stops accepting, lets calls in flight finish, cancels them at the deadline.
  void Drain(absl::Duration limit);

 private:
  Server() = default;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace tsunagi::rpc
