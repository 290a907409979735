#include "identity/bundle.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/envelope.h"

namespace tsunagi::identity {
namespace {

using crypto::Certificate;

constexpr int kMaxAnchors = 1024;
constexpr int kMaxSignatures = 64;

absl::Status Invalid(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("trust bundle: ", what));
}

std::string NameOf(const Certificate& certificate) {
  return absl::StrCat("`", ToHex(certificate.sha256), "`");
}

absl::StatusOr<Anchor> ReadAnchor(const v1::TrustAnchor& listed) {
  ASSIGN_OR_RETURN(Certificate certificate, crypto::ParseCertificateDer(listed.certificate()));
  if (!certificate.is_ca) return Invalid(absl::StrCat(NameOf(certificate), " is no CA's certificate"));
  if (listed.kind() != v1::ANCHOR_KIND_ROOT && listed.kind() != v1::ANCHOR_KIND_ISSUING) {
    return Invalid(absl::StrCat(NameOf(certificate), " is neither root nor issuing CA"));
  }
  if (!listed.has_valid_from()) return Invalid(absl::StrCat(NameOf(certificate), " counts from no time"));
  Anchor anchor{.certificate = std::move(certificate), .kind = listed.kind(), .removed = listed.removed()};
  ASSIGN_OR_RETURN(anchor.from, FromProto(listed.valid_from()));
  if (listed.has_valid_until()) {
    ASSIGN_OR_RETURN(anchor.until, FromProto(listed.valid_until()));
  }
  return anchor;
}

bool Signed(const Anchor& root, const Certificate& certificate) {
  return root.kind == v1::ANCHOR_KIND_ROOT &&
         crypto::VerifyChain({certificate}, root.certificate, certificate.not_before).ok();
}

// Finds the root of each anchor.
absl::Status LinkRoots(std::vector<Anchor>& anchors) {
  for (size_t i = 0; i < anchors.size(); ++i) {
    Anchor& anchor = anchors[i];
    const bool is_root = anchor.kind == v1::ANCHOR_KIND_ROOT;
    // A root stands before its issuing CAs, the newest one mostly just before.
    size_t root = i;
    while (root > 0 && !is_root && !Signed(anchors[root], anchor.certificate)) --root;
    if (!Signed(anchors[root], anchor.certificate)) {
      return Invalid(absl::StrCat(NameOf(anchor.certificate),
                                  is_root ? " is not signed by itself" : " is signed by no root before it"));
    }
    anchor.root = root;
  }
  return absl::OkStatus();
}

const Anchor* Find(const Bundle& bundle, absl::string_view sha256) {
  const auto found = std::find_if(bundle.anchors.begin(), bundle.anchors.end(),
                                  [&](const Anchor& one) { return one.certificate.sha256 == sha256; });
  return found == bundle.anchors.end() ? nullptr : &*found;
}

bool SignedBy(const v1::SignedTrustBundle& bundle, const crypto::PublicKey& key) {
  return std::any_of(bundle.signatures().begin(), bundle.signatures().end(),
                     [&](const common::v1::SignedEnvelope& envelope) {
                       if (envelope.key_id() != key.id() || !envelope.payload().empty()) return false;
                       common::v1::SignedEnvelope whole = envelope;
                       whole.set_payload(bundle.bundle());
                       return crypto::Verify(whole, kTrustBundlePayload, key).ok();
                     });
}

absl::Status CheckSize(const v1::SignedTrustBundle& signed_bundle) {
  if (signed_bundle.bundle().size() <= kMaxBundleBytes && signed_bundle.signatures_size() <= kMaxSignatures) {
    return absl::OkStatus();
  }
  return Invalid("larger than 1 MiB, or more than 64 signatures");
}

}  // namespace

std::vector<Certificate> Bundle::RootsAt(absl::Time at) const {
  std::vector<Certificate> roots;
  for (const Anchor& anchor : anchors) {
    if (anchor.kind == v1::ANCHOR_KIND_ROOT && anchor.CountsAt(at)) roots.push_back(anchor.certificate);
  }
  return roots;
}

bool Bundle::IsRemoved(absl::string_view sha256) const {
  const Anchor* const anchor = Find(*this, sha256);
  return anchor != nullptr && anchor->removed;
}

Bundle PinnedBundle(const Certificate& root) {
  Bundle bundle;
  bundle.anchors.push_back({.certificate = root, .kind = v1::ANCHOR_KIND_ROOT});
  return bundle;
}

