// Runs tests/policy_cases: what policies mean, as data.
#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "connector/policy/policy.h"
#include "core/base/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "yaml-cpp/yaml.h"

namespace tsunagi::policy {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

struct PolicyCase {
  std::string file;
  std::string name;
  YAML::Node policies;
  YAML::Node agreed;  // the set under which the agreement was made; none: the case is about policy alone
  YAML::Node node;
  std::vector<std::string> mistakes;
};

std::ostream& operator<<(std::ostream& out, const PolicyCase& c) { return out << c.file << ": " << c.name; }

std::vector<std::string> Strings(const YAML::Node& node) {
  return node.IsDefined() ? node.as<std::vector<std::string>>() : std::vector<std::string>();
}

std::vector<PolicyCase> LoadCases() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(TSUNAGI_SOURCE_DIR "/tests/policy_cases")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<PolicyCase> cases;
  for (const std::filesystem::path& file : files) {
    const YAML::Node root = YAML::LoadFile(file.string());
    for (const YAML::Node& node : root["cases"]) {
      cases.push_back({file.stem().string(),
                       node["name"].as<std::string>(),
                       root["policies"],
                       root["agreed_under"],
                       node,
                       {}});
    }
    if (root["mistakes"].IsDefined()) {
      cases.push_back(
          {file.stem().string(), "mistakes", root["policies"], {}, {}, Strings(root["mistakes"])});
    }
  }
  return cases;
}

std::string TestName(const testing::TestParamInfo<PolicyCase>& info) {
  std::string name;
  bool upper = true;
  for (const char c : info.param.file + " " + info.param.name) {
    if (absl::ascii_isalnum(c)) name += upper ? absl::ascii_toupper(c) : c;
    upper = !absl::ascii_isalnum(c);
  }
  return name;
}

connector::v1::PolicySet ParsePolicies(const YAML::Node& node) {
  connector::v1::PolicySet set;
  EXPECT_THAT(ParseYaml(YAML::Dump(node), "policies", set), IsOk());
  return set;
}

absl::Time TimeIn(const YAML::Node& node) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, node.as<std::string>(), &time, &error)) << error;
  return time;
}

Section SectionNamed(const std::string& word) {
  Section section = common::v1::SECTION_UNSPECIFIED;
  EXPECT_TRUE(common::v1::Section_Parse(absl::StrCat("SECTION_", absl::AsciiStrToUpper(word)), &section))
      << word;
  return section;
}

std::vector<std::string> PartWords(PartMask mask) {
  std::vector<std::string> words;
  for (const PartKind kind : KindsIn(mask)) {
    words.emplace_back(absl::StripPrefix(passport::v1::PartKind_Name(kind), "PART_KIND_"));
  }
  return words;
}

class PolicyCasesTest : public testing::TestWithParam<PolicyCase> {};

TEST_P(PolicyCasesTest, DecidesAsWritten) {
  const connector::v1::PolicySet set = ParsePolicies(GetParam().policies);
  const absl::StatusOr<CompiledPolicies> policies = CompiledPolicies::Compile(set);
  if (!GetParam().mistakes.empty()) {
    for (const std::string& mistake : GetParam().mistakes) {
      EXPECT_THAT(policies, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(mistake)));
    }
    return;
  }
  ASSERT_THAT(policies, IsOk());
  const YAML::Node given = GetParam().node["facts"];
  const YAML::Node expect = GetParam().node["expect"];
  const std::string party = given["party"].as<std::string>();
  const std::vector<std::string> roles = Strings(given["roles"]);
  const std::string purpose = given["purpose"].as<std::string>();
  const std::string serial = given["serial"].IsDefined() ? given["serial"].as<std::string>() : "";
  Facts facts{party, roles, purpose, absl::nullopt, TimeIn(given["time"]), given["owner"].IsDefined()};
  if (given["serial"].IsDefined()) facts.serial = serial;

  const Decision decision = policies->Evaluate(facts);

  EXPECT_THAT(PartWords(decision.part_mask), ElementsAreArray(Strings(expect["parts"])));
  EXPECT_EQ(decision.lookup, expect["lookup"].IsDefined());
  if (expect["lookup"].IsDefined()) {
    EXPECT_EQ(decision.daily_lookups, expect["lookup"].as<uint32_t>());
  }
  EXPECT_EQ(decision.named, !expect["named"].IsDefined() || expect["named"].as<bool>());
  EXPECT_EQ(decision.next_change,
            expect["next_change"].IsDefined() ? TimeIn(expect["next_change"]) : absl::InfiniteFuture());
  EXPECT_THAT(policies->Obligations(decision, ~SectionMask{0}),
              ElementsAreArray(Strings(expect["obligations"])));
  if (GetParam().agreed.IsDefined()) {
    const auto agreed = CompiledPolicies::Compile(ParsePolicies(GetParam().agreed));
    ASSERT_THAT(agreed, IsOk());
    EXPECT_THAT(PartWords(decision.part_mask & agreed->ScopeFor(facts).For(facts.serial)),
                ElementsAreArray(Strings(expect["released"])));
  }
  for (const auto& reason : expect["reasons"]) {
    EXPECT_EQ(CompiledPolicies::Reason(decision, SectionNamed(reason.first.as<std::string>())),
              reason.second.as<std::string>());
  }
  for (const auto& rules : expect["rules"]) {
    EXPECT_THAT(policies->RuleIds(decision, SectionNamed(rules.first.as<std::string>())),
                ElementsAreArray(Strings(rules.second)));
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, PolicyCasesTest, testing::ValuesIn(LoadCases()), TestName);

TEST(PolicyCasesFolderTest, HoldsFortyCasesOrMore) { EXPECT_GE(LoadCases().size(), 40u); }

}  // namespace
}  // namespace tsunagi::policy
