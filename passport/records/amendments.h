// Amendments on their way to the registrar and back.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "passport/records/context.h"
#include "passport/records/history.h"
#include "tsunagi/identity/v1/identity_service.pb.h"

namespace tsunagi::passport {

// The registrar, as the courier needs it.
class RegistrarPort {
 public:
  virtual ~RegistrarPort() = default;
  // Submits an amendment, idempotent by the proposal's digest; returns it as it stands. Blocking.
  virtual absl::StatusOr<identity::v1::Amendment> SubmitAmendment(
      const identity::v1::SubmitAmendmentRequest& request) = 0;
};

// Takes waiting proposals to the registrar and writes AMENDMENT_APPROVED events for those that it approved.
// Only the old and the new identity part are shown to it, as parts of their events.
class AmendmentCourier {
 public:
  // Both must outlive the courier.
  AmendmentCourier(const RecordContext& context, RegistrarPort& registrar)
      : context_(context), registrar_(registrar) {}

  // One round over all waiting proposals; how many were approved and written. While the registrar is away
  // proposals wait: its error (UNAVAILABLE, DEADLINE_EXCEEDED) ends the round and the next one tries again. A
  // proposal that it refuses for good is dropped with a log line; any other failure holds up that proposal
  // only. One round at a time; blocks.
  absl::StatusOr<int> Run();

 private:
  // True when the registrar approved and the approval was written.
  absl::StatusOr<bool> Carry(const std::string& pending_key, const std::string& event_key);
  absl::StatusOr<bool> Drop(const std::string& pending_key, const KeptEvent& proposal,
                            const absl::Status& refusal);

  const RecordContext& context_;
  RegistrarPort& registrar_;
};

}  // namespace tsunagi::passport
