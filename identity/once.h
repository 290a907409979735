// Acts that are done once by their request_id.
#pragma once

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/requests.h"
#include "core/base/caller.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/act.h"
#include "identity/context.h"

namespace tsunagi::identity {

// The reply that was given to the same request, or what `decide` decides, whose reply is then remembered in
// the same commit.
template <class Reply, class Request>
absl::StatusOr<Decision<Reply>> Once(const RegistrarContext& context, const Caller& caller,
                                     absl::string_view method, const Request& request,
                                     absl::FunctionRef<absl::StatusOr<Decision<Reply>>()> decide) {
  const audit::RequestKey key = {caller.did(), method, request.request_id(), crypto::Sha256(Encode(request))};
  ASSIGN_OR_RETURN(const std::optional<std::string> replied, audit::FindReply(context.journal.store(), key));
  if (replied.has_value()) {
    Decision<Reply> known;
    RETURN_IF_ERROR(Decode(*replied, "stored reply", known.reply));
    return known;
  }
  ASSIGN_OR_RETURN(Decision<Reply> decision, decide());
  if (decision.commit.has_value()) {
    decision.commit->reads.push_back(audit::StoredRequestKey(key));
    audit::RememberReply(key, Encode(decision.reply), context.clock.Now(), decision.commit->writes);
  }
  return decision;
}

}  // namespace tsunagi::identity
