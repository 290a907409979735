#include "connector/policy/scope.h"

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "connector/policy/policy.h"
#include "core/base/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::policy {
namespace {

using connector::v1::Agreement;
using connector::v1::AgreementTarget;
using passport::v1::PART_KIND_CONDITION;
using passport::v1::PART_KIND_MATERIALS;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr PartMask kCondition = BitOf(PART_KIND_CONDITION);
constexpr PartMask kMaterials = BitOf(PART_KIND_MATERIALS);
const Scope kScope = {{{"", kCondition}, {"LOT-", kMaterials | kLookupBit}}, {{"LOT-X", kCondition}}};

TEST(ScopeTest, CoversABatteryByThePrefixesOfItsSerial) {
  EXPECT_EQ(kScope.For("M-1"), kCondition);
  EXPECT_EQ(kScope.For("LOT-1"), kCondition | kMaterials | kLookupBit);
  EXPECT_EQ(kScope.For("LOT-X1"), kMaterials | kLookupBit);
  EXPECT_EQ(kScope.For(absl::nullopt), kCondition | kMaterials | kLookupBit);
}

TEST(ScopeTest, CoversEveryBatteryOnlyWithoutPrefix) {
  EXPECT_EQ(kScope.ForEvery(), 0u);
  EXPECT_EQ((Scope{{{"", kCondition}, {"LOT-", kMaterials}}, {}}).ForEvery(), kCondition);
}

TEST(ScopeTest, IsNarrowedToWhatIsAskedAndNotProhibitedAltogether) {
  const Scope scope = {{{"", kCondition | kMaterials}, {"LOT-", kLookupBit}},
                       {{"", kMaterials}, {"X-", kCondition | kLookupBit}}};

  EXPECT_EQ(scope.Within(kCondition | kMaterials), (Scope{{{"", kCondition}}, {{"X-", kCondition}}}));
}

TEST(ScopeTest, StandsInAnAgreement) {
  Agreement agreement;
  SetScope(kScope, agreement);

  const auto read = ScopeOf(agreement);

  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(*read, kScope);
  EXPECT_EQ(agreement.permissions_size(), 2);
  EXPECT_EQ(agreement.prohibitions(0).serial_prefix(), "LOT-X");
}

struct BadAgreement {
  const char* name;
  void (*change)(Agreement&);
  const char* expected;
};

class BadAgreementTest : public testing::TestWithParam<BadAgreement> {};

TEST_P(BadAgreementTest, IsRefusedByName) {
  Agreement agreement;
  SetScope(kScope, agreement);
  GetParam().change(agreement);

  EXPECT_THAT(ScopeOf(agreement),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().expected)));
}

INSTANTIATE_TEST_SUITE_P(
    Agreements, BadAgreementTest,
    testing::Values(
        BadAgreement{"NoPermission", [](Agreement& a) { a.clear_permissions(); }, "`permissions`"},
        BadAgreement{"EmptyTarget", [](Agreement& a) { a.mutable_permissions(0)->clear_parts(); },
                     "`permissions.parts`"},
        BadAgreement{
            "PeoplesNames",
            [](Agreement& a) { a.mutable_permissions(0)->add_parts(passport::v1::PART_KIND_PERSON); },
            "`permissions.parts`"},
        BadAgreement{"UnknownPart",
                     [](Agreement& a) {
                       a.mutable_prohibitions(0)->add_parts(static_cast<passport::v1::PartKind>(77));
                     },
                     "`prohibitions.parts` is `77`"},
        BadAgreement{"Twice", [](Agreement& a) { *a.add_permissions() = a.permissions(1); },
                     "`permissions.serial_prefix`"},
        BadAgreement{"Unordered", [](Agreement& a) { a.mutable_permissions()->SwapElements(0, 1); },
                     "`permissions.serial_prefix`"}),
    [](const auto& test) { return std::string(test.param.name); });

// An agreement about what rules permit covers, for every battery, what they permit of it then.
TEST(ScopeTest, IsWhatTheRulesPermitForEachSerial) {
  std::mt19937 engine(20261121);
  const auto pick = [&](size_t n) { return static_cast<size_t>(engine() % n); };
  const std::string sections[] = {"identity", "vehicle", "materials", "condition", "lookup"};
  const std::string prefixes[] = {"", "", "M", "M-", "X-"};
  for (int round = 0; round < 300; ++round) {
    std::string yaml = "rules:\n";
    for (size_t i = 0; i < 1 + pick(6); ++i) {
      absl::StrAppend(&yaml, "  - {id: r", i, ", action: ", pick(3) != 0 ? "permit" : "prohibit",
                      ", roles: [dealer], sections: [", sections[pick(5)], "], serial_prefix: \"",
                      prefixes[pick(5)], "\"", pick(4) == 0 ? ", purposes: [other]}\n" : "}\n");
    }
    connector::v1::PolicySet set;
    ASSERT_THAT(ParseYaml(yaml, "policies", set), IsOk());
    const CompiledPolicies policies = CompiledPolicies::Compile(set).value();
    const std::vector<std::string> roles = {"dealer"};
    Facts facts{"did:web:a.example", roles, "reuse", absl::nullopt, absl::UnixEpoch()};
    const Scope scope = policies.ScopeFor(facts);

    EXPECT_EQ(scope.For(absl::nullopt), policies.Evaluate(facts).permitted()) << yaml;
    for (const char* serial : {"M-1", "M1", "X-1", "Y"}) {
      facts.serial = serial;
      EXPECT_EQ(scope.For(serial), policies.Evaluate(facts).permitted()) << yaml << serial;
      EXPECT_EQ(scope.ForEvery() & ~policies.Evaluate(facts).permitted(), 0u) << yaml << serial;
    }
  }
}

}  // namespace
}  // namespace tsunagi::policy
