// Roles of accounts and API clients.
#pragma once

#include "absl/strings/string_view.h"
#include "tsunagi/identity/v1/account_service.pb.h"

namespace tsunagi::people {

using Role = identity::v1::AccountRole;

inline constexpr Role kNoRole = identity::v1::ACCOUNT_ROLE_UNSPECIFIED;
inline constexpr Role kViewer = identity::v1::ACCOUNT_ROLE_VIEWER;
inline constexpr Role kAuditor = identity::v1::ACCOUNT_ROLE_AUDITOR;
inline constexpr Role kOperator = identity::v1::ACCOUNT_ROLE_OPERATOR;
inline constexpr Role kAdministrator = identity::v1::ACCOUNT_ROLE_ADMINISTRATOR;

// Whether `role` may do what `needed` may: an administrator everything, everybody what a viewer may. Auditor
// and operator cover neither each other.
inline bool Covers(Role role, Role needed) {
  return needed == kNoRole || role == kAdministrator || role == needed ||
         (role != kNoRole && needed == kViewer);
}

// `viewer`, `auditor`, `operator` or `administrator`; empty for any other.
inline absl::string_view RoleWord(Role role) {
  if (role == kViewer) return "viewer";
  if (role == kAuditor) return "auditor";
  if (role == kOperator) return "operator";
  return role == kAdministrator ? "administrator" : "";
}

}  // namespace tsunagi::people
