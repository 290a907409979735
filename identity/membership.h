// Membership (参加登録, 利用停止, 脱退): applied → approved → active → suspended ⇄ active → left.
// Thread-safe; nothing blocks.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/caller.h"
#include "identity/act.h"
#include "identity/context.h"
#include "identity/entries.h"
#include "identity/operators.h"
#include "identity/pendings.h"
#include "identity/signed_lists.h"
#include "tsunagi/identity/v1/membership_service.pb.h"

namespace tsunagi::identity {

// Each act is done once by its request_id: INVALID_ARGUMENT unless that is a UUID, ALREADY_EXISTS when it was
// used with another request. With two-person approval, who applies, approves, updates or takes out needs a
// certificate that names a person: FAILED_PRECONDITION otherwise. An act is acknowledged once the registrar's
// own view has it.
class Membership {
 public:
  Membership(const RegistrarContext& context, SignedLists& lists) : context_(context), lists_(lists) {}

  // 参加申請, and with `approve` its approval. `caller` is the registrar's operator.
  //   INVALID_ARGUMENT    a value is malformed
  //   ALREADY_EXISTS      label, DID or an identifier belongs to another participant
  //   FAILED_PRECONDITION something waits for the label; or `approve` with two-person approval, or where
  //   another
  //                       participant holds a namespace
  void Apply(const Caller& caller, const v1::ApplyRequest& request, Done<v1::ApplyResponse> done);

  // Approves what waits. `caller` is the registrar's operator.
  //   NOT_FOUND           nothing waits under the id
  //   FAILED_PRECONDITION two-person approval, and it was entered by the same person or by none; a namespace
  //   of
  //                       another participant, and no reason; the member has left meanwhile
  //   ALREADY_EXISTS      DID or an identifier was taken meanwhile
  void Approve(const Caller& caller, const v1::ApproveRequest& request, Done<v1::ApproveResponse> done);

  // Declines what waits: who entered it may, too. NOT_FOUND when nothing waits under the id.
  void Decline(const Caller& caller, const v1::DeclineRequest& request, Done<v1::DeclineResponse> done);

  // Changes what a member states about itself. `caller` is the registrar's operator.
  //   INVALID_ARGUMENT    a value is malformed, or the DID is another one
  //   NOT_FOUND           no such member
  //   ALREADY_EXISTS      an identifier belongs to another participant
  //   FAILED_PRECONDITION it has left, or is the registrar; something waits for it
  void Update(const Caller& caller, const v1::UpdateParticipantRequest& request,
              Done<v1::UpdateParticipantResponse> done);

  // 利用停止 and its end: one person's act, since it must be quick. FAILED_PRECONDITION for the registrar
  // itself and for who has left.
  void SetSuspended(const Caller& caller, const v1::SetSuspendedRequest& request,
                    Done<v1::SetSuspendedResponse> done);

  // 脱退: ends the keys, clears the endpoints, gives the identifiers back; namespaces stay, so that what
  // routes to the leaver goes to its successor or custodian. It cannot be taken back: who comes again applies
  // again.
  //   INVALID_ARGUMENT    successor or custodian is the leaver itself
  //   NOT_FOUND           no such member, successor or custodian
  //   FAILED_PRECONDITION it has left, or is the registrar; successor or custodian is suspended or has left;
  //   something
  //                       waits for it
  void Leave(const Caller& caller, const v1::LeaveRequest& request, Done<v1::LeaveResponse> done);

  // Consent of a holder that another member holds its namespace too. `caller` is anybody.
  //   PERMISSION_DENIED   the caller is no operator, or is suspended or has left
  //   INVALID_ARGUMENT    namespace or label is malformed, or the namespace needs no consent
  //   FAILED_PRECONDITION the caller does not hold the namespace, or gave too many consents that were not
  //   used
  void ConsentToNamespace(const Caller& caller, const v1::ConsentToNamespaceRequest& request,
                          Done<v1::ConsentToNamespaceResponse> done);

  // A page of what waits, in order of label.
  absl::StatusOr<v1::ListPendingResponse> ListPending(const v1::ListPendingRequest& request) const;

  // A page of the members that match, in order of label. INVALID_ARGUMENT also for a token of another search.
  absl::StatusOr<v1::ListParticipantsResponse> List(const v1::ListParticipantsRequest& request) const;

 private:
  absl::StatusOr<Decision<v1::ApplyResponse>> DecideApply(const Caller& caller,
                                                          const v1::ApplyRequest& request) const;
  absl::StatusOr<Decision<v1::ApproveResponse>> DecideApprove(const Caller& caller,
                                                              const v1::ApproveRequest& request) const;
  absl::StatusOr<Decision<v1::DeclineResponse>> DecideDecline(const Caller& caller,
                                                              const v1::DeclineRequest& request) const;
  absl::StatusOr<Decision<v1::UpdateParticipantResponse>> DecideUpdate(
      const Caller& caller, const v1::UpdateParticipantRequest& request) const;
  absl::StatusOr<Decision<v1::SetSuspendedResponse>> DecideSuspended(
      const Caller& caller, const v1::SetSuspendedRequest& request) const;
  absl::StatusOr<Decision<v1::LeaveResponse>> DecideLeave(const Caller& caller,
                                                          const v1::LeaveRequest& request) const;
  absl::StatusOr<Decision<v1::ConsentToNamespaceResponse>> DecideConsent(
      const Caller& caller, const v1::ConsentToNamespaceRequest& request) const;

  // What an approval, or an act that waits for none, does to an entry: each adds to `commit` and gives the
  // entry as listed with the digest for the leaf.
  struct Listed {
    v1::Participant participant;
    std::string digest;
  };
  absl::StatusOr<Listed> Admit(const v1::Participant& applied, audit::Commit& commit) const;
  absl::StatusOr<Listed> Change(const v1::Participant& stated, audit::Commit& commit) const;
  absl::StatusOr<Listed> TakeOut(const v1::Participant& leaving, audit::Commit& commit) const;
  absl::Status CheckOverlaps(const v1::Participant& before, const v1::Participant& after, bool ruled,
                             audit::Commit& commit) const;

  // Adds what waits, with its leaf.
  absl::Status Enter(const Actor& actor, absl::string_view act, v1::Pending pending,
                     audit::Commit& commit) const;

  // Runs an act that is done once by its request_id.
  template <class Reply, class Request>
  void Run(absl::string_view method, const Caller& caller, const Request& request,
           absl::StatusOr<Decision<Reply>> (Membership::*decide)(const Caller&, const Request&) const,
           Done<Reply> done);
  template <class Reply>
  Done<Reply> OnceListed(Done<Reply> done);

  const RegistrarContext& context_;
  SignedLists& lists_;
};

}  // namespace tsunagi::identity
