// Policy files come from people and from other tools: parsing, checking and evaluating one never fails hard,
// and what compiles never opens people's names.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "connector/policy/policy.h"
#include "core/base/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tsunagi::policy::CompiledPolicies;
  tsunagi::connector::v1::PolicySet set;
  const absl::string_view yaml(reinterpret_cast<const char*>(data), size);
  if (!tsunagi::ParseYaml(yaml, "policies.yaml", set).ok()) return 0;
  const absl::StatusOr<CompiledPolicies> policies = CompiledPolicies::Compile(set);
  if (!policies.ok()) return 0;
  for (const auto& rule : set.rules()) {
    const std::vector<std::string> roles(rule.roles().begin(), rule.roles().end());
    const std::string party = rule.parties().empty() ? "did:web:a.example" : rule.parties(0);
    const std::string purpose = rule.purposes().empty() ? "x" : rule.purposes(0);
    const auto decision =
        policies->Evaluate({party, roles, purpose, rule.serial_prefix(), absl::UnixEpoch()});
    if (!decision.named) std::abort();
    if ((decision.part_mask & tsunagi::policy::BitOf(tsunagi::passport::v1::PART_KIND_PERSON)) != 0)
      std::abort();
    policies->Obligations(decision, ~tsunagi::policy::SectionMask{0});
  }
  return 0;
}
