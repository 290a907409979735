// Corrections of identity facts: an issuer proposes, the registrar approves (発行・変更の承認).
#pragma once

#include <string>

#include "core/base/caller.h"
#include "identity/act.h"
#include "identity/context.h"
#include "identity/operators.h"
#include "tsunagi/identity/v1/identity_service.pb.h"

namespace tsunagi::identity {

// Thread-safe; nothing blocks.
class Amendments {
 public:
  explicit Amendments(const RegistrarContext& context) : context_(context) {}

  // Files a proposal, taking everything from the two events that are shown. The same one again gives it as it
  // stands.
  //   INVALID_ARGUMENT   an event is malformed or shows more than the identity part, the proposal is not the
  //   caller's,
  //                      or the other event is not what it corrects
  //   ALREADY_EXISTS     the proposal was filed with another event in force
  //   PERMISSION_DENIED  the issuer is suspended
  void Submit(const Caller& caller, const v1::SubmitAmendmentRequest& request,
              Done<v1::SubmitAmendmentResponse> done);

  // Signs the proposal's digest; an approved one stays as it is. `caller` is the registrar's operator. With
  // two-person approval (二者承認) the first person's call leaves it pending, another person's within
  // kProposalLife approves it.
  //   NOT_FOUND            no such proposal
  //   FAILED_PRECONDITION  the same person approved it first, or the certificate names none
  void Approve(const Caller& caller, const v1::ApproveAmendmentRequest& request,
               Done<v1::ApproveAmendmentResponse> done);

  // A page in order of submission: of all for the registrar's operator, of its own for anyone else.
  absl::StatusOr<v1::ListAmendmentsResponse> List(const Caller& caller,
                                                  const v1::ListAmendmentsRequest& request) const;

 private:
  absl::StatusOr<Decision<v1::SubmitAmendmentResponse>> DecideSubmit(
      const Caller& caller, const v1::SubmitAmendmentRequest& request) const;
  absl::StatusOr<Decision<v1::ApproveAmendmentResponse>> DecideApprove(
      const Caller& caller, const v1::ApproveAmendmentRequest& request) const;

  absl::StatusOr<Decision<v1::ApproveAmendmentResponse>> ApproveFirst(const Actor& actor,
                                                                      v1::Amendment amendment,
                                                                      const std::string& basis) const;

  const RegistrarContext& context_;
};

}  // namespace tsunagi::identity
