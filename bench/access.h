// Who the load driver is, and where it calls.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"

namespace tsunagi::bench {

// The certificate of a federation's process, and the registrar that gives it a token.
struct Access {
  std::string key_path;          // PEM
  std::string certificate_path;  // PEM: leaf, then issuing CA
  std::string root_path;         // PEM
  std::string registrar;         // host:port
  std::string federation;
};

// The process that is measured.
struct Target {
  std::string address;  // host:port
  std::string name;     // DNS name in its certificate
  int pid = 0;          // 0: its processor time is not read
};

// Gets a token over the certificate, then a channel to the target that carries both, as the product's clients
// do.
absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const Access& access, const Target& target);

}  // namespace tsunagi::bench
