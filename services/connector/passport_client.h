// The passport records in a process of their own: the Grant travels sealed.
#pragma once

#include "connector/grant/passport_source.h"
#include "services/process/participant_process.h"

namespace tsunagi::connector {

// Thread-safe; never blocks.
class PassportClient final : public grant::PassportSource {
 public:
  // `process` must outlive the client and its calls.
  explicit PassportClient(process::ParticipantProcess& process) : process_(process) {}

  // UNAVAILABLE when the passport process cannot be reached within 10 s.
  void ReadParts(const grant::Grant& grant, absl::Span<const common::v1::Subject> subjects,
                 Done done) override;

 private:
  process::ParticipantProcess& process_;
};

}  // namespace tsunagi::connector
