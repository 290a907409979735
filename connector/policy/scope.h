// Which parts of which batteries: what an agreement covers, as targets of permissions and prohibitions.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "connector/policy/sections.h"
#include "tsunagi/connector/v1/policy.pb.h"

namespace tsunagi::policy {

// What is permitted or prohibited, by the prefix of the serials for which it is; the empty prefix is every
// serial. kLookupBit stands for the look-up.
using Targets = std::map<std::string, PartMask>;

// A prohibition wins over every permission.
struct Scope {
  Targets permitted;
  Targets prohibited;

  // For a battery with this serial. Unknown: permitted for some battery.
  PartMask For(absl::optional<absl::string_view> serial) const;
  // Permitted for every battery.
  PartMask ForEvery() const;
  // No more than `mask`, without targets that say nothing.
  Scope Within(PartMask mask) const;

  bool operator==(const Scope& other) const {
    return permitted == other.permitted && prohibited == other.prohibited;
  }
};

// Writes the scope into the agreement's permissions and prohibitions.
void SetScope(const Scope& scope, connector::v1::Agreement& agreement);

// The scope of an agreement. INVALID_ARGUMENT when it permits nothing, when a target has no part or one that
// this program does not know or that belongs to no section, or when the targets are not in order of prefix,
// each once.
absl::StatusOr<Scope> ScopeOf(const connector::v1::Agreement& agreement);

}  // namespace tsunagi::policy
