#include "identity/own_mandates.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/actor.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "core/crypto/envelope.h"
#include "core/store/key.h"
#include "identity/mandates.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::identity {
namespace {

using internal::v1::StoredMandate;
using store::Key;
using store::Table;

constexpr absl::Duration kDefaultLife = absl::Hours(365 * 24);
constexpr int kMaxPage = 1000;
constexpr int kDefaultPage = 100;

std::string MandatesPrefix() { return Key("own-mandate"); }
std::string MandateKey(const std::string& id) { return Key("own-mandate").Str(id); }

// Asking again would give the same answer.
bool IsFinal(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsAlreadyExists(status) ||
         absl::IsFailedPrecondition(status);
}

absl::StatusOr<absl::Duration> LifeOf(const v1::GrantMandateRequest& request) {
  if (request.ttl_seconds() == 0) return kDefaultLife;
  if (request.ttl_seconds() <= static_cast<uint64_t>(absl::ToInt64Seconds(kMaxMandateLife))) {
    return absl::Seconds(static_cast<int64_t>(request.ttl_seconds()));
  }
  return InvalidArgument({"LIFE_TOO_LONG", "ttl_seconds", absl::StrCat(request.ttl_seconds()),
                          "at most 5 years: 157852800 seconds"});
}

// Whether a mandate that is there is what the request asks for; its start is when it was first asked for.
bool Fits(const CheckedMandate& known, const v1::GrantMandateRequest& request, const std::string& holder,
          absl::Duration life) {
  const v1::Mandate& mandate = known.mandate;
  return mandate.holder() == holder && known.valid_until - known.valid_from == life &&
         std::equal(mandate.scopes().begin(), mandate.scopes().end(), request.scopes().begin(),
                    request.scopes().end());
}

std::string RecordOf(const Caller& caller, const v1::Mandate& mandate, absl::string_view act,
                     absl::Time now) {
  audit::v1::Record record;
  *record.mutable_time() = ToProto(now);
  record.mutable_mandate()->set_act(std::string(act));
  record.mutable_mandate()->set_mandate(mandate.id());
  record.mutable_mandate()->set_holder(mandate.holder());
  *record.mutable_mandate()->mutable_scopes() = mandate.scopes();
  audit::NameActor(caller, record);
  return Encode(record);
}

const CheckedMandate* FindById(const std::vector<CheckedMandate>& mandates, absl::string_view id) {
  for (const CheckedMandate& one : mandates) {
    if (one.mandate.id() == id) return &one;
  }
  return nullptr;
}

v1::ListedMandate Listed(const CheckedMandate& one) {
  v1::ListedMandate listed;
  *listed.mutable_mandate() = one.mandate;
  if (one.revoked_at.has_value()) *listed.mutable_revoked_at() = ToProto(*one.revoked_at);
  listed.set_listed(true);
  return listed;
}

}  // namespace

absl::StatusOr<StoredMandate> OwnMandates::Load(const std::string& id) const {
  StoredMandate stored;
  const absl::StatusOr<std::string> bytes = context_.journal.store().Get(Table::kState, MandateKey(id));
  if (absl::IsNotFound(bytes.status())) return stored;
  RETURN_IF_ERROR(bytes.status());
  RETURN_IF_ERROR(Decode(*bytes, "stored mandate", stored));
  return stored;
}

absl::StatusOr<std::map<std::string, StoredMandate>> OwnMandates::LoadAll() const {
  std::map<std::string, StoredMandate> all;
  absl::Status broken;
  RETURN_IF_ERROR(context_.journal.store().Scan(
      Table::kState, MandatesPrefix(), "", [&](absl::string_view key, absl::string_view value) {
        store::KeyReader reader(key.substr(MandatesPrefix().size()));
        const absl::StatusOr<std::string> id = reader.Str();
        broken = id.ok() ? Decode(value, "stored mandate", all[*id]) : id.status();
        return broken.ok();
      }));
  RETURN_IF_ERROR(broken);
  return all;
}

absl::Status OwnMandates::Save(const std::string& id, const StoredMandate& stored,
                               std::optional<std::string> record) {
  audit::Commit commit;
  commit.writes = {store::Put(Table::kState, MandateKey(id), Encode(stored))};
  commit.record = std::move(record);
  return context_.journal.SubmitAndWait(std::move(commit)).status();
}

