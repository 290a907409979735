#include "connector/policy/policy.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "connector/policy/check.h"
#include "core/base/error.h"
#include "core/base/proto.h"

namespace tsunagi::policy {
namespace {

// Every kind of every section, and the look-up; PERSON is in none.
const PartMask kEverything = PermitsOf(~SectionMask{0});

bool Contains(absl::Span<const std::string> words, absl::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool Intersect(absl::Span<const std::string> a, absl::Span<const std::string> b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& word) { return Contains(b, word); });
}

PartMask MaskOf(Section section) { return PermitsOf(BitOf(section)); }

// A section means all its fields, unless the rule lists fields of it.
PartMask MaskOf(const connector::v1::Rule& rule, Section section) {
  PartMask listed = 0;
  for (const std::string& name : rule.fields()) {
    const Field* field = FindField(name);
    if (field != nullptr && field->section == section) listed |= BitOf(field->part);
  }
  return listed != 0 ? listed : MaskOf(section);
}

absl::Time TimeOr(bool present, const google::protobuf::Timestamp& timestamp, absl::Time otherwise) {
  return present ? FromProto(timestamp).value_or(otherwise) : otherwise;
}

}  // namespace

bool CompiledPolicies::CompiledRule::IsAbout(const Facts& facts) const {
  return roles.empty() || Intersect(roles, facts.roles);
}

bool CompiledPolicies::CompiledRule::HasPurpose(const Facts& facts) const {
  return purposes.empty() || Contains(purposes, facts.purpose);
}

CompiledPolicies::CompiledRule CompiledPolicies::CompileRule(const connector::v1::Rule& rule) {
  CompiledRule compiled;
  compiled.id = rule.id();
  compiled.permit = rule.action() == connector::v1::RULE_ACTION_PERMIT;
  for (const int section : rule.sections()) compiled.mask |= MaskOf(rule, static_cast<Section>(section));
  if (!rule.parties().empty()) compiled.roles.assign(rule.roles().begin(), rule.roles().end());
  compiled.purposes.assign(rule.purposes().begin(), rule.purposes().end());
  compiled.serial_prefix = rule.serial_prefix();
  compiled.not_before = TimeOr(rule.has_not_before(), rule.not_before(), absl::InfinitePast());
  compiled.not_after = TimeOr(rule.has_not_after(), rule.not_after(), absl::InfiniteFuture());
  compiled.obligations.assign(rule.obligations().begin(), rule.obligations().end());
  compiled.daily_lookups = rule.daily_lookups() == 0 ? kDefaultDailyLookups : rule.daily_lookups();
  return compiled;
}

absl::StatusOr<CompiledPolicies> CompiledPolicies::Compile(const connector::v1::PolicySet& set) {
  if (const std::vector<std::string> mistakes = MistakesIn(set); !mistakes.empty()) {
    ErrorDetail detail;
    detail.set_reason("POLICY_INVALID");
    detail.set_field("rules");
    return WithDetail(absl::InvalidArgumentError(absl::StrJoin(mistakes, "; ")), detail);
  }
  CompiledPolicies policies;
  policies.version_ = set.version();
  for (int i = 0; i < set.rules_size(); ++i) {
    const connector::v1::Rule& rule = set.rules(i);
    policies.rules_.push_back(CompileRule(rule));
    const auto index = static_cast<uint16_t>(i);
    for (const std::string& party : rule.parties()) policies.by_party_[party].push_back(index);
    if (!rule.parties().empty()) continue;
    for (const std::string& role : rule.roles()) policies.by_role_[role].push_back(index);
  }
  return policies;
}

