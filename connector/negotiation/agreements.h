// The provider's side of an agreement: what today's policy permits, signed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "connector/negotiation/agreement_table.h"
#include "connector/own_node.h"
#include "connector/policy_store.h"
#include "core/audit/denial_log.h"
#include "core/audit/journal.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "tsunagi/connector/v1/connector_service.pb.h"

namespace tsunagi::connector {

inline constexpr absl::string_view kAgreementPayload = "tsunagi/agreement/v1";
inline constexpr absl::Duration kAgreementLife = absl::Hours(24 * 365);

// What a party could get an agreement about.
struct Terms {
  policy::SectionMask sections = 0;  // those of the requested ones that policy permits for some battery
  policy::Scope scope;               // what it permits of them
  std::vector<std::string> obligations;
  uint64_t policy_version = 0;
  bool named = false;

  // The agreement says just this.
  bool Fit(const KnownAgreement& known) const;
};
Terms TermsFor(const policy::CompiledPolicies& policies, absl::string_view party,
               absl::Span<const std::string> roles, absl::string_view purpose, policy::SectionMask sections,
               absl::Time now);

// Thread-safe.
class Agreements {
 public:
  // Called exactly once, on the journal's thread or before Request returns. Must not block.
  using Done = std::function<void(absl::StatusOr<v1::RequestAgreementResponse>)>;

  // All arguments must outlive the object.
  Agreements(const OwnNode& own, const PolicyStore& policies, AgreementTable& table,
             audit::DenialLog& denials, audit::Journal& journal, const Clock& clock, Random& random)
      : own_(own),
        policies_(policies),
        table_(table),
        denials_(denials),
        journal_(journal),
        clock_(clock),
        random_(random) {}

  // Makes an agreement about what policy permits the caller now, whether or not the subject exists; or
  // returns the one that runs already and says the same. Durable before it is
  // answered.
  //   NOT_FOUND         policy permits none of it (always the same)
  //   INVALID_ARGUMENT  section, purpose, subject or request_id is wrong
  //   ALREADY_EXISTS    the request_id was used for another request
  void Request(const Caller& caller, const v1::RequestAgreementRequest& request, Done done);

 private:
  struct Pending;

  void Decide(std::shared_ptr<Pending> pending);
  void Deny(const Pending& pending, bool named);
  void Make(std::shared_ptr<Pending> pending, const Terms& terms, audit::ReadVersion version);
  void Remember(std::shared_ptr<Pending> pending, const KnownAgreement& known, audit::Commit commit);
  absl::StatusOr<std::shared_ptr<const KnownAgreement>> Write(const Pending& pending,
                                                              const Terms& terms) const;

  const OwnNode& own_;
  const PolicyStore& policies_;
  AgreementTable& table_;
  audit::DenialLog& denials_;
  audit::Journal& journal_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace tsunagi::connector
