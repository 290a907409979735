// Joining: invitations, first certificates, renewals. Thread-safe; nothing blocks.
#pragma once

#include <optional>
#include <string>

#include "core/base/caller.h"
#include "core/crypto/certificate.h"
#include "identity/act.h"
#include "identity/act_counts.h"
#include "identity/context.h"
#include "identity/persons.h"
#include "identity/throttle.h"
#include "identity/trust.h"
#include "tsunagi/identity/v1/identity_service.pb.h"

namespace tsunagi::identity {

// A newcomer's request.
struct EnrolRequest {
  std::string label;
  std::string code;
  std::string request_der;  // PKCS#10
  std::string peer;         // network address, for throttling
};

// A process's request to renew its certificate.
struct RenewRequest {
  std::string certificate_der;  // whose key the caller proved to hold
  std::string request_der;      // PKCS#10
};

class Enrolment {
 public:
  // After its certificate has expired, an active participant may renew for this long, with the same key.
  static constexpr absl::Duration kLateRenewal = absl::Hours(30 * 24);

  // `trust` is the registrar's own view.
  Enrolment(const RegistrarContext& context, const TrustStore& trust)
      : context_(context), trust_(trust), throttle_(context.clock) {}

  // An invitation for a member. `caller` is the registrar's operator.
  //   INVALID_ARGUMENT    processes or life; a person where none may be, or none where two-person approval
  //   needs one NOT_FOUND           no such participant FAILED_PRECONDITION it is suspended or has left
  //   ALREADY_EXISTS      the request_id was used: the code cannot be shown again
  void CreateInvitation(const Caller& caller, const v1::CreateInvitationRequest& request,
                        Done<v1::CreateInvitationResponse> done);

  // A process's first certificate; the invitation is used up for that process. With it an approved
  // participant becomes active.
  //   RESOURCE_EXHAUSTED  too many wrong codes from this peer
  //   UNAUTHENTICATED     label or code is wrong, expired or used: which, is not told
  //   INVALID_ARGUMENT    the request is malformed, or asks for other names than one process of the invited
  //                       participant
  //   PERMISSION_DENIED   the invitation does not cover the process, or the participant is suspended or left
  void Enrol(const EnrolRequest& request, Done<crypto::Certificate> done);

  // A new certificate for the same names, and the same person.
  //   UNAUTHENTICATED   the certificate is not ours, or expired too long ago, or expired and the key is
  //   another PERMISSION_DENIED the participant is suspended or unknown INVALID_ARGUMENT  the request is
  //   malformed or asks for other names
  void Renew(const RenewRequest& request, Done<crypto::Certificate> done);

  const ActCounts& enrolled() const { return enrolled_; }
  const ActCounts& renewed() const { return renewed_; }

 private:
  absl::StatusOr<Decision<v1::CreateInvitationResponse>> DecideInvitation(
      const Caller& caller, const v1::CreateInvitationRequest& request) const;
  absl::StatusOr<Decision<crypto::Certificate>> DecideEnrol(const EnrolRequest& request);
  absl::StatusOr<Decision<crypto::Certificate>> DecideRenew(const RenewRequest& request) const;
  absl::StatusOr<Decision<crypto::Certificate>> Issue(const crypto::CertificateRequest& request,
                                                      const ProcessName& name, absl::string_view by,
                                                      const std::optional<StoredPerson>& person) const;

  const RegistrarContext& context_;
  const TrustStore& trust_;
  Throttle throttle_;
  ActCounts enrolled_;
  ActCounts renewed_;
};

}  // namespace tsunagi::identity
