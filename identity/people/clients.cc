#include "identity/people/clients.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"

namespace tsunagi::people {
namespace {

using internal::v1::StoredSecret;
using store::Put;
using store::Table;

constexpr size_t kSecretSize = 32;

absl::StatusOr<bool> Counts(const StoredSecret& secret, absl::Time now) {
  if (!secret.has_expire_time()) return true;
  ASSIGN_OR_RETURN(const absl::Time end, FromProto(secret.expire_time()));
  return now < end;
}

StoredSecret NewSecret(absl::string_view bytes, absl::Time now) {
  StoredSecret secret;
  secret.set_digest(crypto::Sha256(bytes));
  *secret.mutable_create_time() = ToProto(now);
  return secret;
}

absl::Status NotDropped(const StoredClient& client, absl::string_view id) {
  if (client.secrets_size() > 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("API client `", id, "` was dropped: create a new one"));
}

absl::Status ShownOnce() {
  return absl::AlreadyExistsError("this was done and its secret cannot be shown again: rotate it");
}

// What is digested of a request: no name.
v1::CreateClientRequest WithoutName(v1::CreateClientRequest request) {
  request.clear_display_name();
  return request;
}

}  // namespace

absl::StatusOr<bool> HasSecret(const StoredClient& client, absl::string_view secret, absl::Time now) {
  const absl::StatusOr<std::string> bytes = FromBase64Url(secret);
  if (!bytes.ok() || bytes->size() != kSecretSize) return false;
  if (client.has_expire_time()) {
    ASSIGN_OR_RETURN(const absl::Time end, FromProto(client.expire_time()));
    if (now >= end) return false;
  }
  const crypto::Digest digest = crypto::Sha256(*bytes);
  for (const StoredSecret& known : client.secrets()) {
    ASSIGN_OR_RETURN(const bool counts, Counts(known, now));
    if (counts && crypto::ConstantTimeEquals(known.digest(), digest)) return true;
  }
  return false;
}

absl::Status Clients::CheckNew(const v1::CreateClientRequest& request) const {
  RETURN_IF_ERROR(CheckDisplayName(request.display_name()));
  RETURN_IF_ERROR(CheckRole(request.role()));
  if (request.role() == kAdministrator) {
    return InvalidArgument(
        {"ROLE_INVALID", "role", "administrator", "viewer, auditor or operator: people keep the accounts"});
  }
  if (request.has_expire_time()) {
    ASSIGN_OR_RETURN(const absl::Time end, FromProto(request.expire_time()));
    if (end <= context_.clock.Now()) {
      return InvalidArgument(
          {"TIME_PAST", "expire_time", absl::FormatTime(end, absl::UTCTimeZone()), "a time in the future"});
    }
  }
  int clients = 0;
  RETURN_IF_ERROR(ForEachClient(context_.journal.store(), "", [&](const std::string&, const StoredClient&) {
    return ++clients < kMaxClients;
  }));
  if (clients < kMaxClients) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("there are ", kMaxClients, " API clients: no more fit"));
}

absl::StatusOr<v1::CreateClientResponse> Clients::Create(const Caller& caller,
                                                         const v1::CreateClientRequest& request) {
  MutexLock lock(context_.mutex);
  const audit::RequestKey remembered =
      RememberedAs(caller, "CreateClient", request.request_id(), WithoutName(request));
  ASSIGN_OR_RETURN(const auto replied, audit::FindReply(context_.journal.store(), remembered));
  if (replied.has_value()) return ShownOnce();
  RETURN_IF_ERROR(CheckNew(request));
  const absl::Time now = context_.clock.Now();
  ASSIGN_OR_RETURN(const std::string id, NewId(context_, "c"));
  const std::string secret = context_.random.Bytes(kSecretSize);
  StoredClient client;
  client.set_role(request.role());
  *client.add_secrets() = NewSecret(secret, now);
  if (request.has_expire_time()) *client.mutable_expire_time() = request.expire_time();
  *client.mutable_create_time() = ToProto(now);

  std::vector<store::Write> writes = {Put(Table::kState, ClientKey(id), Encode(client)),
                                      Put(Table::kPerson, NameKey(id), request.display_name())};
  audit::RememberReply(remembered, "", now, writes);
  RETURN_IF_ERROR(
      Commit(context_, PeopleAct{"client-created", id, client.role(), caller.account()}, std::move(writes)));
  v1::CreateClientResponse response;
  ASSIGN_OR_RETURN(*response.mutable_client(), Show(id, client));
  response.set_secret(ToBase64Url(secret));
  return response;
}

