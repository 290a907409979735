#include "identity/authority_change.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/envelope.h"
#include "identity/entries.h"

namespace tsunagi::identity {
namespace {

using crypto::PrivateKey;
using internal::v1::StoredAuthority;

// The newest roots: who knows only an older one was away for that many.
constexpr uint32_t kMaxSigners = 16;

absl::Status NotYet(absl::string_view what) { return absl::FailedPreconditionError(what); }

}  // namespace

absl::StatusOr<AuthorityChange> AuthorityChange::Begin(const RegistrarContext& context,
                                                       StoredAuthority stored) {
  AuthorityChange change(context, std::move(stored));
  if (!change.stored_.has_bundle()) return change;
  RETURN_IF_ERROR(Decode(change.stored_.bundle().bundle(), "stored trust bundle", change.listed_));
  ASSIGN_OR_RETURN(change.opened_, OpenBundle(change.stored_.bundle(), context.options.federation));
  return change;
}

absl::Status AuthorityChange::ListFirst() {
  const std::shared_ptr<const Authority> authority = context_.authority.Get();
  stored_.set_root(1);
  stored_.set_issuing(1);
  stored_.set_directory(1);
  stored_.set_status(1);
  stored_.set_token(1);
  listed_.set_federation(context_.options.federation);
  List(authority->root.certificate, v1::ANCHOR_KIND_ROOT);
  List(authority->issuing.certificate, v1::ANCHOR_KIND_ISSUING);
  // What they signed before there was a bundle counts as well.
  for (v1::TrustAnchor& anchor : *listed_.mutable_anchors()) {
    *anchor.mutable_valid_from() = ToProto(authority->root.certificate.not_before);
  }
  return SignBundle();
}

absl::StatusOr<std::string> AuthorityChange::MakeRootKnown() {
  if (const auto waiting = WaitingRoot(); waiting.has_value()) {
    return NotYet(absl::StrCat("`", KeyName("root", NumberOf(*waiting)),
                               "` is known already: put it into use with put_into_use"));
  }
  ASSIGN_OR_RETURN(const CertifiedKey root,
                   LoadOrMakeRoot(context_.options.keys_folder, context_.options.federation,
                                  Count(v1::ANCHOR_KIND_ROOT) + 1, now_));
  ASSIGN_OR_RETURN(const CertifiedKey issuing, MakeIssuing(root));
  List(root.certificate, v1::ANCHOR_KIND_ROOT);
  List(issuing.certificate, v1::ANCHOR_KIND_ISSUING);
  return root.key.id();
}

absl::StatusOr<std::string> AuthorityChange::MakeIssuingKnown() {
  const size_t root = IndexInUse(v1::ANCHOR_KIND_ROOT);
  if (const auto waiting = WaitingIssuing(root); waiting.has_value()) {
    return NotYet(absl::StrCat("`", KeyName("issuing", NumberOf(*waiting)),
                               "` is known already: put it into use with put_into_use"));
  }
  ASSIGN_OR_RETURN(const CertifiedKey issuing, MakeIssuing(context_.authority.Get()->root));
  List(issuing.certificate, v1::ANCHOR_KIND_ISSUING);
  return issuing.key.id();
}

absl::StatusOr<std::string> AuthorityChange::UseNextRoot() {
  const std::optional<size_t> next = WaitingRoot();
  if (!next.has_value()) return NotYet("no next root is known: rotate `root` without put_into_use first");
  const std::optional<size_t> issuing = WaitingIssuing(*next);
  if (!issuing.has_value()) {
    return NotYet("the next root has no issuing CA: remove it, and rotate `root` without put_into_use");
  }
  const size_t former = IndexInUse(v1::ANCHOR_KIND_ROOT);
  for (size_t i = 0; i < opened_.anchors.size(); ++i) {
    if (opened_.anchors[i].root == former) Retire(i);
  }
  RETURN_IF_ERROR(TakeRootIntoUse(*next, *issuing));
  return opened_.anchors[*next].certificate.public_key.id();
}

absl::StatusOr<std::string> AuthorityChange::UseNextIssuing() {
  const std::optional<size_t> next = WaitingIssuing(IndexInUse(v1::ANCHOR_KIND_ROOT));
  if (!next.has_value()) {
    return NotYet("no next issuing CA is known: rotate `issuing` without put_into_use first");
  }
  Retire(IndexInUse(v1::ANCHOR_KIND_ISSUING));
  stored_.set_issuing(NumberOf(*next));
  return opened_.anchors[*next].certificate.public_key.id();
}

absl::StatusOr<std::string> AuthorityChange::NextDirectory() {
  stored_.set_directory(stored_.directory() + 1);
  ASSIGN_OR_RETURN(const CertifiedKey made,
                   LoadOrMakeDirectory(context_.options.keys_folder, context_.options.federation,
                                       stored_.directory(), context_.authority.Get()->root, now_));
  return made.key.id();
}

absl::StatusOr<std::string> AuthorityChange::NextStatus() {
  stored_.set_status(stored_.status() + 1);
  ASSIGN_OR_RETURN(const CertifiedKey made,
                   LoadOrMakeStatus(context_.options.keys_folder, context_.options.federation,
                                    stored_.status(), context_.authority.Get()->root, now_));
  return made.key.id();
}

absl::Status AuthorityChange::Remove(absl::string_view sha256) {
  const auto found = std::find_if(opened_.anchors.begin(), opened_.anchors.end(),
                                  [&](const Anchor& one) { return one.certificate.sha256 == sha256; });
  if (found == opened_.anchors.end()) {
    return absl::NotFoundError(
        absl::StrCat("no CA has SHA-256 `", ToHex(sha256), "`: `tsunagi authority list` shows them"));
  }
  if (found->removed) return NotYet("this CA was removed before");
  const auto index = static_cast<size_t>(found - opened_.anchors.begin());
  if (index == IndexInUse(v1::ANCHOR_KIND_ROOT)) {
    const std::optional<size_t> next = WaitingRoot();
    const std::optional<size_t> issuing = next.has_value() ? WaitingIssuing(*next) : std::nullopt;
    if (!issuing.has_value())
      return NotYet("this is the only root: rotate `root` first, so that one follows");
    RETURN_IF_ERROR(TakeRootIntoUse(*next, *issuing));
  }
  if (index == IndexInUse(v1::ANCHOR_KIND_ISSUING)) {
    const std::optional<size_t> next = WaitingIssuing(IndexInUse(v1::ANCHOR_KIND_ROOT));
    if (!next.has_value()) {
      return NotYet("this is the only issuing CA: rotate `issuing` first, so that one follows");
    }
    stored_.set_issuing(NumberOf(*next));
  }
  for (size_t i = 0; i < opened_.anchors.size(); ++i) {
    if (i == index || opened_.anchors[i].root == index) {
      listed_.mutable_anchors(static_cast<int>(i))->set_removed(true);
    }
  }
  return absl::OkStatus();
}

absl::Status AuthorityChange::SignBundle() {
  listed_.set_version(listed_.version() + 1);
  *listed_.mutable_issued_at() = ToProto(now_);
  const std::string payload = Encode(listed_);
  v1::SignedTrustBundle& signed_bundle = *stored_.mutable_bundle();
  signed_bundle.Clear();
  signed_bundle.set_bundle(payload);
  const std::shared_ptr<const Authority> authority = context_.authority.Get();
  uint32_t number = 0;
  for (const v1::TrustAnchor& anchor : listed_.anchors()) {
    if (anchor.kind() != v1::ANCHOR_KIND_ROOT) continue;
    ++number;
    if (anchor.removed() || Count(v1::ANCHOR_KIND_ROOT) - number >= kMaxSigners) continue;
    const bool in_memory = anchor.certificate() == authority->root.certificate.der;
    const absl::StatusOr<PrivateKey> key =
        in_memory ? authority->root.key : LoadRootKey(context_.options.keys_folder, number);
    // A retired root's key may lie in a safe: whoever knows only that one cannot follow.
    if (absl::IsNotFound(key.status()) && anchor.has_valid_until()) continue;
    RETURN_IF_ERROR(key.status());
    common::v1::SignedEnvelope& signature = *signed_bundle.add_signatures();
    signature = crypto::Sign(*key, kTrustBundlePayload, payload);
    signature.clear_payload();
  }
  return OpenBundle(signed_bundle, context_.options.federation).status();
}

void AuthorityChange::AddTo(audit::Commit& commit) const {
  commit.reads.push_back(AuthorityKey());
  commit.writes.push_back(store::Put(store::Table::kState, AuthorityKey(), Encode(stored_)));
}

uint32_t AuthorityChange::NumberOf(size_t index) const {
  uint32_t number = 0;
  for (size_t i = 0; i <= index; ++i) {
    if (opened_.anchors[i].kind == opened_.anchors[index].kind) ++number;
  }
  return number;
}

uint32_t AuthorityChange::Count(v1::AnchorKind kind) const {
  return static_cast<uint32_t>(std::count_if(listed_.anchors().begin(), listed_.anchors().end(),
                                             [&](const v1::TrustAnchor& one) { return one.kind() == kind; }));
}

size_t AuthorityChange::IndexInUse(v1::AnchorKind kind) const {
  const uint32_t number = kind == v1::ANCHOR_KIND_ROOT ? stored_.root() : stored_.issuing();
  size_t index = 0;
  while (opened_.anchors[index].kind != kind || NumberOf(index) != number) ++index;
  return index;
}

std::optional<size_t> AuthorityChange::WaitingRoot() const {
  const size_t in_use = IndexInUse(v1::ANCHOR_KIND_ROOT);
  for (size_t i = 0; i < opened_.anchors.size(); ++i) {
    const Anchor& anchor = opened_.anchors[i];
    const bool open = !anchor.removed && anchor.until == absl::InfiniteFuture();
    if (anchor.kind == v1::ANCHOR_KIND_ROOT && open && i != in_use) return i;
  }
  return std::nullopt;
}

std::optional<size_t> AuthorityChange::WaitingIssuing(size_t root) const {
  const size_t in_use = IndexInUse(v1::ANCHOR_KIND_ISSUING);
  for (size_t i = 0; i < opened_.anchors.size(); ++i) {
    const Anchor& anchor = opened_.anchors[i];
    const bool open = !anchor.removed && anchor.until == absl::InfiniteFuture();
    if (anchor.kind == v1::ANCHOR_KIND_ISSUING && anchor.root == root && open && i != in_use) return i;
  }
  return std::nullopt;
}

absl::StatusOr<CertifiedKey> AuthorityChange::MakeIssuing(const CertifiedKey& root) {
  return LoadOrMakeIssuing(context_.options.keys_folder, context_.options.federation,
                           Count(v1::ANCHOR_KIND_ISSUING) + 1, root, now_);
}

void AuthorityChange::List(const crypto::Certificate& certificate, v1::AnchorKind kind) {
  v1::TrustAnchor& anchor = *listed_.add_anchors();
  anchor.set_certificate(certificate.der);
  anchor.set_kind(kind);
  *anchor.mutable_valid_from() = ToProto(now_);
}

// What it has signed lives for one certificate's life at most.
void AuthorityChange::Retire(size_t index) {
  v1::TrustAnchor& anchor = *listed_.mutable_anchors(static_cast<int>(index));
  if (anchor.removed() || anchor.has_valid_until()) return;
  *anchor.mutable_valid_until() = ToProto(now_ + context_.options.certificate_life);
}

absl::Status AuthorityChange::TakeRootIntoUse(size_t root, size_t issuing) {
  const std::string& folder = context_.options.keys_folder;
  const std::string& federation = context_.options.federation;
  stored_.set_root(NumberOf(root));
  stored_.set_issuing(NumberOf(issuing));
  stored_.set_directory(stored_.directory() + 1);
  stored_.set_status(stored_.status() + 1);
  ASSIGN_OR_RETURN(const CertifiedKey key, LoadOrMakeRoot(folder, federation, stored_.root(), now_));
  RETURN_IF_ERROR(LoadOrMakeDirectory(folder, federation, stored_.directory(), key, now_).status());
  return LoadOrMakeStatus(folder, federation, stored_.status(), key, now_).status();
}

}  // namespace tsunagi::identity
