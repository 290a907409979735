// Policies compile to masks; evaluating one is comparing a few strings. Pure: no clock, no I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "connector/policy/scope.h"
#include "connector/policy/sections.h"
#include "tsunagi/connector/v1/policy.pb.h"

namespace tsunagi::policy {

inline constexpr uint32_t kDefaultDailyLookups = 100;

// What a decision is made from.
struct Facts {
  absl::string_view party;              // DID
  absl::Span<const std::string> roles;  // granted by the registrar
  absl::string_view purpose;
  // Serial of the battery. Unknown: a permit for some serials counts, a prohibition for some does not; for
  // questions about all batteries at once (may this party get an agreement?), never for a release.
  absl::optional<absl::string_view> serial;
  absl::Time time;
  // The participant that runs the node: it may see all but what a prohibition takes from it.
  bool owner = false;
};

// What the rules say. Deny by default; a prohibition wins over every permission.
struct Decision {
  // Some rule is about this party, whether it permits or not.
  bool named = false;
  PartMask part_mask = 0;
  // Whether an exact vehicle look-up may be answered, and how many a day.
  bool lookup = false;
  uint32_t daily_lookups = 0;
  // The first instant after Facts::time at which the decision can differ.
  absl::Time next_change = absl::InfiniteFuture();

  // With kLookupBit for the look-up.
  PartMask permitted() const { return part_mask | (lookup ? kLookupBit : 0); }
  bool Permits(Section section) const { return (permitted() & PermitsOf(BitOf(section))) != 0; }

  // Why not, for CompiledPolicies::Reason; with kLookupBit.
  PartMask prohibited = 0;
  PartMask wrong_purpose = 0;
  PartMask not_yet = 0;
  PartMask expired = 0;
  // Rules that applied, by index.
  absl::InlinedVector<uint16_t, 8> applied;
};

// A policy set that was checked. Immutable.
class CompiledPolicies {
 public:
  // Nothing is permitted but to the owner.
  CompiledPolicies() = default;

  // INVALID_ARGUMENT naming every mistake: rule ids that repeat, a rule without party and role, without
  // section, with an unknown field, action or operand, an empty time window, more than 1,000 rules.
  static absl::StatusOr<CompiledPolicies> Compile(const connector::v1::PolicySet& set);

  uint64_t version() const { return version_; }

  Decision Evaluate(const Facts& facts) const;
  // Which parts of which batteries the rules permit, whatever `facts.serial` is: for each serial what
  // Evaluate permits.
  Scope ScopeFor(const Facts& facts) const;

  // Purposes that rules about the party name, sorted, each once.
  std::vector<std::string> PurposesOf(absl::string_view party, absl::Span<const std::string> roles) const;

  // Why the section is not permitted: NO_PERMISSION, PROHIBITED, PURPOSE_NOT_PERMITTED, NOT_YET or EXPIRED;
  // empty when it is. `decision` must come from this object, here and below.
  static absl::string_view Reason(const Decision& decision, Section section);
  // Ids of the rules about the section that applied.
  std::vector<std::string> RuleIds(const Decision& decision, Section section) const;
  // Duties of the rules that permit any of `sections`, sorted, each once.
  std::vector<std::string> Obligations(const Decision& decision, SectionMask sections) const;

 private:
  struct CompiledRule {
    std::string id;
    bool permit = false;
    PartMask mask = 0;               // with kLookupBit
    std::vector<std::string> roles;  // only when the rule names parties as well
    std::vector<std::string> purposes;
    std::string serial_prefix;
    absl::Time not_before = absl::InfinitePast();
    absl::Time not_after = absl::InfiniteFuture();
    std::vector<std::string> obligations;
    uint32_t daily_lookups = 0;

    bool IsAbout(const Facts& facts) const;  // of the party, only the roles are left to compare
    bool HasPurpose(const Facts& facts) const;
    bool RunsAt(absl::Time time) const { return not_before <= time && time < not_after; }
  };
  using Indexes = absl::InlinedVector<uint16_t, 16>;

  static CompiledRule CompileRule(const connector::v1::Rule& rule);
  Indexes RulesAbout(const Facts& facts) const;
  static void Apply(const CompiledRule& rule, uint16_t index, const Facts& facts, Decision& decision);

  uint64_t version_ = 0;
  std::vector<CompiledRule> rules_;
  absl::flat_hash_map<std::string, std::vector<uint16_t>> by_party_;
  absl::flat_hash_map<std::string, std::vector<uint16_t>> by_role_;
};

}  // namespace tsunagi::policy
