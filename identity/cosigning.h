// The registrar as witness of its participants' logs: one view per log, never two.
#pragma once

#include "core/base/caller.h"
#include "identity/act.h"
#include "identity/context.h"
#include "tsunagi/identity/v1/identity_service.pb.h"

namespace tsunagi::identity {

// Thread-safe; nothing blocks.
class Cosigning {
 public:
  explicit Cosigning(const RegistrarContext& context) : context_(context) {}

  // Adds the registrar's cosignature to a checkpoint of the calling process's log that extends the last one
  // that was cosigned. The time in it is the one that counts for signatures in that log.
  //   INVALID_ARGUMENT     the checkpoint is malformed, or of another log
  //   FAILED_PRECONDITION  OLD_SIZE_WRONG: `expected` in the details is the size to prove from;
  //                        VIEW_SMALLER or VIEW_FORKED: the log shows another view than before
  //   PERMISSION_DENIED    the participant is suspended, or lists no key for the log
  void Cosign(const Caller& caller, const v1::CosignCheckpointRequest& request,
              Done<v1::CosignCheckpointResponse> done);

 private:
  absl::StatusOr<Decision<v1::CosignCheckpointResponse>> Decide(
      const Caller& caller, const v1::CosignCheckpointRequest& request) const;

  const RegistrarContext& context_;
};

}  // namespace tsunagi::identity
