// Finds every mistake in a policy set.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tsunagi/connector/v1/policy.pb.h"

namespace tsunagi::policy {

inline constexpr int kMaxRules = 1'000;

// One text per mistake, naming rule, field, value and what was expected; empty when the set is good.
std::vector<std::string> MistakesIn(const connector::v1::PolicySet& set);

// 1 to 64 characters of [a-z0-9._:-]: purposes, roles and duties.
bool IsWord(absl::string_view text);

}  // namespace tsunagi::policy
