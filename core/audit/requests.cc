#include "core/audit/requests.h"

#include <utility>

#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/store/key.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::audit {
namespace {

using store::Table;

constexpr absl::Duration kKept = absl::Hours(7 * 24);
constexpr size_t kForgottenAtOnce = 1000;

// Time first, so that what is over stands together.
store::Key OverAt(absl::Time time) {
  return store::Key("request-over").U64(static_cast<uint64_t>(absl::ToUnixSeconds(time)));
}

// Deletions of replies that are over, and of what says when.
absl::StatusOr<std::vector<store::Write>> Forgotten(const store::Store& store, absl::Time now) {
  const std::string later = OverAt(now + absl::Seconds(1)).bytes();
  std::vector<store::Write> writes;
  RETURN_IF_ERROR(store.Scan(Table::kState, store::Key("request-over").bytes(), "",
                             [&](absl::string_view key, absl::string_view request) {
                               if (key >= later) return false;
                               writes.push_back(store::Delete(Table::kState, std::string(key)));
                               writes.push_back(store::Delete(Table::kState, std::string(request)));
                               return writes.size() < 2 * kForgottenAtOnce;
                             }));
  return writes;
}

}  // namespace

std::string StoredRequestKey(const RequestKey& request) {
  return store::Key("request").Str(request.caller).Str(request.method).Str(request.request_id);
}

absl::StatusOr<std::optional<std::string>> FindReply(const store::Store& store, const RequestKey& request) {
  if (!IsUuid(std::string(request.request_id))) {
    return InvalidArgument({"REQUEST_ID_INVALID", "request_id", request.request_id,
                            "a UUID in lower case such as 7d2f6a0e-8b1c-4a37-9f54-0c1e5b6a9d21"});
  }
  absl::StatusOr<std::string> stored = store.Get(Table::kState, StoredRequestKey(request));
  if (absl::IsNotFound(stored.status())) return std::nullopt;
  RETURN_IF_ERROR(stored.status());
  internal::v1::StoredReply reply;
  if (!Decode(*stored, "stored reply", reply).ok())
    return absl::DataLossError("a stored reply cannot be read");
  if (!crypto::ConstantTimeEquals(reply.request_digest(), request.body_digest)) {
    return absl::AlreadyExistsError("`request_id` was used with another request: expected a new UUID");
  }
  return reply.reply();
}

void RememberReply(const RequestKey& request, absl::string_view reply, absl::Time now,
                   std::vector<store::Write>& writes) {
  internal::v1::StoredReply stored;
  stored.set_request_digest(request.body_digest);
  stored.set_reply(std::string(reply));
  const std::string key = StoredRequestKey(request);
  writes.push_back(store::Put(Table::kState, key, Encode(stored)));
  writes.push_back(store::Put(Table::kState, OverAt(now + kKept).Str(key), key));
}

absl::Status ForgetReplies(Journal& journal, absl::Time now) {
  while (true) {
    ASSIGN_OR_RETURN(std::vector<store::Write> writes, Forgotten(journal.store(), now));
    if (writes.empty()) return absl::OkStatus();
    Commit commit;
    commit.writes = std::move(writes);
    RETURN_IF_ERROR(journal.SubmitAndWait(std::move(commit)).status());
  }
}

}  // namespace tsunagi::audit
