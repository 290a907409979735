#include "identity/trust.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/envelope.h"
#include "identity/names.h"

namespace tsunagi::identity {
namespace {

using common::v1::SignedEnvelope;

absl::Status Untrusted(absl::string_view what, const absl::Status& why) {
  return absl::UnauthenticatedError(absl::StrCat(what, ": ", why.message()));
}

absl::Status CheckKey(const v1::ParticipantKey& key) {
  ASSIGN_OR_RETURN(const crypto::PublicKey parsed, crypto::PublicKey::FromDer(key.public_key()));
  const bool is_log = key.purpose() == v1::KEY_PURPOSE_LOG;
  const auto expected =
      is_log ? common::v1::SIGNATURE_ALGORITHM_ED25519 : common::v1::SIGNATURE_ALGORITHM_ES256;
  if (key.purpose() != v1::KEY_PURPOSE_LOG && key.purpose() != v1::KEY_PURPOSE_SIGNING) {
    return absl::InvalidArgumentError(absl::StrCat("key `", key.key_id(), "` has no known purpose"));
  }
  if (parsed.id() != key.key_id() || parsed.algorithm() != key.algorithm() || key.algorithm() != expected) {
    return absl::InvalidArgumentError(absl::StrCat("key `", key.key_id(), "` is not what its entry says"));
  }
  if (is_log == key.log_origin().empty()) {
    return absl::InvalidArgumentError(absl::StrCat("key `", key.key_id(), "` has a wrong log origin"));
  }
  RETURN_IF_ERROR(FromProto(key.valid_from()).status());
  return key.has_valid_until() ? FromProto(key.valid_until()).status() : absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Party>> OpenEntry(const SignedEnvelope& entry,
                                                       const crypto::PublicKey& signer) {
  RETURN_IF_ERROR(crypto::Verify(entry, kParticipantPayload, signer));
  auto party = std::make_shared<Party>();
  RETURN_IF_ERROR(Decode(entry.payload(), "directory entry", party->participant));
  RETURN_IF_ERROR(Did::Parse(party->participant.did()).status());
  RETURN_IF_ERROR(Label::Parse(party->participant.label()).status());
  absl::flat_hash_set<std::string> key_ids;
  for (const v1::ParticipantKey& key : party->participant.keys()) {
    RETURN_IF_ERROR(CheckKey(key));
    if (!key_ids.insert(key.key_id()).second) {
      return absl::InvalidArgumentError(absl::StrCat("key `", key.key_id(), "` is listed twice"));
    }
  }
  party->signed_entry = entry;
  party->mandates = BelieveMandates(*party);
  return party;
}

bool SameEnvelope(const SignedEnvelope& a, const SignedEnvelope& b) {
  return a.payload() == b.payload() && a.signature() == b.signature() && a.key_id() == b.key_id() &&
         a.payload_type() == b.payload_type() && a.algorithm() == b.algorithm();
}

// Entries that the old view has verified under the same key: a directory of thousands changes one entry at a
// time.
class VerifiedEntries {
 public:
  explicit VerifiedEntries(const TrustView& view) {
    for (const auto& [did, party] : view.by_did)
      by_signature_.emplace(party->signed_entry.signature(), party);
  }
  std::shared_ptr<const Party> Find(const SignedEnvelope& entry, const crypto::PublicKey& signer) const {
    const auto found = by_signature_.find(entry.signature());
    const bool same = found != by_signature_.end() && entry.key_id() == signer.id() &&
                      SameEnvelope(found->second->signed_entry, entry);
    return same ? found->second : nullptr;
  }

 private:
  absl::flat_hash_map<std::string, std::shared_ptr<const Party>> by_signature_;
};

absl::Status AddEntries(const v1::Directory& directory, const crypto::PublicKey& signer, const TrustView& old,
                        TrustView& next) {
  const VerifiedEntries known(old);
  for (const SignedEnvelope& entry : directory.entries()) {
    std::shared_ptr<const Party> party = known.Find(entry, signer);
    if (party == nullptr) {
      ASSIGN_OR_RETURN(party, OpenEntry(entry, signer));
    }
    const v1::Participant& participant = party->participant;
    if (!next.by_did.emplace(participant.did(), party).second ||
        !next.by_label.emplace(participant.label(), party).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("participant `", participant.label(), "` is listed twice"));
    }
  }
  return absl::OkStatus();
}

// What directory and status list have in common.
template <class List>
absl::Status OpenList(const SignedEnvelope& envelope, absl::string_view federation, List& list) {
  RETURN_IF_ERROR(Decode(envelope.payload(), "signed list", list));
  if (list.federation() != federation) {
    return absl::InvalidArgumentError(
        absl::StrCat("is of federation `", list.federation(), "`, expected `", federation, "`"));
  }
  if (list.version() == 0) return absl::InvalidArgumentError("version is 0");
  return FromProto(list.issued_at()).status();
}

// Removed is for ever: whoever could take it back could have signed with it.
absl::Status CheckNothingCameBack(const Bundle& known, const Bundle& next) {
  for (const Anchor& before : known.anchors) {
    if (!before.removed) continue;
    const bool still = std::any_of(next.anchors.begin(), next.anchors.end(), [&](const Anchor& one) {
      return one.removed && one.certificate.sha256 == before.certificate.sha256;
    });
    if (!still) return absl::UnauthenticatedError("trust bundle: takes the removal of a CA back");
  }
  return absl::OkStatus();
}

bool IsRemoved(const Bundle& bundle, absl::string_view sha256) {
  return std::any_of(bundle.anchors.begin(), bundle.anchors.end(),
                     [&](const Anchor& one) { return one.removed && one.certificate.sha256 == sha256; });
}

// A key that was replaced signs nothing new; its root may have been removed while the list was read.
absl::Status CheckStillSigns(const TrustView& view, const TrustView::Signer& known,
                             const TrustView::Signer& signer) {
  if (signer.since < known.since) {
    return absl::UnauthenticatedError("is signed by a key that another one has replaced");
  }
  if (IsRemoved(*view.bundle, signer.root_sha256)) return absl::UnauthenticatedError("its root was removed");
  return absl::OkStatus();
}

// A list under a removed root may be a thief's, whose version nothing would ever reach.
void ForgetRemoved(const Bundle& bundle, TrustView& view) {
  if (IsRemoved(bundle, view.directory_signer.root_sha256)) {
    view.directory_version = 0;
    view.directory_signer = {};
    view.directory_chain.clear();
    view.by_did.clear();
    view.by_label.clear();
  }
  if (IsRemoved(bundle, view.status_signer.root_sha256)) {
    view.status_version = 0;
    view.status_signer = {};
    view.status_issued_at = absl::InfinitePast();
    view.suspended.clear();
  }
}

}  // namespace

absl::StatusOr<crypto::PublicKey> Party::FindKey(absl::string_view key_id, v1::KeyPurpose purpose) const {
  for (const v1::ParticipantKey& key : participant.keys()) {
    if (key.key_id() == key_id && key.purpose() == purpose)
      return crypto::PublicKey::FromDer(key.public_key());
  }
  return absl::NotFoundError(absl::StrCat("participant `", participant.label(), "` lists no ",
                                          purpose == v1::KEY_PURPOSE_LOG ? "log" : "signing", " key `",
                                          key_id, "`"));
}

absl::Status Party::KeyCountsAt(absl::string_view key_id, absl::Time at) const {
  for (const v1::ParticipantKey& key : participant.keys()) {
    if (key.key_id() != key_id) continue;
    ASSIGN_OR_RETURN(const absl::Time from, FromProto(key.valid_from()));
    absl::Time until = absl::InfiniteFuture();
    if (key.has_valid_until()) {
      ASSIGN_OR_RETURN(until, FromProto(key.valid_until()));
    }
    if (from <= at && at < until) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("key `", key_id, "` of `", participant.label(),
                                                      "` did not count at ", absl::FormatTime(at)));
  }
  return absl::NotFoundError(
      absl::StrCat("participant `", participant.label(), "` lists no key `", key_id, "`"));
}

