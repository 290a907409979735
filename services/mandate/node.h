// The mandates of one participant in one of its processes: their parts, put together.
#pragma once

#include <string>

#include "identity/own_mandates.h"
#include "identity/revoked_mandates.h"
#include "services/process/participant_process.h"
#include "services/process/ticker.h"

namespace tsunagi::mandate {

// The registrar over gRPC. Blocking. Thread-safe.
class RegistryClient final : public identity::MandateRegistryPort {
 public:
  // `process` must outlive the client.
  explicit RegistryClient(process::ParticipantProcess& process) : process_(process) {}

  absl::Status FileMandate(const identity::v1::FileMandateRequest& request) override;
  absl::Status FileRevocation(const identity::v1::FileRevocationRequest& request) override;

 private:
  process::ParticipantProcess& process_;
};

// Order of members is order of use. Lives until every call has finished.
class MandateNode {
 public:
  // `process` must outlive the node. `shared_dir` is where the participant's processes know of revoked
  // mandates.
  MandateNode(process::ParticipantProcess& process, const std::string& shared_dir);

  identity::OwnMandates& own() { return own_; }

 private:
  identity::RevokedMandates revoked_;
  RegistryClient registry_;
  identity::OwnMandates own_;
  process::Ticker ticker_;  // tells the registrar what it could not be told
};

}  // namespace tsunagi::mandate