absl::StatusOr<v1::RotateClientSecretResponse> Clients::Rotate(const Caller& caller,
                                                               const v1::RotateClientSecretRequest& request) {
  MutexLock lock(context_.mutex);
  const store::Store& store = context_.journal.store();
  const audit::RequestKey remembered =
      RememberedAs(caller, "RotateClientSecret", request.request_id(), request);
  ASSIGN_OR_RETURN(const auto replied, audit::FindReply(store, remembered));
  if (replied.has_value()) return ShownOnce();
  ASSIGN_OR_RETURN(StoredClient client, LoadClient(store, request.client()));
  RETURN_IF_ERROR(NotDropped(client, request.client()));
  const absl::Time now = context_.clock.Now();
  if (client.secrets_size() > 1) {
    ASSIGN_OR_RETURN(const bool counts, Counts(client.secrets(0), now));
    if (counts) {
      return absl::FailedPreconditionError(
          absl::StrCat("API client `", request.client(),
                       "` has two secrets: drop the old one first, with `only_old_secret`"));
    }
    client.mutable_secrets()->erase(client.secrets().begin());
  }
  const std::string secret = context_.random.Bytes(kSecretSize);
  *client.mutable_secrets(0)->mutable_expire_time() = ToProto(now + kSecretOverlap);
  *client.add_secrets() = NewSecret(secret, now);

  std::vector<store::Write> writes = {Put(Table::kState, ClientKey(request.client()), Encode(client))};
  audit::RememberReply(remembered, "", now, writes);
  RETURN_IF_ERROR(Commit(context_, PeopleAct{"secret-rotated", request.client(), kNoRole, caller.account()},
                         std::move(writes)));
  v1::RotateClientSecretResponse response;
  response.set_secret(ToBase64Url(secret));
  *response.mutable_old_secret_until() = client.secrets(0).expire_time();
  return response;
}

absl::StatusOr<v1::DropClientResponse> Clients::Drop(const Caller& caller,
                                                     const v1::DropClientRequest& request) {
  MutexLock lock(context_.mutex);
  const store::Store& store = context_.journal.store();
  const audit::RequestKey remembered = RememberedAs(caller, "DropClient", request.request_id(), request);
  ASSIGN_OR_RETURN(const auto replied, audit::FindReply(store, remembered));
  if (replied.has_value()) {
    RETURN_IF_ERROR(Publish(context_));
    return v1::DropClientResponse();
  }
  ASSIGN_OR_RETURN(StoredClient client, LoadClient(store, request.client()));
  RETURN_IF_ERROR(NotDropped(client, request.client()));
  if (!request.only_old_secret()) {
    client.clear_secrets();
  } else if (client.secrets_size() > 1) {
    client.mutable_secrets()->erase(client.secrets().begin());
  } else {
    return absl::FailedPreconditionError(
        absl::StrCat("API client `", request.client(), "` has one secret: rotate it first"));
  }
  std::vector<store::Write> writes = {Put(Table::kState, ClientKey(request.client()), Encode(client))};
  RETURN_IF_ERROR(EndSessions(store, request.client(), writes));
  audit::RememberReply(remembered, "", context_.clock.Now(), writes);
  const absl::string_view act = request.only_old_secret() ? "secret-dropped" : "client-dropped";
  RETURN_IF_ERROR(
      Commit(context_, PeopleAct{act, request.client(), kNoRole, caller.account()}, std::move(writes)));
  context_.sessions.RemoveAllOf(request.client());
  RETURN_IF_ERROR(Publish(context_));
  return v1::DropClientResponse();
}

absl::StatusOr<v1::Client> Clients::Show(const std::string& id, const StoredClient& stored) const {
  v1::Client client;
  client.set_id(id);
  ASSIGN_OR_RETURN(*client.mutable_display_name(), LoadName(context_.journal.store(), id));
  client.set_role(stored.role());
  if (stored.has_expire_time()) *client.mutable_expire_time() = stored.expire_time();
  *client.mutable_create_time() = stored.create_time();
  client.set_dropped(stored.secrets().empty());
  if (stored.secrets_size() > 1) {
    ASSIGN_OR_RETURN(const bool counts, Counts(stored.secrets(0), context_.clock.Now()));
    if (counts) *client.mutable_old_secret_until() = stored.secrets(0).expire_time();
  }
  return client;
}

absl::StatusOr<v1::ListClientsResponse> Clients::List(const v1::ListClientsRequest& request) const {
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  v1::ListClientsResponse response;
  absl::Status broken;
  RETURN_IF_ERROR(ForEachClient(context_.journal.store(), request.page_token(),
                                [&](const std::string& id, const StoredClient& stored) {
                                  if (response.clients_size() == page_size) {
                                    response.set_next_page_token(id);
                                    return false;
                                  }
                                  absl::StatusOr<v1::Client> shown = Show(id, stored);
                                  broken = shown.status();
                                  if (shown.ok()) *response.add_clients() = *std::move(shown);
                                  return broken.ok();
                                }));
  RETURN_IF_ERROR(broken);
  return response;
}

}  // namespace tsunagi::people
