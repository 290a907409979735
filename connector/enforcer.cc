#include "connector/enforcer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "connector/grant/seal.h"
#include "connector/records.h"
#include "connector/transfer/open_parts.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"

namespace tsunagi::connector {
namespace {

using policy::CompiledPolicies;
using policy::PartMask;
using policy::Section;
using policy::SectionMask;

constexpr PartMask kAll = ~PartMask{0};

common::v1::Subject SubjectOf(const common::v1::BatteryId& battery) {
  common::v1::Subject subject;
  *subject.mutable_battery() = battery;
  return subject;
}

// Why the section is not released, or not all that policy permits of it, before anything was read; empty when
// it may be.
absl::string_view ReasonBeforeReading(const policy::Decision& decision, PartMask agreed, Section section) {
  const absl::string_view reason = CompiledPolicies::Reason(decision, section);
  if (!reason.empty()) return reason;
  const PartMask permitted = decision.permitted() & policy::PermitsOf(policy::BitOf(section));
  return (permitted & ~agreed) != 0 ? "NOT_IN_AGREEMENT" : "";
}

}  // namespace

// What policy and agreement say, before a Grant is made of it.
struct Enforcer::Finding {
  std::shared_ptr<const CompiledPolicies> policies;
  policy::Decision decision;
  std::shared_ptr<const KnownAgreement> agreement;  // null for the owner
  PartMask agreed = 0;
  // Asked for, in the agreement, and permitted by today's policy.
  PartMask parts = 0;
  // Which battery a vehicle has may be told.
  bool lookup = false;
  // Not OK: the caller's agreement does not serve.
  absl::Status agreement_status;
};

absl::string_view Authorization::ReasonFor(Section section, PartMask open) const {
  const absl::string_view reason = ReasonBeforeReading(decision, agreed, section);
  if (!reason.empty() || section == common::v1::SECTION_LOOKUP) return reason;
  return (policy::PartsOf(section) & open) == 0 ? "NO_DATA" : "";
}

std::vector<std::string> Authorization::Obligations(PartMask open) const {
  SectionMask handed_over = lookup ? asked & kVehicleRights : 0;
  for (const Section section : policy::SectionsIn(asked)) {
    if ((policy::PartsOf(section) & open) != 0) handed_over |= policy::BitOf(section);
  }
  std::vector<std::string> duties = policies->Obligations(decision, handed_over);
  if (agreement == nullptr) return duties;
  duties.insert(duties.end(), agreement->agreement.obligations().begin(),
                agreement->agreement.obligations().end());
  std::sort(duties.begin(), duties.end());
  duties.erase(std::unique(duties.begin(), duties.end()), duties.end());
  return duties;
}

// The caller's own agreement with this participant. Null when it names none of its own, which is told like an
// identifier that does not exist.
std::shared_ptr<const KnownAgreement> Enforcer::OwnAgreement(const Use& use) {
  if (use.assumed != nullptr) return use.assumed;
  const auto known = agreements_.Find(use.agreement);
  if (!known.ok()) return nullptr;
  const v1::Agreement& agreement = (*known)->agreement;
  return agreement.consumer() == use.asker.did && agreement.provider() == own_.did ? *known : nullptr;
}

absl::Status Enforcer::CheckTerms(const Use& use, const KnownAgreement& agreement) const {
  if (!agreement.RunsAt(clock_.Now())) {
    return absl::FailedPreconditionError(
        absl::StrCat("agreement `", use.agreement, "` has ended: request a new one"));
  }
  if (agreement.agreement.purpose() == use.purpose) return absl::OkStatus();
  ErrorDetail detail;
  detail.set_reason("PURPOSE_NOT_IN_AGREEMENT");
  detail.set_field("purpose");
  return WithDetail(absl::FailedPreconditionError(absl::StrCat("`purpose` is `", use.purpose, "`: expected `",
                                                               agreement.agreement.purpose(),
                                                               "` as in agreement `", use.agreement, "`")),
                    detail);
}

policy::Facts Enforcer::FactsOf(const Use& use, absl::optional<absl::string_view> serial) const {
  return {use.asker.did, use.asker.roles, use.purpose, serial, clock_.Now(), use.asker.did == own_.did};
}

Enforcer::Finding Enforcer::Examine(const Use& use, absl::optional<absl::string_view> serial) {
  const bool owner = use.asker.did == own_.did;
  Finding finding;
  finding.policies = policies_.Current();
  finding.decision = finding.policies->Evaluate(FactsOf(use, serial));
  if (owner) {
    finding.agreed = kAll;
  } else {
    finding.agreement = OwnAgreement(use);
    finding.agreement_status =
        finding.agreement == nullptr ? NotFound() : CheckTerms(use, *finding.agreement);
    if (!finding.agreement_status.ok()) return finding;
    finding.agreed = finding.agreement->scope.For(serial);
  }
  finding.parts = finding.decision.part_mask & finding.agreed & policy::PartsOf(use.sections);
  finding.lookup = (finding.decision.permitted() & finding.agreed & policy::PermitsOf(kVehicleRights)) != 0;
  return finding;
}

// The refusal that tells no more than the party may know. `sees`: policy permits it something of the
// identifier.
Denial Enforcer::Refuse(const Use& use, const Finding& finding, SectionMask sections, bool sees) const {
  Denial denial;
  denial.named = finding.decision.named;
  for (const Section section : policy::SectionsIn(sections)) {
    const absl::string_view reason = ReasonBeforeReading(finding.decision, finding.agreed, section);
    if (!reason.empty()) denial.reasons.push_back(absl::StrCat(policy::SectionWord(section), " ", reason));
  }
  if (use.asker.did == own_.did) sees = true;
  if (!sees || absl::IsNotFound(finding.agreement_status)) {
    denial.status = NotFound();
  } else if (!finding.agreement_status.ok()) {
    denial.status = finding.agreement_status;
  } else {
    denial.status = absl::PermissionDeniedError(
        absl::StrCat("nothing of what was asked for is released: ", absl::StrJoin(denial.reasons, ", ")));
  }
  return denial;
}

// To ask by vehicle is refused: an outsider is who has no permit to it.
Denial Enforcer::RefuseLookup(const Use& use, const Finding& finding) const {
  const bool sees = (finding.decision.permitted() & policy::PermitsOf(kVehicleRights)) != 0;
  return Refuse(use, finding, use.sections | policy::BitOf(common::v1::SECTION_LOOKUP), sees);
}

Authorization Enforcer::Allow(const Use& use, Finding finding, PartMask parts,
                              absl::Span<const common::v1::Subject> subjects) {
  internal::v1::GrantClaims claims;
  claims.set_issuer_process(own_.process);
  claims.set_target_process(own_.passport_process);
  claims.set_caller(use.asker.caller);
  claims.set_certificate_sha256(use.asker.certificate_sha256);
  claims.set_subjects_digest(grant::SubjectsDigest(subjects));
  claims.set_part_mask(parts);
  claims.set_lookup(subjects.size() == 1 && subjects[0].has_vehicle());
  if (finding.agreement != nullptr) claims.set_agreement(finding.agreement->agreement.id());
  claims.set_policy_version(finding.policies->version());
  claims.set_purpose(use.purpose);
  claims.set_request_digest(use.request_digest);
  claims.set_nonce(random_.Bytes(16));
  *claims.mutable_expire_time() = ToProto(clock_.Now() + grant::kMaxLife);
  return {grant::Grant(std::move(claims)),
          std::move(finding.policies),
          std::move(finding.decision),
          std::move(finding.agreement),
          finding.agreed,
          use.sections};
}

Verdict Enforcer::Authorize(const Use& use, const common::v1::BatteryId& battery) {
  return AuthorizeOne(use, battery, false);
}

// Batteries that may not be looked up are passed over like those that do not exist. When none may be, the
// answer is the refusal that tells most, whichever battery it is about.
Verdict Enforcer::AuthorizeFound(const Use& use, absl::Span<const common::v1::BatteryId> batteries,
                                 size_t& chosen) {
  Authorization* first = nullptr;
  Verdict verdict = Denial{NotFound(), true, {}};
  for (size_t i = 0; i < std::min(batteries.size(), kMaxOnVehicle); ++i) {
    Verdict one = AuthorizeOne(use, batteries[i], true);
    const bool permitted = std::holds_alternative<Authorization>(one);
    if (first != nullptr) {
      if (permitted) first->other_batteries.push_back(batteries[i]);
    } else if (permitted || i == 0 || !absl::IsNotFound(std::get<Denial>(one).status)) {
      verdict = std::move(one);
      first = std::get_if<Authorization>(&verdict);
      chosen = i;
    }
  }
  return verdict;
}

Verdict Enforcer::AuthorizeOne(const Use& use, const common::v1::BatteryId& battery, bool by_vehicle) {
  Finding finding = Examine(use, absl::string_view(battery.serial()));
  const bool lookup = by_vehicle && finding.lookup;
  // Whoever came by a vehicle without a right to that for this battery must not learn that there is one.
  if (by_vehicle && !lookup) return RefuseLookup(use, finding);
  if (finding.parts == 0 && !lookup) {
    return Refuse(use, finding, use.sections, finding.decision.part_mask != 0);
  }
  const PartMask parts = finding.parts;
  Authorization authorization = Allow(use, std::move(finding), parts, {SubjectOf(battery)});
  authorization.lookup = lookup;
  return authorization;
}

Verdict Enforcer::AuthorizeLookup(const Use& use, const common::v1::Subject& vehicle) {
  Finding finding = Examine(use, absl::nullopt);
  if (!finding.lookup) return RefuseLookup(use, finding);
  // Which battery it is about is not known yet: a permit on `vehicle` for some serials says nothing about it.
  const PartMask agreed = finding.agreement == nullptr ? kAll : finding.agreement->scope.ForEvery();
  const PartMask every = finding.policies->ScopeFor(FactsOf(use, absl::nullopt)).ForEvery() & agreed;
  const bool counted = (every & policy::PartsOf(common::v1::SECTION_VEHICLE)) == 0;
  const uint32_t daily = counted ? finding.decision.daily_lookups : 0;
  Authorization authorization = Allow(use, std::move(finding), 0, {vehicle});
  authorization.lookup = true;
  authorization.daily_lookups = daily;
  return authorization;
}

Verdict Enforcer::AuthorizeChunk(const Use& use, absl::Span<const common::v1::BatteryId> batteries,
                                 std::vector<size_t>& chosen, std::vector<size_t>& denied) {
  Finding first;
  std::vector<common::v1::Subject> subjects;
  for (size_t i = 0; i < batteries.size(); ++i) {
    Finding finding = Examine(use, absl::string_view(batteries[i].serial()));
    if (finding.parts == 0) {
      denied.push_back(i);
      continue;
    }
    if (subjects.empty()) first = finding;
    const bool alike = finding.parts == first.parts && finding.agreed == first.agreed &&
                       finding.decision.applied == first.decision.applied;
    if (!alike) continue;
    subjects.push_back(SubjectOf(batteries[i]));
    chosen.push_back(i);
  }
  if (!subjects.empty()) {
    const PartMask parts = first.parts;
    return Allow(use, std::move(first), parts, subjects);
  }
  const Finding any = Examine(use, absl::nullopt);
  Denial denial = Refuse(use, any, use.sections, any.decision.part_mask != 0);
  if (any.parts != 0) denial.status = absl::OkStatus();
  return denial;
}

absl::StatusOr<absl::optional<Content>> BuildContent(const Authorization& authorization,
                                                     passport::v1::ReadParts read) {
  Content content;
  ASSIGN_OR_RETURN(content.open, OpenParts(read.events()));
  if ((content.open & ~authorization.part_mask()) != 0) {
    log::Error("the passport opened parts that the grant does not open",
               {{"serial", read.battery().serial()}});
    return absl::InternalError("the passport opened more than was granted");
  }
  if (content.open == 0 && !authorization.lookup) return absl::nullopt;
  v1::ReleasedContent message;
  *message.mutable_battery() = read.battery();
  if (content.open != 0) message.set_events(std::move(*read.mutable_events()));
  for (const policy::Section section : policy::SectionsIn(authorization.asked)) {
    const absl::string_view reason = authorization.ReasonFor(section, content.open);
    if (reason.empty()) continue;
    v1::WithheldSection* withheld = message.add_withheld();
    withheld->set_section(section);
    withheld->set_reason(std::string(reason));
  }
  content.obligations = authorization.Obligations(content.open);
  for (const std::string& duty : content.obligations) message.add_obligations(duty);
  for (const common::v1::BatteryId& other : authorization.other_batteries)
    *message.add_other_batteries() = other;
  message.SerializeToString(&content.bytes);
  content.battery = std::move(*read.mutable_battery());
  return content;
}

}  // namespace tsunagi::connector
