// One release, provider side: decide, read, record, reply.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connector/enforcer.h"
#include "connector/grant/passport_source.h"
#include "connector/lookup_counter.h"
#include "connector/own_node.h"
#include "connector/ports.h"
#include "connector/transfer/release_record.h"
#include "core/audit/denial_log.h"
#include "core/audit/journal.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "identity/trust.h"
#include "tsunagi/connector/v1/connector_service.pb.h"

namespace tsunagi::connector {

// Thread-safe; never blocks.
class Releases {
 public:
  // Called exactly once: before Release returns, on the source's thread or on the journal's. Must not block.
  using Done = std::function<void(absl::StatusOr<v1::ReleaseResponse>)>;

  // All arguments must outlive the object and every release under way.
  Releases(const OwnNode& own, Enforcer& enforcer, grant::PassportSource& source, LookupCounter& lookups,
           audit::DenialLog& denials, audit::Journal& journal, const identity::TrustStore& trust,
           const Clock& clock)
      : own_(own),
        enforcer_(enforcer),
        source_(source),
        lookups_(lookups),
        denials_(denials),
        journal_(journal),
        trust_(trust),
        clock_(clock) {}

  // Releases parts of one battery. The leaf is durable before `done`; what was read for the decision, and the
  // parts themselves, must not have changed until then, or it is made again, up to 3 times.
  //   INVALID_ARGUMENT    section, purpose or subject is wrong
  //   NOT_FOUND           the same whether the caller may see nothing or there is nothing
  //   FAILED_PRECONDITION, PERMISSION_DENIED  see Enforcer
  //   RESOURCE_EXHAUSTED  the day's vehicle look-ups are used up
  //   PERMISSION_DENIED   also when the caller was suspended meanwhile
  //   ABORTED             policies or parts changed all the time: try again
  void Release(const Caller& caller, const v1::ReleaseRequest& request, Done done);

 private:
  struct Operation;
  using Op = std::shared_ptr<Operation>;

  void Start(Op op);
  void FindVehicle(Op op);
  void TakeVehicle(Op op, absl::StatusOr<passport::v1::ReadPartsResponse> read);
  void Read(Op op, Verdict verdict);
  void Record(Op op, Authorization authorization, passport::v1::ReadParts read);
  void Submit(Op op, audit::Commit commit, v1::ReleaseResponse response);
  void Deny(Op op, const Denial& denial);

  const OwnNode& own_;
  Enforcer& enforcer_;
  grant::PassportSource& source_;
  LookupCounter& lookups_;
  audit::DenialLog& denials_;
  audit::Journal& journal_;
  const identity::TrustStore& trust_;
  const Clock& clock_;
};

}  // namespace tsunagi::connector
