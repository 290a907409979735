// The keys and endpoints that participants list. Thread-safe; nothing blocks.
#pragma once

#include <string>

#include "core/base/caller.h"
#include "identity/act.h"
#include "identity/context.h"
#include "identity/signed_lists.h"
#include "tsunagi/identity/v1/identity_service.pb.h"
#include "tsunagi/identity/v1/trust_service.pb.h"

namespace tsunagi::identity {

class ParticipantKeys {
 public:
  ParticipantKeys(const RegistrarContext& context, SignedLists& lists) : context_(context), lists_(lists) {}

  // A signing key that a new one replaces counts for this long on.
  static constexpr absl::Duration kSigningOverlap = absl::Hours(24);

  // Lists the caller's keys, each with proof of possession, and the calling process's endpoints. Keys that
  // are listed already stay as they are; a new LOG key ends the earlier ones of the same log, a new SIGNING
  // key the earlier ones after kSigningOverlap.
  //   INVALID_ARGUMENT    a key, its proof or an endpoint is wrong, or is not the calling process's
  //   ALREADY_EXISTS      another participant lists the key
  //   FAILED_PRECONDITION too many keys
  void ListKeys(const Caller& caller, const v1::ListKeysRequest& request, Done<v1::ListKeysResponse> done);

  // Ends a participant's key that was lost or stolen, from a time that is past or from now on. `caller` is
  // the registrar's operator. With two-person approval it only proposes (`pending_id`): Anchors::Approve.
  //   INVALID_ARGUMENT     reason, or an end in the future or before the key began
  //   NOT_FOUND            participant or key
  //   FAILED_PRECONDITION  the key has ended by then already, or is the registrar's, which rotates its keys
  void EndKey(const Caller& caller, const v1::EndKeyRequest& request, Done<v1::EndKeyResponse> done);

 private:
  absl::StatusOr<Decision<v1::ListKeysResponse>> DecideKeys(const Caller& caller,
                                                            const v1::ListKeysRequest& request) const;
  absl::StatusOr<Decision<v1::EndKeyResponse>> DecideEndKey(const Caller& caller,
                                                            const v1::EndKeyRequest& request) const;
  absl::StatusOr<v1::EndKeyResponse> ProposeKeyEnd(const Caller& caller, const v1::EndKeyRequest& request,
                                                   audit::Commit& commit) const;

  const RegistrarContext& context_;
  SignedLists& lists_;
};

// The end of a key as an act in `commit`, with its leaf; errors are EndKey's.
absl::StatusOr<v1::EndKeyResponse> AddKeyEnd(const RegistrarContext& context, const std::string& by,
                                             const v1::EndKeyRequest& request, audit::Commit& commit);
// What a proposal of it is about: SHA-256 of the key as it is listed. NOT_FOUND when it is not.
absl::StatusOr<std::string> BasisOfKeyEnd(const store::Store& store, const v1::EndKeyRequest& request);

}  // namespace tsunagi::identity
