#include "connector/transfer/preview.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "connector/records.h"
#include "connector/transfer/release_record.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"

namespace tsunagi::connector {
namespace {

using policy::CompiledPolicies;
using policy::PartMask;
using policy::Section;
using policy::SectionMask;

constexpr size_t kMaxPurposes = 16;
constexpr SectionMask kLookup = policy::BitOf(common::v1::SECTION_LOOKUP);
constexpr SectionMask kPassport =
    policy::BitOf(common::v1::SECTION_LOOKUP) - 2;  // the nine sections before it

}  // namespace

// A preview under way, one purpose after the other.
struct Previews::Operation {
  Use use;
  common::v1::Subject subject;
  SectionMask wish = 0;           // what the party would make an agreement about
  common::v1::BatteryId battery;  // once it is known
  std::vector<common::v1::BatteryId> on_vehicle;
  std::vector<std::string> purposes;  // still to be previewed, the next one last
  v1::PreviewReleaseResponse response;
  Done done;

  bool by_vehicle() const { return subject.has_vehicle(); }
};

void Previews::Preview(const Caller& caller, const v1::PreviewReleaseRequest& request, Done done) {
  absl::StatusOr<Op> op = Begin(caller, request);
  if (!op.ok()) return done(op.status());
  (*op)->done = std::move(done);
  (*op)->wish = (*op)->by_vehicle() ? (*op)->use.sections | kVehicleRights : (*op)->use.sections;
  Next(*std::move(op));
}

void Previews::Next(Op op) {
  if (op->purposes.empty()) return op->done(std::move(op->response));
  op->use.purpose = std::move(op->purposes.back());
  op->purposes.pop_back();
  op->battery.Clear();
  if (op->by_vehicle()) return FindVehicle(std::move(op));
  op->battery = op->subject.battery();
  Read(std::move(op));
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
  ASSIGN_OR_RETURN(op->purposes, PurposesOf(request, use.asker));
  use.request_digest = RequestDigest(own_.request_digest_key, request);
  return op;
}

// The purposes to preview, the first one last. A party that only rules for any purpose name gets one preview.
absl::StatusOr<std::vector<std::string>> Previews::PurposesOf(const v1::PreviewReleaseRequest& request,
                                                              const Asker& party) const {
  if (!request.purpose().empty()) {
    RETURN_IF_ERROR(CheckPurpose(request.purpose()));
    return std::vector<std::string>{request.purpose()};
  }
  std::vector<std::string> purposes = policies_.Current()->PurposesOf(party.did, party.roles);
  if (purposes.size() > kMaxPurposes) {
    return InvalidArgument({"PURPOSE_MISSING", "purpose", "",
                            absl::StrCat("one of the ", purposes.size(), " purposes that rules about `",
                                         request.party(), "` name: more than 16 are not previewed at once")});
  }
  if (purposes.empty()) purposes.emplace_back();
  std::reverse(purposes.begin(), purposes.end());
  return purposes;
}

// What the party would get an agreement about if it asked now.
std::shared_ptr<const KnownAgreement> Previews::NewAgreement(const Operation& op, const Terms& terms) const {
  auto agreement = std::make_shared<KnownAgreement>();
  agreement->agreement.set_provider(own_.did);
  agreement->agreement.set_consumer(op.use.asker.did);
  agreement->agreement.set_purpose(op.use.purpose);
  agreement->agreement.set_state(v1::AGREEMENT_STATE_FINALIZED);
  for (const std::string& duty : terms.obligations) agreement->agreement.add_obligations(duty);
  agreement->scope = terms.scope;
  agreement->expires = absl::InfiniteFuture();
  return agreement;
}

// The party goes on with the agreement that it was given as long as a release leaves nothing out for want of
// one.
bool Previews::Serves(const Operation& op, const KnownAgreement& given, absl::string_view serial) const {
  const Asker& asker = op.use.asker;
  const PartMask permitted =
      policies_.Current()
          ->Evaluate({asker.did, asker.roles, op.use.purpose, serial, clock_.Now(), asker.did == own_.did})
          .permitted();
  const PartMask covered = given.scope.For(serial);
  if ((permitted & ~covered & policy::PermitsOf(op.use.sections)) != 0) return false;
  return !op.by_vehicle() || (permitted & covered & policy::PermitsOf(kVehicleRights)) != 0;
}

// The agreement that the party would use: the one that it was given for the same wish; when that does not
// serve, the one that it would be given if it asked now. Before the battery is known, the latter: whoever may
// look up under any of the two may do so under it.
absl::Status Previews::Assume(Operation& op) const {
  const absl::Time now = clock_.Now();
  Use& use = op.use;
  const std::string& did = use.asker.did;
  const Terms terms = TermsFor(*policies_.Current(), did, use.asker.roles, use.purpose, op.wish, now);
  use.assumed = NewAgreement(op, terms);
  if (!op.battery.serial().empty()) {
    auto given = agreements_.FindGiven(did, use.purpose, op.wish, now);
    auto running = agreements_.FindExactly(Side::kProvider, did, use.purpose, terms.sections, now);
    for (const auto& found : {given, running}) {
      if (!found.ok() && !absl::IsNotFound(found.status())) return found.status();
    }
    if (given.ok() && Serves(op, **given, op.battery.serial())) {
      use.assumed = *std::move(given);
    } else if (running.ok() && terms.Fit(**running)) {
      use.assumed = *std::move(running);
    }
  }
  use.agreement = use.assumed->agreement.id();
  return absl::OkStatus();
}

void Previews::FindVehicle(Op op) {
  if (const absl::Status assumed = Assume(*op); !assumed.ok()) return op->done(assumed);
  Verdict verdict = enforcer_.AuthorizeLookup(op->use, op->subject);
  if (std::holds_alternative<Denial>(verdict)) return AnswerNothing(std::move(op), false);
  const common::v1::Subject& subject = op->subject;
  source_.ReadParts(std::get<Authorization>(verdict).grant, {&subject, 1}, [this, op](auto read) {
    if (!read.ok()) return op->done(read.status());
    if (read->batteries().empty()) return AnswerNothing(op, true);
    op->on_vehicle = BatteriesIn(*read);
    size_t chosen = 0;
    enforcer_.AuthorizeFound(op->use, op->on_vehicle, chosen);
    op->battery = op->on_vehicle[chosen];
    Read(op);
  });
}

void Previews::Read(Op op) {
  if (const absl::Status assumed = Assume(*op); !assumed.ok()) return op->done(assumed);
  size_t chosen = 0;
  Verdict verdict = op->by_vehicle() ? enforcer_.AuthorizeFound(op->use, op->on_vehicle, chosen)
                                     : enforcer_.Authorize(op->use, op->battery);
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
  v1::PurposePreview& preview = *op->response.add_previews();
  preview.set_purpose(op->use.purpose);
  preview.set_agreement(op->use.agreement);
  preview.set_content(std::move((*content)->bytes));
  for (const Section section : policy::SectionsIn(op->use.sections)) {
    v1::PreviewedSection& row = *preview.add_sections();
    row.set_section(section);
    const absl::string_view reason = authorization->ReasonFor(section, (*content)->open);
    const bool shown = (policy::PartsOf(section) & (*content)->open) != 0;
    row.set_released(section == common::v1::SECTION_LOOKUP ? reason.empty() && authorization->lookup : shown);
    row.set_reason(std::string(reason));
    for (const policy::PartKind kind : policy::KindsIn(policy::PartsOf(section) & (*content)->open))
      row.add_parts(kind);
    for (std::string& id : authorization->policies->RuleIds(authorization->decision, section))
      row.add_rules(std::move(id));
  }
  Next(std::move(op));
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
  v1::PurposePreview& preview = *op->response.add_previews();
  preview.set_purpose(op->use.purpose);
  preview.set_agreement(op->use.agreement);
  for (const Section section : policy::SectionsIn(op->use.sections)) {
    v1::PreviewedSection& row = *preview.add_sections();
    row.set_section(section);
    const absl::string_view reason = CompiledPolicies::Reason(decision, section);
    row.set_reason(std::string(!reason.empty() ? reason : reachable ? "NO_DATA" : "NO_PERMISSION"));
    for (std::string& id : policies->RuleIds(decision, section)) row.add_rules(std::move(id));
  }
  Next(std::move(op));
}

}  // namespace tsunagi::connector
