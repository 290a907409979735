// Corrections of identity facts: an issuer proposes, the registrar approves (発行・変更の承認).
#pragma once

#include "core/base/caller.h"
#include "identity/act.h"
#include "identity/context.h"
#include "tsunagi/identity/v1/identity_service.pb.h"

namespace tsunagi::identity {

// Thread-safe; nothing blocks.
class Amendments {
 public:
  explicit Amendments(const RegistrarContext& context) : context_(context) {}

  // Files a proposal. The same one again gives it as it stands.
  //   INVALID_ARGUMENT   id, issuer or an identity part is malformed, or the parts are of another battery or
  //   alike ALREADY_EXISTS     the id was filed with other content PERMISSION_DENIED  the issuer is suspended
  void Submit(const Caller& caller, const v1::SubmitAmendmentRequest& request,
              Done<v1::SubmitAmendmentResponse> done);

  // Signs the proposal's digest; an approved one stays as it is. `caller` is the registrar's operator.
  //   NOT_FOUND  no such proposal
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

  const RegistrarContext& context_;
};

}  // namespace tsunagi::identity
