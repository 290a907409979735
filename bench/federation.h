// The registrar's operator at a running registrar: lets participants join, suspends them.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bench/access.h"
#include "core/base/random.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"
#include "tsunagi/identity/v1/membership_service.grpc.pb.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::bench {

// Where the registrar is, beside Access: as a node's configuration says it.
struct RegistrarPlace {
  std::string est_url;
  std::string root_sha256;
  std::string folder;  // of the nodes that join
};

// Blocking.
class Federation {
 public:
  // `access` is the registrar's operator's.
  static absl::StatusOr<std::unique_ptr<Federation>> Open(const Access& access, const RegistrarPlace& place);

  // Registers and invites a participant; gives the configuration of its node.
  absl::StatusOr<internal::v1::NodeConfig> Invite(const std::string& label);
  absl::Status SetSuspended(const std::string& label, bool suspended);

 private:
  Federation(const Access& access, const RegistrarPlace& place, const std::shared_ptr<grpc::Channel>& channel)
      : access_(access),
        place_(place),
        stub_(identity::v1::IdentityService::NewStub(channel)),
        members_(identity::v1::MembershipService::NewStub(channel)) {}

  const Access access_;
  const RegistrarPlace place_;
  const std::unique_ptr<identity::v1::IdentityService::Stub> stub_;
  const std::unique_ptr<identity::v1::MembershipService::Stub> members_;
  SystemRandom random_;
};

}  // namespace tsunagi::bench
