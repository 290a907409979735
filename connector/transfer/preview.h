// What a party would get now, and why not the rest: asked by the owner.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "connector/enforcer.h"
#include "connector/grant/passport_source.h"
#include "connector/negotiation/agreements.h"
#include "connector/own_node.h"
#include "connector/policy_store.h"
#include "connector/ports.h"
#include "core/base/caller.h"
#include "core/base/clock.h"
#include "identity/trust.h"
#include "tsunagi/connector/v1/connector_service.pb.h"

namespace tsunagi::connector {

// Decides with the same Enforcer, reads with a Grant and builds the same content as a release to the party,
// under the agreement that the party has or would get. Nothing is counted or recorded, since nothing leaves
// the node. Thread-safe; never blocks.
class Previews {
 public:
  // Called exactly once, before Preview returns or on the source's thread. Must not block.
  using Done = std::function<void(absl::StatusOr<v1::PreviewReleaseResponse>)>;

  // All arguments must outlive the object and every preview under way.
  Previews(const OwnNode& own, Enforcer& enforcer, const PolicyStore& policies, AgreementTable& agreements,
           grant::PassportSource& source, const identity::TrustStore& trust, const Clock& clock)
      : own_(own),
        enforcer_(enforcer),
        policies_(policies),
        agreements_(agreements),
        source_(source),
        trust_(trust),
        clock_(clock) {}

  // Without a purpose: one preview for each purpose that the rules about the party name.
  //   NOT_FOUND            the federation has no such party
  //   FAILED_PRECONDITION  the party is suspended: it gets nothing at all
  //   INVALID_ARGUMENT     section, purpose or subject is wrong, or no purpose given of more than 16
  void Preview(const Caller& caller, const v1::PreviewReleaseRequest& request, Done done);

 private:
  struct Operation;
  using Op = std::shared_ptr<Operation>;

  absl::StatusOr<Op> Begin(const Caller& caller, const v1::PreviewReleaseRequest& request) const;
  std::shared_ptr<const KnownAgreement> NewAgreement(const Operation& op, const Terms& terms) const;
  bool Serves(const Operation& op, const KnownAgreement& given, absl::string_view serial) const;
  absl::Status Assume(Operation& op) const;
  absl::StatusOr<std::vector<std::string>> PurposesOf(const v1::PreviewReleaseRequest& request,
                                                      const Asker& party) const;
  void Next(Op op);
  void FindVehicle(Op op);
  void Read(Op op);
  void Answer(Op op, std::shared_ptr<Authorization> authorization, passport::v1::ReadParts read);
  void AnswerNothing(Op op, bool reachable);

  const OwnNode& own_;
  Enforcer& enforcer_;
  const PolicyStore& policies_;
  AgreementTable& agreements_;
  grant::PassportSource& source_;
  const identity::TrustStore& trust_;
  const Clock& clock_;
};

}  // namespace tsunagi::connector
