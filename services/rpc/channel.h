// Channels to other processes: mTLS to the intended participant, token in every call.
#pragma once

#include <memory>
#include <string>

#include "grpcpp/channel.h"
#include "identity/names.h"

namespace tsunagi::rpc {

// The metadata header that carries the token of the own operator's session.
inline constexpr char kSessionHeader[] = "x-tsunagi-session";

// Names of processes in certificates.
using identity::ProcessDnsName;
using identity::ProcessUri;

// A channel belongs to one certificate and one token: renewal makes a new one. `token` may be empty (only to
// ask for one). The server must present ProcessDnsName `expected_name`.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address, const std::string& expected_name,
                                          const std::string& key_pem, const std::string& certificate_pem,
                                          const std::string& root_pem, const std::string& token);

}  // namespace tsunagi::rpc