absl::StatusOr<std::shared_ptr<const Party>> TrustView::Find(absl::string_view did_or_label) const {
  if (const auto found = by_did.find(did_or_label); found != by_did.end()) return found->second;
  if (const auto found = by_label.find(did_or_label); found != by_label.end()) return found->second;
  return absl::NotFoundError(absl::StrCat("participant `", did_or_label,
                                          "` is not in the directory: expected a DID or label of a member"));
}

std::vector<std::string> TrustView::SuccessorsOf(std::string did) const {
  std::vector<std::string> successors;
  // The registrar lets nobody leave to one that has left, so that there is no ring.
  while (successors.size() < by_did.size()) {
    const auto found = by_did.find(did);
    if (found == by_did.end()) break;
    const v1::Participant& participant = found->second->participant;
    if (participant.state() != v1::PARTICIPANT_STATE_LEFT || participant.successor().empty()) break;
    did = participant.successor();
    successors.push_back(did);
  }
  return successors;
}

TrustStore::TrustStore(const crypto::Certificate& root, std::string federation, const Clock& clock)
    : federation_(std::move(federation)), clock_(clock) {
  auto view = std::make_shared<TrustView>();
  view->bundle = std::make_shared<const Bundle>(PinnedBundle(root));
  view_ = std::move(view);
}

