// Mutations are done once: (caller, method, request_id, body digest) is kept 7 days with the reply.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/audit/journal.h"
#include "core/store/store.h"

namespace tsunagi::audit {

// One request as it is remembered.
struct RequestKey {
  absl::string_view caller;  // DID
  absl::string_view method;
  absl::string_view request_id;  // must be a UUID: INVALID_ARGUMENT otherwise
  std::string body_digest;       // SHA-256 of the request
  // Account of the caller, for the leaf: whoever asks again gets the same reply. May be empty.
  absl::string_view account = "";
};

// The key under which the request is kept: goes into Commit::reads, so that two at once do not both write.
std::string StoredRequestKey(const RequestKey& request);

// The reply that was given to the same request; nothing when it is new. ALREADY_EXISTS when the id was used
// with another body.
absl::StatusOr<std::optional<std::string>> FindReply(const store::Store& store, const RequestKey& request);

// Adds the writes that remember the reply for 7 days from `now`.
void RememberReply(const RequestKey& request, absl::string_view reply, absl::Time now,
                   std::vector<store::Write>& writes);

// Forgets the replies whose time is over, at most 1,000 a commit; reads no others. For upkeep: blocks.
absl::Status ForgetReplies(Journal& journal, absl::Time now);

}  // namespace tsunagi::audit
