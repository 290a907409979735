// Channels to other processes: mTLS to the intended participant, token in every call.
#pragma once

#include <memory>
#include <string>

#include "grpcpp/channel.h"
#include "identity/bundle.h"
#include "identity/names.h"

namespace tsunagi::rpc {

// The metadata header that carries the token of the own operator's session.
inline constexpr char kSessionHeader[] = "x-tsunagi-session";

// Names of processes in certificates.
using identity::ProcessDnsName;
using identity::ProcessUri;

// A channel belongs to one certificate and one token: renewal makes a new one. `token` may be empty (only to
// ask for one). `root_pem` has every root that counts. The server must present ProcessDnsName
// `expected_name`.
// With a trust bundle an issuing CA that counts in it must have signed the server's certificate: root_pem
// alone cannot say that one was removed.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address, const std::string& expected_name,
                                          const std::string& key_pem, const std::string& certificate_pem,
                                          const std::string& root_pem, const std::string& token,
                                          std::shared_ptr<const identity::Bundle> bundle = nullptr);

}  // namespace tsunagi::rpc
