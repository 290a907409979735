#include "identity/pendings.h"

#include "absl/strings/str_cat.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/store/key.h"

namespace tsunagi::identity {
namespace {

using store::Key;
using store::Table;

std::string IdKey(absl::string_view id) { return Key("pending").Str("id").Str(id); }

absl::Status NothingWaits(absl::string_view id) {
  return absl::NotFoundError(absl::StrCat("nothing waits for approval under `", id,
                                          "`: `tsunagi participant pending` lists what does"));
}

}  // namespace

std::string PendingPrefix() { return Key("pending").Str("label"); }
std::string PendingKey(absl::string_view label) { return Key("pending").Str("label").Str(label); }

absl::StatusOr<StoredPending> LoadPending(const store::Store& store, absl::string_view id) {
  const absl::StatusOr<std::string> label = store.Get(Table::kState, IdKey(id));
  if (absl::IsNotFound(label.status())) return NothingWaits(id);
  RETURN_IF_ERROR(label.status());
  const absl::StatusOr<std::string> bytes = store.Get(Table::kState, PendingKey(*label));
  // Taken out between the two reads.
  if (absl::IsNotFound(bytes.status())) return NothingWaits(id);
  RETURN_IF_ERROR(bytes.status());
  StoredPending pending;
  RETURN_IF_ERROR(Decode(*bytes, "stored pending", pending));
  return pending.pending().id() == id ? absl::StatusOr<StoredPending>(std::move(pending)) : NothingWaits(id);
}

absl::Status CheckNothingWaits(const store::Store& store, absl::string_view label, audit::Commit& commit) {
  const std::string key = PendingKey(label);
  commit.reads.push_back(key);
  const absl::StatusOr<std::string> bytes = store.Get(Table::kState, key);
  if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
  RETURN_IF_ERROR(bytes.status());
  StoredPending waiting;
  RETURN_IF_ERROR(Decode(*bytes, "stored pending", waiting));
  return absl::FailedPreconditionError(absl::StrCat("something waits for approval for `", label,
                                                    "` already: approve or decline `", waiting.pending().id(),
                                                    "` first"));
}

absl::Status AddPending(const store::Store& store, const StoredPending& pending, audit::Commit& commit) {
  RETURN_IF_ERROR(CheckNothingWaits(store, pending.pending().label(), commit));
  const std::string id_key = IdKey(pending.pending().id());
  if (store.Get(Table::kState, id_key).ok()) {
    return absl::AlreadyExistsError("`request_id` was used with another request: expected a new UUID");
  }
  commit.reads.push_back(id_key);
  commit.writes.push_back(store::Put(Table::kState, id_key, pending.pending().label()));
  commit.writes.push_back(store::Put(Table::kState, PendingKey(pending.pending().label()), Encode(pending)));
  return absl::OkStatus();
}

void RemovePending(const StoredPending& pending, audit::Commit& commit) {
  for (std::string key : {IdKey(pending.pending().id()), PendingKey(pending.pending().label())}) {
    commit.reads.push_back(key);
    commit.writes.push_back(store::Delete(Table::kState, std::move(key)));
  }
}

}  // namespace tsunagi::identity
