// Enrolment over secure transport (EST, RFC 7030), the client's side. Blocking.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/crypto/certificate.h"
#include "core/crypto/key.h"

namespace tsunagi::http {

// The federation's root certificate from `est_url` (`https://host:port`), believed because its SHA-256 is
// `root_sha256` (lower-case hex). UNAUTHENTICATED when the registrar has no such root.
absl::StatusOr<crypto::Certificate> FetchRoot(absl::string_view est_url, absl::string_view root_sha256);

// Where the registrar's edge offers the signed trust bundle to everyone.
inline constexpr absl::string_view kTrustBundlePath = "/.well-known/tsunagi/trust-bundle";

// Where it offers the roster of its federation to everyone, when it does.
inline constexpr absl::string_view kRosterPath = "/.well-known/tsunagi/roster";

// The serialised SignedTrustBundle from the edge of `est_url`, as anybody may have sent it: its signatures
// say whether to believe it. UNAVAILABLE when there is none.
absl::StatusOr<std::string> FetchTrustBundle(absl::string_view est_url);

// A first certificate for a certificate request (DER) with an invitation: leaf, then issuing CA, verified to
// lead to one of `roots`. UNAUTHENTICATED when label or code is wrong, expired or used; INVALID_ARGUMENT when
// the request is refused; RESOURCE_EXHAUSTED after too many wrong codes; UNAVAILABLE when the registrar
// cannot be reached.
absl::StatusOr<std::vector<crypto::Certificate>> SimpleEnroll(absl::string_view est_url,
                                                              const std::vector<crypto::Certificate>& roots,
                                                              absl::string_view label, absl::string_view code,
                                                              absl::string_view request_der);

// A renewal over the current certificate `chain` (leaf first), or one that expired at most 30 days ago, whose
// key is `key`. UNAUTHENTICATED or PERMISSION_DENIED when the registrar refuses it.
absl::StatusOr<std::vector<crypto::Certificate>> SimpleReenroll(absl::string_view est_url,
                                                                const std::vector<crypto::Certificate>& roots,
                                                                const crypto::PrivateKey& key,
                                                                const std::vector<crypto::Certificate>& chain,
                                                                absl::string_view request_der);

}  // namespace tsunagi::http
