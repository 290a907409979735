// The registrar, as the amendment courier needs it, over gRPC.
#pragma once

#include "passport/records/amendments.h"
#include "services/process/participant_process.h"

namespace tsunagi::passport {

// Blocking. Thread-safe.
class RegistrarClient final : public RegistrarPort {
 public:
  // `process` must outlive the client.
  explicit RegistrarClient(process::ParticipantProcess& process) : process_(process) {}

  absl::StatusOr<identity::v1::Amendment> SubmitAmendment(
      const identity::v1::SubmitAmendmentRequest& request) override;

 private:
  process::ParticipantProcess& process_;
};

}  // namespace tsunagi::passport
