// Forms of what operators and participants state about themselves. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tsunagi/identity/v1/directory.pb.h"

namespace tsunagi::identity {

// OK when names, identifiers (check digit of 法人番号), plants, namespaces and roles of a new participant are
// well formed, bounded and each stands once; keys, endpoints, version and DID are not looked at.
// INVALID_ARGUMENT naming the first mistake.
absl::Status CheckParticipant(const v1::Participant& participant);

// OK for `host:port` with a DNS name or an IP address.
absl::Status CheckAddress(absl::string_view address);

// OK for a text of at most `max_bytes` on one line, UTF-8 without controls; empty only when not `required`.
absl::Status CheckText(absl::string_view field, absl::string_view text, size_t max_bytes, bool required);

// Texts that stand for the identifiers and namespaces that only one participant may have. Two namespaces
// overlap when they share a text. Serial prefixes have none: they divide the manufacturer's own serials.
std::vector<std::string> IdentifierClaims(const v1::Participant& participant);
std::vector<std::string> NamespaceClaims(const v1::Participant& participant);

}  // namespace tsunagi::identity