absl::StatusOr<Bundle> OpenBundle(const v1::SignedTrustBundle& signed_bundle, absl::string_view federation) {
  RETURN_IF_ERROR(CheckSize(signed_bundle));
  v1::TrustBundle listed;
  RETURN_IF_ERROR(Decode(signed_bundle.bundle(), "trust bundle", listed));
  if (listed.federation() != federation) {
    return Invalid(absl::StrCat("is of federation `", listed.federation(), "`, expected `", federation, "`"));
  }
  if (listed.version() == 0) return Invalid("version is 0");
  if (listed.anchors().empty() || listed.anchors_size() > kMaxAnchors) {
    return Invalid(absl::StrCat("has ", listed.anchors_size(), " anchors, expected 1 to ", kMaxAnchors));
  }
  RETURN_IF_ERROR(FromProto(listed.issued_at()).status());
  Bundle bundle;
  bundle.version = listed.version();
  absl::flat_hash_set<std::string> seen;
  for (const v1::TrustAnchor& one : listed.anchors()) {
    ASSIGN_OR_RETURN(Anchor anchor, ReadAnchor(one));
    if (!seen.insert(anchor.certificate.sha256).second) {
      return Invalid(absl::StrCat(NameOf(anchor.certificate), " is listed twice"));
    }
    bundle.anchors.push_back(std::move(anchor));
  }
  RETURN_IF_ERROR(LinkRoots(bundle.anchors));
  bundle.signed_bundle = signed_bundle;
  return bundle;
}

absl::StatusOr<Bundle> OpenVouchedBundle(const v1::SignedTrustBundle& signed_bundle, const Bundle& believed,
                                         absl::string_view federation, absl::Time at) {
  RETURN_IF_ERROR(CheckSize(signed_bundle));
  std::vector<std::string> vouching;
  for (const Anchor& root : believed.anchors) {
    if (root.kind == v1::ANCHOR_KIND_ROOT && root.CountsAt(at) &&
        SignedBy(signed_bundle, root.certificate.public_key)) {
      vouching.push_back(root.certificate.sha256);
    }
  }
  const absl::Status unvouched = absl::UnauthenticatedError(
      "signed by no root that counts here: ask the registrar for a new invitation");
  if (vouching.empty()) return unvouched;
  ASSIGN_OR_RETURN(Bundle next, OpenBundle(signed_bundle, federation));
  for (const std::string& root : vouching) {
    if (!next.IsRemoved(root)) return next;
  }
  return unvouched;
}

absl::Status CheckFollows(const Bundle& known, const Bundle& next, absl::Time at) {
  if (next.RootsAt(at).empty()) return absl::UnauthenticatedError("trust bundle: no root counts in it now");
  if (next.version < known.version) {
    return absl::AbortedError(absl::StrCat("trust bundle version ", next.version, " is older than ",
                                           known.version, ", which is known"));
  }
  if (next.version == known.version) return absl::OkStatus();
  // Removed is for ever: whoever could take it back could have signed with it.
  for (const Anchor& before : known.anchors) {
    if (before.removed && !next.IsRemoved(before.certificate.sha256)) {
      return absl::UnauthenticatedError("trust bundle: takes the removal of a CA back");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> CountsUntil(const Certificate& leaf, const Bundle& bundle, absl::Time at) {
  if (bundle.version == 0) return leaf.not_after;
  for (const Anchor& issuing : bundle.anchors) {
    const Anchor& root = bundle.anchors[issuing.root];
    if (issuing.kind != v1::ANCHOR_KIND_ISSUING || !issuing.CountsAt(at) || root.removed) continue;
    if (crypto::VerifyChain({leaf, issuing.certificate}, root.certificate, at).ok()) {
      return std::min(leaf.not_after, issuing.until);
    }
  }
  return absl::UnauthenticatedError(
      "certificate: no issuing CA that counts signed it: renew it, or ask for a new invitation");
}

absl::StatusOr<size_t> RootOf(const Certificate& leaf, const Bundle& bundle, absl::Time at) {
  absl::Status last = absl::UnauthenticatedError("no root counts");
  for (size_t i = 0; i < bundle.anchors.size(); ++i) {
    const Anchor& anchor = bundle.anchors[i];
    if (anchor.kind != v1::ANCHOR_KIND_ROOT || !anchor.CountsAt(at)) continue;
    last = crypto::VerifyChain({leaf}, anchor.certificate, at);
    if (last.ok()) return i;
  }
  return last;
}

}  // namespace tsunagi::identity