std::shared_ptr<const TrustView> TrustStore::View() const {
  MutexLock lock(mutex_);
  return view_;
}

std::string TrustStore::RootsPem() const {
  std::string pem;
  for (const crypto::Certificate& root : View()->bundle->RootsAt(clock_.Now())) pem += crypto::ToPem(root);
  return pem;
}

absl::Status TrustStore::AcceptBundle(const v1::SignedTrustBundle& signed_bundle) {
  return TakeBundle(signed_bundle, *View()->bundle);
}

absl::Status TrustStore::RestoreBundle(const v1::SignedTrustBundle& signed_bundle) {
  const absl::StatusOr<Bundle> own = OpenBundle(signed_bundle, federation_);
  if (!own.ok()) return Untrusted("kept trust bundle", own.status());
  return TakeBundle(signed_bundle, *own);
}

absl::Status TrustStore::TakeBundle(const v1::SignedTrustBundle& signed_bundle, const Bundle& believed) {
  const absl::Time now = clock_.Now();
  absl::StatusOr<Bundle> opened = OpenVouchedBundle(signed_bundle, believed, federation_, now);
  if (!opened.ok()) return Untrusted("trust bundle", opened.status());
  Bundle next = *std::move(opened);
  if (next.RootsAt(now).empty()) return absl::UnauthenticatedError("trust bundle: no root counts in it now");
  MutexLock lock(mutex_);
  const Bundle& known = *view_->bundle;
  if (next.version < known.version) {
    return absl::AbortedError(absl::StrCat("trust bundle version ", next.version, " is older than ",
                                           known.version, ", which is known"));
  }
  if (next.version == known.version) return absl::OkStatus();
  RETURN_IF_ERROR(CheckNothingCameBack(known, next));
  auto view = std::make_shared<TrustView>(*view_);
  ForgetRemoved(next, *view);
  view->bundle = std::make_shared<const Bundle>(std::move(next));
  view_ = std::move(view);
  return absl::OkStatus();
}

absl::StatusOr<TrustStore::CheckedSigner> TrustStore::CheckSigner(
    const google::protobuf::RepeatedPtrField<std::string>& chain, absl::string_view uri,
    const SignedEnvelope& envelope, absl::string_view payload_type, const TrustView& view) const {
  // A root itself certifies these two keys: whoever takes the issuing CA over cannot make a directory.
  if (chain.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("chain has ", chain.size(), " certificates, expected one that the root issued"));
  }
  ASSIGN_OR_RETURN(const crypto::Certificate leaf, crypto::ParseCertificateDer(chain.Get(0)));
  ASSIGN_OR_RETURN(const size_t root, RootOf(leaf, *view.bundle, clock_.Now()));
  if (leaf.is_ca || leaf.uris != std::vector<std::string>{std::string(uri)} || !leaf.dns_names.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("signer's certificate is not for `", uri, "` alone"));
  }
  RETURN_IF_ERROR(crypto::Verify(envelope, payload_type, leaf.public_key));
  return CheckedSigner{leaf.public_key, {view.bundle->anchors[root].certificate.sha256, leaf.not_before}};
}