// A mandate that starts before its key counts would never count.
absl::Status OwnMandates::CheckOwnKey(absl::Time now) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Party> self, context_.trust.View()->Find(context_.did));
  absl::Status counts = self->KeyCountsAt(context_.signing_key.id(), now);
  if (counts.ok()) return counts;
  return absl::FailedPreconditionError(
      absl::StrCat("the directory does not list this node's signing key yet: try again in a minute (",
                   counts.message(), ")"));
}

absl::StatusOr<StoredMandate> OwnMandates::Sign(const Caller& caller, const v1::GrantMandateRequest& request,
                                                const std::string& holder) {
  ASSIGN_OR_RETURN(const absl::Duration life, LifeOf(request));
  const absl::Time now = context_.clock.Now();
  RETURN_IF_ERROR(CheckOwnKey(now));
  v1::Mandate mandate;
  mandate.set_id(request.request_id());
  mandate.set_grantor(context_.did);
  mandate.set_holder(holder);
  *mandate.mutable_scopes() = request.scopes();
  *mandate.mutable_valid_from() = ToProto(now);
  *mandate.mutable_valid_until() = ToProto(now + life);
  const std::string payload = Encode(mandate);
  RETURN_IF_ERROR(ReadMandate(payload).status());
  StoredMandate stored;
  *stored.mutable_mandate() = crypto::Sign(context_.signing_key, kMandatePayload, payload);
  RETURN_IF_ERROR(Save(mandate.id(), stored, RecordOf(caller, mandate, "granted", now)));
  return stored;
}

absl::StatusOr<v1::GrantMandateResponse> OwnMandates::Grant(const Caller& caller,
                                                            const v1::GrantMandateRequest& request) {
  const std::string& id = request.request_id();
  if (!IsUuid(id)) return InvalidArgument({"REQUEST_ID_INVALID", "request_id", id, "a UUID in lower case"});
  ASSIGN_OR_RETURN(const absl::Duration life, LifeOf(request));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Party> holder, context_.trust.View()->Find(request.holder()));
  const std::string& holder_did = holder->participant.did();
  MutexLock lock(turn_);
  ASSIGN_OR_RETURN(StoredMandate stored, Load(id));
  if (!stored.has_mandate()) {
    ASSIGN_OR_RETURN(stored, Sign(caller, request, holder_did));
  }
  ASSIGN_OR_RETURN(const CheckedMandate checked, ReadMandate(stored.mandate().payload()));
  if (!Fits(checked, request, holder_did, life)) {
    return absl::AlreadyExistsError(
        absl::StrCat("request_id `", id, "` stands for another mandate: take a new one"));
  }
  RETURN_IF_ERROR(File(id, stored));
  v1::GrantMandateResponse response;
  *response.mutable_mandate() = checked.mandate;
  response.set_filed(stored.mandate_filed());
  return response;
}

absl::StatusOr<v1::RevokeMandateResponse> OwnMandates::Revoke(const Caller& caller,
                                                              const v1::RevokeMandateRequest& request) {
  const std::string& id = request.id();
  if (!IsUuid(id)) return InvalidArgument({"ID_INVALID", "id", id, "the UUID of a mandate"});
  ASSIGN_OR_RETURN(const std::shared_ptr<const Party> self, context_.trust.View()->Find(context_.did));
  ASSIGN_OR_RETURN(const StoredMandate known, Load(id));
  if (!known.has_mandate() && FindById(self->mandates, id) == nullptr) {
    return absl::NotFoundError(absl::StrCat("this participant granted no mandate `", id,
                                            "`: `tsunagi mandate list` shows which it did"));
  }
  // Before the turn: it may be held while the registrar does not answer.
  RETURN_IF_ERROR(context_.revoked.Add(id));
  MutexLock lock(turn_);
  ASSIGN_OR_RETURN(StoredMandate stored, Load(id));
  if (!stored.has_revoked_at()) {
    const absl::Time now = context_.clock.Now();
    *stored.mutable_revoked_at() = ToProto(now);
    v1::Mandate named;
    named.set_id(id);
    RETURN_IF_ERROR(Save(id, stored, RecordOf(caller, named, "revoked", now)));
  }
  RETURN_IF_ERROR(File(id, stored));
  v1::RevokeMandateResponse response;
  response.set_filed(stored.revocation_filed());
  return response;
}

