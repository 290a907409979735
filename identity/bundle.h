// The trust bundle: which certification authorities (認証局) count, and when.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/crypto/certificate.h"
#include "tsunagi/identity/v1/trust_service.pb.h"

namespace tsunagi::identity {

inline constexpr absl::string_view kTrustBundlePayload = "tsunagi/trust-bundle/v1";
inline constexpr size_t kMaxBundleBytes = 1 << 20;

// A certification authority and when what it signs counts.
struct Anchor {
  crypto::Certificate certificate;
  v1::AnchorKind kind = v1::ANCHOR_KIND_UNSPECIFIED;
  absl::Time from = absl::InfinitePast();
  absl::Time until = absl::InfiniteFuture();
  bool removed = false;
  size_t root = 0;  // index of the root that signed it; its own for a root

  bool CountsAt(absl::Time at) const { return !removed && from <= at && at < until; }
};

// A bundle whose form was checked. Immutable.
struct Bundle {
  uint64_t version = 0;
  std::vector<Anchor> anchors;
  v1::SignedTrustBundle signed_bundle;  // empty for version 0

  // The roots that count at `at`.
  std::vector<crypto::Certificate> RootsAt(absl::Time at) const;
  bool IsRemoved(absl::string_view sha256) const;
};

// The bundle of who knows nothing but the pinned root: version 0, without an issuing CA.
Bundle PinnedBundle(const crypto::Certificate& root);

// Reads a bundle of `federation`: 1 to 1,024 anchors, each once; every one a CA; roots signed by themselves,
// issuing CAs by a listed root, both when they begin. Says nothing about who vouches for it.
// INVALID_ARGUMENT otherwise.
absl::StatusOr<Bundle> OpenBundle(const v1::SignedTrustBundle& signed_bundle, absl::string_view federation);

// The same, vouched for: a root that counts in `believed` at `at` signed it, and it does not remove that
// root. The signature comes first: nothing else of a stranger's bytes is looked at. UNAUTHENTICATED
// otherwise.
absl::StatusOr<Bundle> OpenVouchedBundle(const v1::SignedTrustBundle& signed_bundle, const Bundle& believed,
                                         absl::string_view federation, absl::Time at);

// OK when `next` may take the place of `known`, or is of the same version: a root counts in it at `at`, and
// nothing that was removed is back. UNAUTHENTICATED otherwise; ABORTED when its version is lower. Says
// nothing about who vouches for it.
absl::Status CheckFollows(const Bundle& known, const Bundle& next, absl::Time at);

// Until when the process's certificate `leaf` counts at `at`: its own end, or the earlier one of the issuing
// CA that signed it. Without a bundle (version 0) TLS has judged who signed it. UNAUTHENTICATED when no
// issuing CA that counts at `at` did, or its root was removed.
absl::StatusOr<absl::Time> CountsUntil(const crypto::Certificate& leaf, const Bundle& bundle, absl::Time at);

// OK when the root alone certified `leaf` and counts at `at`. The root, as the index of its anchor;
// UNAUTHENTICATED otherwise.
absl::StatusOr<size_t> RootOf(const crypto::Certificate& leaf, const Bundle& bundle, absl::Time at);

}  // namespace tsunagi::identity
