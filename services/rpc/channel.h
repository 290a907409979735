// Channels to other processes: mTLS to the intended participant, token in every call.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "services/rpc/server.h"

namespace tsunagi::rpc {

// The DNS name that the certificate of a process must carry.
std::string ProcessDnsName(absl::string_view process, absl::string_view label, absl::string_view federation);
// The SPIFFE URI of a process.
std::string ProcessUri(absl::string_view process, absl::string_view label, absl::string_view federation);

// A channel belongs to one certificate and one token: renewal makes a new one. `token` may be empty (only to ask for
// one). The server must present ProcessDnsName `expected_name`.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address, const std::string& expected_name,
                                          const std::string& key_pem, const std::string& certificate_pem,
                                          const std::string& root_pem, const std::string& token);

}  // namespace tsunagi::rpc
