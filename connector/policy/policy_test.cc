#include "connector/policy/policy.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "connector/policy/check.h"
#include "core/base/config.h"
#include "core/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::policy {
namespace {

using connector::v1::PolicySet;
using connector::v1::Rule;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

const absl::Time kNow = absl::FromUnixSeconds(1795219200);

Rule MakeRule(const std::string& id, connector::v1::RuleAction action, const std::string& role,
              std::vector<Section> sections) {
  Rule rule;
  rule.set_id(id);
  rule.set_action(action);
  rule.add_roles(role);
  for (const Section section : sections) rule.add_sections(section);
  return rule;
}

Rule Permit(const std::string& id, const std::string& role, std::vector<Section> sections) {
  return MakeRule(id, connector::v1::RULE_ACTION_PERMIT, role, std::move(sections));
}

TEST(PolicyTest, DeniesEverythingWithoutRules) {
  const CompiledPolicies policies;
  const std::vector<std::string> roles = {"dealer"};

  const Decision decision = policies.Evaluate({"did:web:a.example", roles, "x", "S1", kNow});

  EXPECT_FALSE(decision.named);
  EXPECT_EQ(decision.part_mask, 0u);
  EXPECT_FALSE(decision.lookup);
  EXPECT_EQ(CompiledPolicies::Reason(decision, common::v1::SECTION_CONDITION), "NO_PERMISSION");
}

TEST(PolicyTest, KeepsTheVersionOfTheSet) {
  PolicySet set;
  set.set_version(7);

  const absl::StatusOr<CompiledPolicies> policies = CompiledPolicies::Compile(set);

  ASSERT_THAT(policies, IsOk());
  EXPECT_EQ(policies->version(), 7u);
}

TEST(PolicyTest, NeverOpensPeoplesNames) {
  PolicySet set;
  Rule* rule = set.add_rules();
  *rule = Permit("all", "dealer", {});
  for (int section = 1; IsSection(section); ++section) rule->add_sections(static_cast<Section>(section));
  const CompiledPolicies policies = CompiledPolicies::Compile(set).value();
  const std::vector<std::string> roles = {"dealer"};

  for (const bool owner : {false, true}) {
    const Decision decision = policies.Evaluate({"did:web:a.example", roles, "x", "S1", kNow, owner});
    EXPECT_EQ(decision.part_mask & BitOf(passport::v1::PART_KIND_PERSON), 0u);
    EXPECT_EQ(decision.part_mask & 1u, 0u);
  }
}

TEST(PolicyTest, RefusesSectionsThatItDoesNotKnow) {
  PolicySet set;
  *set.add_rules() = Permit("newer", "dealer", {static_cast<Section>(11)});

  EXPECT_THAT(CompiledPolicies::Compile(set),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rule `newer`: `sections` is `11`")));
}

TEST(PolicyTest, RefusesOperandsThatItDoesNotKnow) {
  PolicySet set;
  *set.add_rules() = Permit("newer", "dealer", {common::v1::SECTION_CONDITION});
  set.mutable_rules(0)->GetReflection()->MutableUnknownFields(set.mutable_rules(0))->AddVarint(99, 1);

  EXPECT_THAT(CompiledPolicies::Compile(set),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("operand")));
}

TEST(PolicyTest, RefusesAThousandAndOneRules) {
  PolicySet set;
  for (int i = 0; i < kMaxRules; ++i)
    *set.add_rules() = Permit(absl::StrCat("r-", i), "dealer", {common::v1::SECTION_CONDITION});
  EXPECT_THAT(CompiledPolicies::Compile(set), IsOk());

  *set.add_rules() = Permit("one-more", "dealer", {common::v1::SECTION_CONDITION});

  EXPECT_THAT(CompiledPolicies::Compile(set),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1001")));
}

TEST(PolicyTest, TellsMachinesWhatWasWrong) {
  PolicySet set;
  set.add_rules();

  const auto detail = DetailOf(CompiledPolicies::Compile(set).status());

  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->reason(), "POLICY_INVALID");
  EXPECT_EQ(detail->field(), "rules");
}

TEST(PolicyTest, GivesDutiesOnlyOfTheSectionsThatAreTaken) {
  PolicySet set;
  *set.add_rules() = Permit("a", "dealer", {common::v1::SECTION_CONDITION});
  set.mutable_rules(0)->add_obligations("cite-source");
  *set.add_rules() = Permit("b", "dealer", {common::v1::SECTION_HISTORY});
  set.mutable_rules(1)->add_obligations("delete-after-90-days");
  const CompiledPolicies policies = CompiledPolicies::Compile(set).value();
  const std::vector<std::string> roles = {"dealer"};

  const Decision decision = policies.Evaluate({"did:web:a.example", roles, "x", "S1", kNow});

  EXPECT_THAT(policies.Obligations(decision, BitOf(common::v1::SECTION_CONDITION)),
              ElementsAre("cite-source"));
  EXPECT_THAT(policies.Obligations(decision, BitOf(common::v1::SECTION_VEHICLE)), IsEmpty());
}

TEST(PolicyTest, ReadsAPolicyFile) {
  PolicySet set;
  ASSERT_THAT(ParseYaml("rules:\n"
                        "  - id: dealers\n"
                        "    action: permit\n"
                        "    roles: [dealer]\n"
                        "    sections: [condition, lookup]\n"
                        "    fields: [condition.latest]\n"
                        "    not_before: 2027-04-01\n"
                        "    daily_lookups: 20\n",
                        "policies.yaml", set),
              IsOk());

  EXPECT_THAT(CompiledPolicies::Compile(set), IsOk());
  EXPECT_EQ(set.rules(0).not_before().seconds(), 1806505200);  // 2027-03-31T15:00:00Z
}

// A prohibition added anywhere never opens anything, a permission never closes anything.
TEST(PolicyTest, NarrowsWithProhibitionsAndWidensWithPermissions) {
  std::mt19937 engine(20261121);
  const auto pick = [&](uint32_t n) { return static_cast<int>(engine() % n); };
  const std::vector<std::string> all_roles = {"dealer", "recycler", "oem"};
  for (int round = 0; round < 300; ++round) {
    PolicySet set;
    for (int i = 0; i < 1 + pick(8); ++i) {
      const auto action =
          pick(3) == 0 ? connector::v1::RULE_ACTION_PROHIBIT : connector::v1::RULE_ACTION_PERMIT;
      *set.add_rules() = MakeRule(absl::StrCat("r-", i), action, all_roles[static_cast<size_t>(pick(3))],
                                  {static_cast<Section>(1 + pick(10)), static_cast<Section>(1 + pick(10))});
    }
    PolicySet wider = set;
    *wider.add_rules() = Permit("more", "dealer", {static_cast<Section>(1 + pick(10))});
    PolicySet narrower = set;
    *narrower.add_rules() =
        MakeRule("less", connector::v1::RULE_ACTION_PROHIBIT, "dealer", {static_cast<Section>(1 + pick(10))});
    const std::vector<std::string> roles = {"dealer", "oem"};
    const Facts facts{"did:web:a.example", roles, "x", "S1", kNow};

    const Decision before = CompiledPolicies::Compile(set)->Evaluate(facts);
    const Decision wide = CompiledPolicies::Compile(wider)->Evaluate(facts);
    const Decision narrow = CompiledPolicies::Compile(narrower)->Evaluate(facts);

    EXPECT_EQ(before.part_mask & ~wide.part_mask, 0u);
    EXPECT_EQ(narrow.part_mask & ~before.part_mask, 0u);
    EXPECT_TRUE(!narrow.lookup || before.lookup);
    EXPECT_TRUE(!before.lookup || wide.lookup);
  }
}

TEST(PolicyWordTest, TakesTheCharactersOfTokens) {
  EXPECT_TRUE(IsWord("reuse-assessment"));
  EXPECT_TRUE(IsWord("catenax:core.1_2"));
  EXPECT_FALSE(IsWord(""));
  EXPECT_FALSE(IsWord("Reuse"));
  EXPECT_FALSE(IsWord("a b"));
  EXPECT_FALSE(IsWord(std::string(65, 'a')));
}

}  // namespace
}  // namespace tsunagi::policy