absl::Status TrustStore::AcceptDirectory(const v1::SignedDirectory& signed_directory) {
  const std::shared_ptr<const TrustView> old = View();
  const auto signer = CheckSigner(signed_directory.chain(), DirectoryUri(federation_),
                                  signed_directory.directory(), kDirectoryPayload, *old);
  if (!signer.ok()) return Untrusted("directory", signer.status());
  v1::Directory directory;
  absl::Status status = OpenList(signed_directory.directory(), federation_, directory);
  if (!status.ok()) return Untrusted("directory", status);

  auto next = std::make_shared<TrustView>();
  if (directory.version() > old->directory_version) {
    if (status = AddEntries(directory, signer->key, *old, *next); !status.ok())
      return Untrusted("directory", status);
  }
  MutexLock lock(mutex_);
  if (directory.version() < view_->directory_version) {
    return absl::AbortedError(absl::StrCat("directory version ", directory.version(), " is older than ",
                                           view_->directory_version, ", which is known"));
  }
  if (directory.version() == view_->directory_version) return absl::OkStatus();
  status = CheckStillSigns(*view_, view_->directory_signer, signer->signer);
  if (!status.ok()) return Untrusted("directory", status);
  next->bundle = view_->bundle;
  next->directory_signer = signer->signer;
  next->status_signer = view_->status_signer;
  next->directory_version = directory.version();
  next->directory_chain.assign(signed_directory.chain().begin(), signed_directory.chain().end());
  next->status_version = view_->status_version;
  next->status_issued_at = view_->status_issued_at;
  next->suspended = view_->suspended;
  view_ = std::move(next);
  return absl::OkStatus();
}

absl::Status TrustStore::AcceptStatusList(const v1::SignedStatusList& signed_status_list) {
  const std::shared_ptr<const TrustView> old = View();
  const auto signer = CheckSigner(signed_status_list.chain(), StatusUri(federation_),
                                  signed_status_list.status_list(), kStatusListPayload, *old);
  if (!signer.ok()) return Untrusted("status list", signer.status());
  v1::StatusList list;
  absl::Status status = OpenList(signed_status_list.status_list(), federation_, list);
  if (!status.ok()) return Untrusted("status list", status);
  ASSIGN_OR_RETURN(const absl::Time issued_at, FromProto(list.issued_at()));
  if (issued_at > clock_.Now() + kClockSkew) {
    return absl::UnauthenticatedError(absl::StrCat("status list is issued in the future, at ",
                                                   absl::FormatTime(issued_at),
                                                   ": check this machine's clock"));
  }

  MutexLock lock(mutex_);
  if (list.version() < view_->status_version) {
    return absl::AbortedError(absl::StrCat("status list version ", list.version(), " is older than ",
                                           view_->status_version, ", which is known"));
  }
  if (list.version() == view_->status_version) return absl::OkStatus();
  status = CheckStillSigns(*view_, view_->status_signer, signer->signer);
  if (!status.ok()) return Untrusted("status list", status);
  auto next = std::make_shared<TrustView>(*view_);
  next->status_version = list.version();
  next->status_signer = signer->signer;
  next->status_issued_at = issued_at;
  next->suspended = {list.suspended().begin(), list.suspended().end()};
  view_ = std::move(next);
  return absl::OkStatus();
}

absl::Duration TrustStore::StatusAge() const { return View()->StatusAge(clock_.Now()); }

absl::Duration TrustView::StatusAge(absl::Time now) const {
  if (status_version == 0) return absl::InfiniteDuration();
  return std::max(absl::ZeroDuration(), now - status_issued_at);
}

}  // namespace tsunagi::identity
