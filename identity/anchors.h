// The registrar's certification authorities and its other keys: rotation, emergency removal, trust bundle.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/base/caller.h"
#include "core/base/mutex.h"
#include "identity/act.h"
#include "identity/context.h"
#include "identity/signed_lists.h"
#include "identity/trust.h"
#include "tsunagi/identity/v1/trust_service.pb.h"

namespace tsunagi::identity {

// Thread-safe: one change at a time. Changes block: they write key files, before the commit that names them,
// so that a crash leaves at most a file that the next try uses. Whatever is committed is in use when the
// change returns, and after a restart.
class Anchors {
 public:
  // A rotated token key signs from then on; before, processes learn it with the directory.
  static constexpr absl::Duration kTokenLead = absl::Minutes(1);

  // `trust` is the registrar's own view.
  Anchors(const RegistrarContext& context, TrustStore& trust, SignedLists& lists)
      : context_(context), trust_(trust), lists_(lists) {}

  // Takes the stored bundle over, or signs the first one. Blocks.
  absl::Status Open();

  // The next key of a kind. ROOT and ISSUING in two steps: made known, then put into use while the other
  // retires: what it signed counts until the last certificate under it has ended. A root has an issuing CA of
  // its own, and certifies new keys for directory and status list when it is put into use. The other kinds
  // change at once. `caller` is the registrar's operator.
  //   INVALID_ARGUMENT     key or reason is missing
  //   FAILED_PRECONDITION  the next one is known already, or is not known yet
  //   ALREADY_EXISTS       the request_id was used for another request
  absl::StatusOr<v1::RotateKeyResponse> Rotate(const Caller& caller, const v1::RotateKeyRequest& request);

  // Takes a CA out at once (emergency); one that is known beside it is put into use in the same act.
  //   INVALID_ARGUMENT     certificate or reason
  //   NOT_FOUND            the bundle has no such CA
  //   FAILED_PRECONDITION  it is the only root or the only issuing CA, or was removed before
  absl::StatusOr<v1::RemoveAuthorityResponse> Remove(const Caller& caller,
                                                     const v1::RemoveAuthorityRequest& request);

  // With two-person approval (二者承認) the two above only propose (`pending_id`), and another person
  // approves, here and for ParticipantKeys::EndKey. FAILED_PRECONDITION: the same person, a certificate that
  // names none, a proposal that has expired, or keys that are not any more what they were when it was
  // proposed.
  absl::StatusOr<v1::ApproveProposalResponse> Approve(const Caller& caller,
                                                      const v1::ApproveProposalRequest& request);
  // NOT_FOUND when nothing is proposed under the id. Who proposed it may, too.
  absl::StatusOr<v1::DeclineProposalResponse> Decline(const Caller& caller,
                                                      const v1::DeclineProposalRequest& request);

 private:
  // Decides once by its request_id, then puts into use what came of it.
  template <class Reply, class Request>
  absl::StatusOr<Reply> Run(absl::string_view method, const Caller& caller, const Request& request,
                            absl::StatusOr<Decision<Reply>> (*decide)(const RegistrarContext&, const Caller&,
                                                                      const Request&));
  // Puts what is stored into use.
  absl::Status Apply();

  const RegistrarContext& context_;
  TrustStore& trust_;
  SignedLists& lists_;
  Mutex mutex_;
};

}  // namespace tsunagi::identity
