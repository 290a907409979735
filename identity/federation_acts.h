// The registrar's trust in other federations: given, followed and taken back. Each act has one leaf.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/caller.h"
#include "identity/act.h"
#include "identity/context.h"
#include "identity/signed_lists.h"
#include "tsunagi/identity/v1/federation_trust_service.pb.h"

namespace tsunagi::identity {

// Thread-safe; nothing blocks. Whoever asks for the lists after an act is done has it, and so has the push of
// the status list.
class FederationActs {
 public:
  FederationActs(const RegistrarContext& context, SignedLists& lists) : context_(context), lists_(lists) {}

  // Trusts a federation whose bundle is in the request, or states anew how it is trusted. `caller` is the
  // registrar's operator.
  //   INVALID_ARGUMENT     a value is wrong (CheckTrusted), or a host is this federation's or another one's
  //   UNAUTHENTICATED      no root of this SHA-256 vouches for the bundle, or it takes a removal back
  //   ABORTED              a newer bundle of that root is known
  //   RESOURCE_EXHAUSTED   kMaxTrusted are trusted, or kMaxFederations are named
  //   ALREADY_EXISTS       the request_id was used for another request
  void Trust(const Caller& caller, const v1::TrustFederationRequest& request,
             Done<v1::TrustFederationResponse> done);

  // Ends the trust.
  //   INVALID_ARGUMENT  reason
  //   NOT_FOUND         no such federation is trusted
  void Revoke(const Caller& caller, const v1::RevokeFederationRequest& request,
              Done<v1::RevokeFederationResponse> done);

  // Takes the next bundle of a federation over, when the one that is known vouches for it. Passes on whether
  // it is news.
  //   NOT_FOUND        no such federation is trusted
  //   UNAUTHENTICATED  nothing that counts vouches for it, or it takes a removal back
  //   ABORTED          its version is lower than the known one's
  void Follow(const std::string& federation, const v1::SignedTrustBundle& bundle, Done<bool> done);

 private:
  absl::StatusOr<Decision<v1::TrustFederationResponse>> DecideTrust(
      const Caller& caller, const v1::TrustFederationRequest& request) const;
  absl::StatusOr<Decision<v1::RevokeFederationResponse>> DecideRevoke(
      const Caller& caller, const v1::RevokeFederationRequest& request) const;
  absl::StatusOr<Decision<bool>> DecideFollow(const std::string& federation,
                                              const v1::SignedTrustBundle& bundle) const;
  // Signs both lists, so that they are pushed, and then is done with `reply`.
  template <class Reply>
  Done<Reply> Published(Done<Reply> done);

  const RegistrarContext& context_;
  SignedLists& lists_;
};

}  // namespace tsunagi::identity