absl::Status OwnMandates::File(const std::string& id, StoredMandate& stored) {
  StoredMandate filed = stored;
  // A mandate that was revoked before it was filed need not be.
  if (!filed.mandate_filed() && !filed.has_revoked_at()) {
    v1::FileMandateRequest request;
    *request.mutable_mandate() = filed.mandate();
    absl::Status status = context_.registry.FileMandate(request);
    if (IsFinal(status)) {
      audit::Commit commit;
      commit.writes = {store::Delete(Table::kState, MandateKey(id))};
      RETURN_IF_ERROR(context_.journal.SubmitAndWait(std::move(commit)).status());
      return status;
    }
    if (!status.ok()) log::Info("a mandate waits", {{"id", id}, {"reason", std::string(status.message())}});
    filed.set_mandate_filed(status.ok());
  }
  if (filed.has_revoked_at() && !filed.revocation_filed()) {
    v1::MandateRevocation revocation;
    revocation.set_id(id);
    revocation.set_grantor(context_.did);
    *revocation.mutable_revoked_at() = filed.revoked_at();
    v1::FileRevocationRequest request;
    *request.mutable_revocation() =
        crypto::Sign(context_.signing_key, kMandateRevocationPayload, Encode(revocation));
    const absl::Status status = context_.registry.FileRevocation(request);
    // What the registrar does not list lets nobody act.
    filed.set_revocation_filed(status.ok() || absl::IsNotFound(status));
    if (!filed.revocation_filed()) {
      log::Warning("the revocation of a mandate waits",
                   {{"id", id}, {"reason", std::string(status.message())}});
    }
  }
  if (Encode(filed) != Encode(stored)) RETURN_IF_ERROR(Save(id, filed, std::nullopt));
  stored = std::move(filed);
  return absl::OkStatus();
}

void OwnMandates::FileWaiting() {
  MutexLock lock(turn_);
  absl::StatusOr<std::map<std::string, StoredMandate>> all = LoadAll();
  absl::Status status = all.status();
  if (all.ok()) {
    for (auto& [id, stored] : *all) status.Update(File(id, stored));
  }
  if (!status.ok()) log::Warning("filing mandates failed", {{"reason", std::string(status.message())}});
}

// Granted ones first, each by id; ids of several grantors may be alike.
std::map<std::string, v1::ListedMandate> OwnMandates::Everything(
    const std::map<std::string, StoredMandate>& stored) const {
  const std::shared_ptr<const TrustView> view = context_.trust.View();
  std::map<std::string, v1::ListedMandate> all;
  for (const auto& [did, party] : view->by_did) {
    for (const CheckedMandate& one : party->mandates) {
      if (did == context_.did) all[absl::StrCat("granted ", one.mandate.id())] = Listed(one);
      if (one.mandate.holder() == context_.did)
        all[absl::StrCat("held ", one.mandate.id(), " ", did)] = Listed(one);
    }
  }
  for (const auto& [id, known] : stored) {
    const std::string key = absl::StrCat("granted ", id);
    const absl::StatusOr<CheckedMandate> checked = ReadMandate(known.mandate().payload());
    // One that was granted with another store, and is over.
    if (!all.contains(key) && !checked.ok()) continue;
    v1::ListedMandate& listed = all[key];
    if (!listed.has_mandate()) *listed.mutable_mandate() = checked->mandate;
    if (known.has_revoked_at() && !listed.has_revoked_at()) {
      *listed.mutable_revoked_at() = known.revoked_at();
      listed.set_listed(false);
    }
  }
  return all;
}

absl::StatusOr<v1::ListMandatesResponse> OwnMandates::List(const v1::ListMandatesRequest& request) const {
  if (request.page_size() < 0 || request.page_size() > kMaxPage) {
    return InvalidArgument(
        {"PAGE_SIZE_INVALID", "page_size", absl::StrCat(request.page_size()), "0 to 1000"});
  }
  const int page_size = request.page_size() == 0 ? kDefaultPage : request.page_size();
  ASSIGN_OR_RETURN(const auto stored, LoadAll());
  const std::map<std::string, v1::ListedMandate> all = Everything(stored);
  v1::ListMandatesResponse response;
  for (auto it = all.lower_bound(request.page_token()); it != all.end(); ++it) {
    if (response.mandates_size() == page_size) {
      response.set_next_page_token(it->first);
      break;
    }
    *response.add_mandates() = it->second;
  }
  return response;
}

}  // namespace tsunagi::identity
