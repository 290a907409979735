// Forms of what operators and participants state about themselves. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tsunagi/identity/v1/directory.pb.h"

namespace tsunagi::identity {

// OK when names, identifiers (see identifiers.h), plants, contacts, namespaces and roles of a participant are
// well formed, bounded and each stands once; what else an entry has is not looked at. INVALID_ARGUMENT naming
// the first mistake.
absl::Status CheckParticipant(const v1::Participant& participant);

// OK for the word of a role, which `registrar` is not: that one is nobody else's. INVALID_ARGUMENT otherwise.
absl::Status CheckRole(absl::string_view field, absl::string_view role);

// OK for a well-formed namespace. INVALID_ARGUMENT otherwise.
absl::Status CheckNamespace(const v1::Namespace& space);

// OK for `host:port` with a DNS name or an IP address.
absl::Status CheckAddress(absl::string_view address);

// OK for a text of at most `max_bytes` on one line, UTF-8 without controls; empty only when not `required`.
absl::Status CheckText(absl::string_view field, absl::string_view text, size_t max_bytes, bool required);

// Texts that stand for the identifiers that only one participant may have.
std::vector<std::string> IdentifierClaims(const v1::Participant& participant);

// Texts that stand for the namespaces that another participant may have only with consent. Two namespaces
// overlap when they have the same text. A serial prefix has none (empty): it divides the manufacturer's own
// serials.
std::string NamespaceClaim(const v1::Namespace& space);
std::vector<std::string> NamespaceClaims(const v1::Participant& participant);

}  // namespace tsunagi::identity
