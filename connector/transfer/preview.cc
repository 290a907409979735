#include "connector/transfer/preview.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "connector/negotiation/agreements.h"
#include "connector/records.h"
#include "connector/transfer/content.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"

namespace tsunagi::connector {
namespace {

using policy::CompiledPolicies;
using policy::Section;
using policy::SectionMask;

constexpr SectionMask kLookup = policy::BitOf(common::v1::SECTION_LOOKUP);
constexpr SectionMask kPassport =
    policy::BitOf(common::v1::SECTION_LOOKUP) - 2;  // the nine sections before it

}  // namespace

// A preview under way.
struct Previews::Operation {
  Use use;
  common::v1::Subject subject;
  common::v1::BatteryId battery;  // once it is known
  Done done;

  bool by_vehicle() const { return subject.has_vehicle(); }
};

void Previews::Preview(const Caller& caller, const v1::PreviewReleaseRequest& request, Done done) {
  absl::StatusOr<Op> op = Begin(caller, request);
  if (!op.ok()) return done(op.status());
  (*op)->done = std::move(done);
  if ((*op)->by_vehicle()) return FindVehicle(*std::move(op));
  (*op)->battery = (*op)->subject.battery();
  Read(*std::move(op));
}

absl::StatusOr<Previews::Op> Previews::Begin(const Caller& caller,
                                             const v1::PreviewReleaseRequest& request) const {
  const std::shared_ptr<const identity::TrustView> view = trust_.View();
  ASSIGN_OR_RETURN(const std::shared_ptr<const identity::Party> party, view->Find(request.party()));
  const std::string& did = party->participant.did();
  if (view->IsSuspended(did)) {
    return absl::FailedPreconditionError(
        absl::StrCat("`", request.party(), "` is suspended: it gets nothing"));
  }
  auto op = std::make_shared<Operation>();
  RETURN_IF_ERROR(CheckSubject(request.subject()));
  RETURN_IF_ERROR(CheckPurpose(request.purpose()));
  op->subject = request.subject();
  Use& use = op->use;
  use.asker = {did,
               {party->participant.roles().begin(), party->participant.roles().end()},
               caller.did(),
               caller.certificate_sha256()};
  use.sections = op->by_vehicle() ? kPassport | kLookup : kPassport;
  if (!request.sections().empty()) {
    ASSIGN_OR_RETURN(use.sections, SectionsOf(request.sections()));
  }
  use.purpose = request.purpose();
  use.request_digest = RequestDigest(own_.request_digest_key, request);
  const SectionMask wish = op->by_vehicle() ? use.sections | kVehicleRights : use.sections;
  ASSIGN_OR_RETURN(use.assumed, Assume(use, wish));
  use.agreement = use.assumed->agreement.id();
  return op;
}

// The agreement that the party would use: the one that it was given for the same wish, unless policy permits
// more by now; or the one that it would be given if it asked now.
absl::StatusOr<std::shared_ptr<const KnownAgreement>> Previews::Assume(const Use& use,
                                                                       SectionMask wish) const {
  const absl::Time now = clock_.Now();
  const std::string& did = use.asker.did;
  const Terms terms = TermsFor(*policies_.Current(), did, use.asker.roles, use.purpose, wish, now);
  auto given = agreements_.FindGiven(did, use.purpose, wish, now);
  if (given.ok() ? (terms.sections & ~(*given)->sections) == 0 : !absl::IsNotFound(given.status()))
    return given;
  auto running = agreements_.FindExactly(Side::kProvider, did, use.purpose, terms.sections, now);
  if (running.ok() ? terms.Fit(**running) : !absl::IsNotFound(running.status())) return running;
  auto assumed = std::make_shared<KnownAgreement>();
  assumed->agreement.set_provider(own_.did);
  assumed->agreement.set_consumer(did);
  assumed->agreement.set_purpose(use.purpose);
  assumed->agreement.set_state(v1::AGREEMENT_STATE_FINALIZED);
  for (const std::string& duty : terms.obligations) assumed->agreement.add_obligations(duty);
  assumed->sections = terms.sections;
  assumed->expires = absl::InfiniteFuture();
  return assumed;
}

void Previews::FindVehicle(Op op) {
  Verdict verdict = enforcer_.AuthorizeLookup(op->use, op->subject);
  if (std::holds_alternative<Denial>(verdict)) return AnswerNothing(std::move(op), false);
  const common::v1::Subject& subject = op->subject;
  source_.ReadParts(std::get<Authorization>(verdict).grant, {&subject, 1}, [this, op](auto read) {
    if (!read.ok()) return op->done(read.status());
    if (read->batteries().empty()) return AnswerNothing(op, true);
    op->battery = std::move(*read->mutable_batteries(0)->mutable_battery());
    Read(op);
  });
}

void Previews::Read(Op op) {
  Verdict verdict = enforcer_.Authorize(op->use, op->battery, op->by_vehicle());
  if (std::holds_alternative<Denial>(verdict)) return AnswerNothing(op, !op->by_vehicle());
  auto authorization = std::make_shared<Authorization>(std::get<Authorization>(std::move(verdict)));
  passport::v1::ReadParts nothing;
  *nothing.mutable_battery() = op->battery;
  if (authorization->part_mask() == 0)
    return Answer(std::move(op), std::move(authorization), std::move(nothing));
  common::v1::Subject subject;
  *subject.mutable_battery() = op->battery;
  source_.ReadParts(authorization->grant, {&subject, 1}, [this, op, authorization](auto read) {
    if (!read.ok()) return op->done(read.status());
    if (read->batteries().empty()) return AnswerNothing(op, true);
    Answer(op, authorization, std::move(*read->mutable_batteries(0)));
  });
}

void Previews::Answer(Op op, std::shared_ptr<Authorization> authorization, passport::v1::ReadParts read) {
  absl::StatusOr<absl::optional<Content>> content = BuildContent(*authorization, std::move(read));
  if (!content.ok()) return op->done(content.status());
  if (!content->has_value()) return AnswerNothing(std::move(op), true);
  v1::PreviewReleaseResponse response;
  response.set_agreement(op->use.agreement);
  response.set_content(std::move((*content)->bytes));
  for (const Section section : policy::SectionsIn(op->use.sections)) {
    v1::PreviewedSection& row = *response.add_sections();
    row.set_section(section);
    const absl::string_view reason = authorization->ReasonFor(section, (*content)->open);
    row.set_released(reason.empty() && (section != common::v1::SECTION_LOOKUP || authorization->lookup));
    row.set_reason(std::string(reason));
    for (const policy::PartKind kind : policy::KindsIn(policy::PartsOf(section) & (*content)->open))
      row.add_parts(kind);
    for (std::string& id : authorization->policies->RuleIds(authorization->decision, section))
      row.add_rules(std::move(id));
  }
  op->done(std::move(response));
}

// The party gets NOT_FOUND; the owner gets the reasons. `reachable`: permissions are as the policies say, so
// that what they permit has no data; otherwise the way by the vehicle is closed.
void Previews::AnswerNothing(Op op, bool reachable) {
  const std::shared_ptr<const CompiledPolicies> policies = policies_.Current();
  absl::optional<absl::string_view> serial;
  if (!op->battery.serial().empty()) serial = op->battery.serial();
  const policy::Decision decision =
      policies->Evaluate({op->use.asker.did, op->use.asker.roles, op->use.purpose, serial, clock_.Now(),
                          op->use.asker.did == own_.did});
  v1::PreviewReleaseResponse response;
  response.set_agreement(op->use.agreement);
  for (const Section section : policy::SectionsIn(op->use.sections)) {
    v1::PreviewedSection& row = *response.add_sections();
    row.set_section(section);
    const absl::string_view reason = CompiledPolicies::Reason(decision, section);
    row.set_reason(std::string(!reason.empty() ? reason : reachable ? "NO_DATA" : "NO_PERMISSION"));
    for (std::string& id : policies->RuleIds(decision, section)) row.add_rules(std::move(id));
  }
  op->done(std::move(response));
}

}  // namespace tsunagi::connector
