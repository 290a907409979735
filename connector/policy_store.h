// The policy set in force: kept in the store, compiled in memory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connector/policy/policy.h"
#include "core/audit/journal.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "tsunagi/connector/v1/connector_service.pb.h"

namespace tsunagi::connector {

// Thread-safe. A set that this program cannot compile (written by a newer one) denies everything.
class PolicyStore {
 public:
  // Called exactly once, on the journal's thread or before Set returns. Must not block.
  using SetDone = std::function<void(absl::StatusOr<v1::SetPoliciesResponse>)>;
  using ShowDone = std::function<void(absl::StatusOr<v1::GetPoliciesResponse>)>;

  // Loads what is in force. `journal` and `clock` must outlive the store.
  static absl::StatusOr<std::unique_ptr<PolicyStore>> Open(audit::Journal& journal, const Clock& clock);

  // The set in force, never null. Whoever decides with it takes Journal::Version() first and names Key()
  // among the commit's reads.
  std::shared_ptr<const policy::CompiledPolicies> Current() const;
  static const std::string& Key();

  // Replaces the set: one PolicyRecord leaf, the version rises by one. The same request_id gives the same
  // answer.
  //   INVALID_ARGUMENT  the set has mistakes (all are named)
  void Set(const Caller& caller, const v1::SetPoliciesRequest& request, SetDone done);
  // The first set of a new node, from a file: nothing happens when there is a set already. Blocks.
  absl::Status SetFirst(const v1::PolicySet& set);

  absl::StatusOr<v1::GetPoliciesResponse> Get() const;
  // Get for a caller: one that acts under a mandate is answered once a ViewRecord leaf says that it saw the
  // set.
  void Show(const Caller& caller, ShowDone done);

 private:
  PolicyStore(audit::Journal& journal, const Clock& clock) : journal_(journal), clock_(clock) {}
  struct Change;

  void Submit(std::shared_ptr<Change> change);
  absl::StatusOr<audit::Commit> MakeCommit(Change& change);
  void Publish(std::shared_ptr<const policy::CompiledPolicies> policies);

  audit::Journal& journal_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::shared_ptr<const policy::CompiledPolicies> current_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::connector
