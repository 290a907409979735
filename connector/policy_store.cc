#include "connector/policy_store.h"

#include <optional>
#include <utility>

#include "connector/records.h"
#include "core/audit/actor.h"
#include "core/audit/requests.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/store/key.h"

namespace tsunagi::connector {
namespace {

using policy::CompiledPolicies;

constexpr absl::string_view kMethod = "/tsunagi.connector.v1.ConnectorService/SetPolicies";
constexpr int kAttempts = 3;

// The stored set; version 0 when none was ever set.
absl::StatusOr<v1::PolicySet> LoadSet(const store::Store& store) {
  v1::PolicySet set;
  const absl::StatusOr<std::string> bytes = store.Get(store::Table::kState, PolicyStore::Key());
  if (absl::IsNotFound(bytes.status())) return set;
  RETURN_IF_ERROR(bytes.status());
  RETURN_IF_ERROR(Decode(*bytes, "stored policy set", set));
  return set;
}

absl::StatusOr<v1::SetPoliciesResponse> ParseReply(absl::string_view bytes) {
  v1::SetPoliciesResponse response;
  RETURN_IF_ERROR(Decode(bytes, "stored reply", response));
  return response;
}

}  // namespace

// A replacement under way.
struct PolicyStore::Change {
  v1::PolicySet set;
  // Who asked; nobody for the first set.
  std::optional<Caller> caller;
  std::string request_id;
  std::string body_digest;
  SetDone done;
  int attempts = 0;
};

const std::string& PolicyStore::Key() {
  static const std::string& key = *new std::string(store::Key("policy-set").bytes());
  return key;
}

absl::StatusOr<std::unique_ptr<PolicyStore>> PolicyStore::Open(audit::Journal& journal, const Clock& clock) {
  std::unique_ptr<PolicyStore> policies(new PolicyStore(journal, clock));
  ASSIGN_OR_RETURN(const v1::PolicySet set, LoadSet(journal.store()));
  absl::StatusOr<CompiledPolicies> compiled = CompiledPolicies::Compile(set);
  if (!compiled.ok()) {
    log::Error("the stored policies cannot be understood: everything is denied until they are set again",
               {{"cause", std::string(compiled.status().message())}});
    compiled = CompiledPolicies();
  }
  policies->Publish(std::make_shared<const CompiledPolicies>(*std::move(compiled)));
  return policies;
}

std::shared_ptr<const CompiledPolicies> PolicyStore::Current() const {
  MutexLock lock(mutex_);
  return current_;
}

void PolicyStore::Publish(std::shared_ptr<const CompiledPolicies> policies) {
  MutexLock lock(mutex_);
  current_ = std::move(policies);
}

void PolicyStore::Set(const Caller& caller, const v1::SetPoliciesRequest& request, SetDone done) {
  auto change = std::make_shared<Change>();
  change->set = request.policies();
  change->caller = caller;
  change->request_id = request.request_id();
  change->body_digest = crypto::Sha256(Encode(request));
  change->done = std::move(done);
  Submit(std::move(change));
}

absl::Status PolicyStore::SetFirst(const v1::PolicySet& set) {
  ASSIGN_OR_RETURN(const v1::PolicySet stored, LoadSet(journal_.store()));
  if (stored.version() != 0) return absl::OkStatus();
  Change change;
  change.set = set;
  ASSIGN_OR_RETURN(audit::Commit commit, MakeCommit(change));
  return journal_.SubmitAndWait(std::move(commit)).status();
}

absl::StatusOr<audit::Commit> PolicyStore::MakeCommit(Change& change) {
  audit::Commit commit;
  commit.version = journal_.Version();
  ASSIGN_OR_RETURN(const v1::PolicySet stored, LoadSet(journal_.store()));
  change.set.set_version(stored.version() + 1);
  ASSIGN_OR_RETURN(CompiledPolicies compiled, CompiledPolicies::Compile(change.set));
  const std::string bytes = Encode(change.set);
  commit.reads = {Key()};
  commit.writes = {store::Put(store::Table::kState, Key(), bytes)};
  if (change.caller.has_value()) {
    const audit::RequestKey key{change.caller->did(), kMethod, change.request_id, change.body_digest};
    v1::SetPoliciesResponse response;
    response.set_version(change.set.version());
    commit.reads.push_back(audit::StoredRequestKey(key));
    audit::RememberReply(key, Encode(response), clock_.Now(), commit.writes);
  }
  audit::v1::Record record = RecordAt(clock_.Now());
  record.mutable_policy()->set_version(change.set.version());
  record.mutable_policy()->set_digest(crypto::Sha256(bytes));
  if (change.caller.has_value()) audit::NameActor(*change.caller, record);
  commit.record = Encode(record);
  // Published before the sync: a decision that took its version before the commit is ABORTED by the read of
  // Key(), one that takes it later sees the new set, so none is made with the old set behind the leaf of the
  // new one.
  commit.on_index = [this, policies = std::make_shared<const CompiledPolicies>(std::move(compiled))](
                        uint64_t, std::vector<store::Write>&) { Publish(policies); };
  return commit;
}

void PolicyStore::Submit(std::shared_ptr<Change> change) {
  const audit::RequestKey key{change->caller->did(), kMethod, change->request_id, change->body_digest};
  const absl::StatusOr<std::optional<std::string>> known = audit::FindReply(journal_.store(), key);
  if (!known.ok()) return change->done(known.status());
  if (known->has_value()) return change->done(ParseReply(**known));
  absl::StatusOr<audit::Commit> commit = MakeCommit(*change);
  if (!commit.ok()) return change->done(commit.status());
  journal_.Submit(*std::move(commit), [this, change](absl::StatusOr<audit::Committed> committed) {
    if (absl::IsAborted(committed.status()) && ++change->attempts < kAttempts) return Submit(change);
    if (!committed.ok()) return change->done(committed.status());
    v1::SetPoliciesResponse response;
    response.set_version(change->set.version());
    change->done(std::move(response));
  });
}

absl::StatusOr<v1::GetPoliciesResponse> PolicyStore::Get() const {
  ASSIGN_OR_RETURN(v1::PolicySet set, LoadSet(journal_.store()));
  v1::GetPoliciesResponse response;
  *response.mutable_policies() = std::move(set);
  return response;
}

void PolicyStore::Show(const Caller& caller, ShowDone done) {
  if (caller.mandate().empty()) return done(Get());
  audit::v1::Record record = RecordAt(clock_.Now());
  record.mutable_view()->set_what("policies");
  audit::NameActor(caller, record);
  audit::Commit commit;
  commit.record = Encode(record);
  journal_.Submit(std::move(commit),
                  [this, done = std::move(done)](absl::StatusOr<audit::Committed> committed) {
                    done(committed.ok() ? Get() : committed.status());
                  });
}

}  // namespace tsunagi::connector