CompiledPolicies::Indexes CompiledPolicies::RulesAbout(const Facts& facts) const {
  Indexes found;
  const auto add = [&](const std::vector<uint16_t>& indexes) {
    found.insert(found.end(), indexes.begin(), indexes.end());
  };
  if (const auto it = by_party_.find(facts.party); it != by_party_.end()) add(it->second);
  for (const std::string& role : facts.roles) {
    if (const auto it = by_role_.find(role); it != by_role_.end()) add(it->second);
  }
  // A rule may list two roles that the party has, or one party twice.
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

void CompiledPolicies::Apply(const CompiledRule& rule, uint16_t index, const Facts& facts,
                             Decision& decision) {
  if (!rule.IsAbout(facts)) return;
  decision.named = true;
  const bool all_serials = rule.serial_prefix.empty();
  const bool serial_fits = facts.serial.has_value() ? absl::StartsWith(*facts.serial, rule.serial_prefix)
                                                    : all_serials || rule.permit;
  if (!serial_fits) return;
  const bool purpose_fits = rule.HasPurpose(facts);
  const bool not_yet = facts.time < rule.not_before;
  const bool expired = facts.time >= rule.not_after;
  if (not_yet) decision.next_change = std::min(decision.next_change, rule.not_before);
  if (!expired) decision.next_change = std::min(decision.next_change, rule.not_after);
  if (purpose_fits && rule.RunsAt(facts.time)) {
    decision.applied.push_back(index);
    (rule.permit ? decision.part_mask : decision.prohibited) |= rule.mask;
    if (rule.permit && (rule.mask & kLookupBit) != 0) {
      decision.daily_lookups = std::max(decision.daily_lookups, rule.daily_lookups);
    }
    return;
  }
  // The nearest miss becomes the reason: a permit that fails in one operand only.
  if (!rule.permit) return;
  if (!purpose_fits && !not_yet && !expired) decision.wrong_purpose |= rule.mask;
  if (purpose_fits && not_yet) decision.not_yet |= rule.mask;
  if (purpose_fits && expired) decision.expired |= rule.mask;
}

Decision CompiledPolicies::Evaluate(const Facts& facts) const {
  Decision decision;
  if (facts.owner) {
    decision.named = true;
    decision.part_mask = kEverything;
  }
  for (const uint16_t index : RulesAbout(facts)) Apply(rules_[index], index, facts, decision);
  decision.part_mask &= ~decision.prohibited;
  decision.lookup = (decision.part_mask & kLookupBit) != 0;
  decision.part_mask &= ~kLookupBit;
  if (!decision.lookup) decision.daily_lookups = 0;
  return decision;
}

Scope CompiledPolicies::ScopeFor(const Facts& facts) const {
  Scope scope;
  if (facts.owner) scope.permitted[""] = kEverything;
  for (const uint16_t index : RulesAbout(facts)) {
    const CompiledRule& rule = rules_[index];
    if (!rule.IsAbout(facts) || !rule.HasPurpose(facts) || !rule.RunsAt(facts.time)) continue;
    (rule.permit ? scope.permitted : scope.prohibited)[rule.serial_prefix] |= rule.mask;
  }
  return scope;
}

std::vector<std::string> CompiledPolicies::PurposesOf(absl::string_view party,
                                                      absl::Span<const std::string> roles) const {
  const Facts facts{party, roles, "", absl::nullopt, absl::InfinitePast()};
  std::set<std::string> purposes;
  for (const uint16_t index : RulesAbout(facts)) {
    const CompiledRule& rule = rules_[index];
    if (rule.IsAbout(facts)) purposes.insert(rule.purposes.begin(), rule.purposes.end());
  }
  return {purposes.begin(), purposes.end()};
}

absl::string_view CompiledPolicies::Reason(const Decision& decision, Section section) {
  const PartMask mask = MaskOf(section);
  if (decision.Permits(section)) return "";
  if ((decision.prohibited & mask) != 0) return "PROHIBITED";
  if ((decision.wrong_purpose & mask) != 0) return "PURPOSE_NOT_PERMITTED";
  if ((decision.not_yet & mask) != 0) return "NOT_YET";
  if ((decision.expired & mask) != 0) return "EXPIRED";
  return "NO_PERMISSION";
}

std::vector<std::string> CompiledPolicies::RuleIds(const Decision& decision, Section section) const {
  std::vector<std::string> ids;
  for (const uint16_t index : decision.applied) {
    if ((rules_[index].mask & MaskOf(section)) != 0) ids.push_back(rules_[index].id);
  }
  return ids;
}

std::vector<std::string> CompiledPolicies::Obligations(const Decision& decision, SectionMask sections) const {
  PartMask mask = PartsOf(sections) & decision.part_mask;
  if (decision.lookup && (sections & BitOf(common::v1::SECTION_LOOKUP)) != 0) mask |= kLookupBit;
  std::vector<std::string> duties;
  for (const uint16_t index : decision.applied) {
    const CompiledRule& rule = rules_[index];
    if (rule.permit && (rule.mask & mask) != 0)
      duties.insert(duties.end(), rule.obligations.begin(), rule.obligations.end());
  }
  std::sort(duties.begin(), duties.end());
  duties.erase(std::unique(duties.begin(), duties.end()), duties.end());
  return duties;
}

}  // namespace tsunagi::policy
