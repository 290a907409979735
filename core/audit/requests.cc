#include "core/audit/requests.h"

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

store::Write RememberReply(const RequestKey& request, absl::string_view reply, absl::Time now) {
  internal::v1::StoredReply stored;
  stored.set_request_digest(request.body_digest);
  stored.set_reply(std::string(reply));
  *stored.mutable_expire_time() = ToProto(now + kKept);
  return store::Put(Table::kState, StoredRequestKey(request), Encode(stored));
}

absl::StatusOr<std::vector<store::Write>> ForgetReplies(const store::Store& store, absl::Time now,
                                                        size_t limit) {
  std::vector<store::Write> writes;
  const google::protobuf::Timestamp at = ToProto(now);
  RETURN_IF_ERROR(store.Scan(
      Table::kState, store::Key("request").bytes(), "", [&](absl::string_view key, absl::string_view value) {
        internal::v1::StoredReply reply;
        if (Decode(value, "stored reply", reply).ok() && reply.expire_time().seconds() <= at.seconds()) {
          writes.push_back(store::Delete(Table::kState, std::string(key)));
        }
        return writes.size() < limit;
      }));
  return writes;
}

}  // namespace tsunagi::audit
