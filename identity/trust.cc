#include "identity/trust.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

// A list under a removed root may be a thief's, whose version nothing would ever reach.
void ForgetRemoved(const Bundle& bundle, TrustView& view) {
  if (bundle.IsRemoved(view.federations->signer.root_sha256)) {
    view.federations = std::make_shared<const Federations>();
  }
  if (bundle.IsRemoved(view.directory_signer.root_sha256)) {
    view.directory_version = 0;
    view.directory_signer = {};
    view.directory_chain.clear();
    view.by_did.clear();
    view.by_label.clear();
  }
  if (bundle.IsRemoved(view.status_signer.root_sha256)) {
    view.status_version = 0;
    view.status_signer = {};
    view.status_issued_at = absl::InfinitePast();
    view.suspended.clear();
  }
}

// Rosters that a new list still vouches for.
void KeepRosters(const Federations& known, absl::Time now, Federations& next) {
  for (auto& [name, federation] : next.by_name) {
    const auto before = known.by_name.find(name);
    if (before == known.by_name.end() || before->second->roster == nullptr || federation->revoked()) continue;
    absl::StatusOr<Roster> kept = OpenRoster(before->second->roster->signed_roster, *federation, now);
    if (!kept.ok()) continue;
    auto with_roster = std::make_shared<TrustedFederation>(*federation);
    with_roster->roster = std::make_shared<const Roster>(*std::move(kept));
    federation = std::move(with_roster);
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

bool TrustView::IsSuspended(absl::string_view did) const {
  if (suspended.contains(did)) return true;
  if (by_did.contains(did)) return false;
  const TrustedFederation* const home = federations->HostOf(did);
  if (home == nullptr) return false;
  const bool newest = federations->version >= federations_required;
  return !newest || home->revoked() || home->roster == nullptr || !home->roster->dids.contains(did);
}

absl::StatusOr<std::shared_ptr<const TrustedFederation>> TrustView::FindFederation(
    absl::string_view name) const {
  if (federations->version < federations_required) {
    return absl::UnavailableError(
        "which federations are trusted has changed, and is not known here yet: try again");
  }
  const auto found = federations->by_name.find(name);
  if (found == federations->by_name.end()) {
    return absl::PermissionDeniedError(absl::StrCat("federation `", name, "` is not trusted here"));
  }
  if (found->second->revoked()) {
    return absl::PermissionDeniedError(absl::StrCat("federation `", name, "` is trusted no more"));
  }
  return found->second;
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

std::string TrustStore::ClientRootsPem() const {
  const absl::Time now = clock_.Now();
  const std::shared_ptr<const TrustView> view = View();
  std::vector<std::string> pems;
  for (const auto& [name, federation] : view->federations->by_name) {
    if (federation->revoked()) continue;
    for (const crypto::Certificate& root : federation->bundle->RootsAt(now))
      pems.push_back(crypto::ToPem(root));
  }
  // The same text as long as the same roots count.
  std::sort(pems.begin(), pems.end());
  return absl::StrCat(RootsPem(), absl::StrJoin(pems, ""));
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
  MutexLock lock(mutex_);
  const Bundle& known = *view_->bundle;
  RETURN_IF_ERROR(CheckFollows(known, next, now));
  if (next.version == known.version) return absl::OkStatus();
  auto view = std::make_shared<TrustView>(*view_);
  ForgetRemoved(next, *view);
  view->bundle = std::make_shared<const Bundle>(std::move(next));
  view_ = std::move(view);
  return absl::OkStatus();
}

absl::Status TrustStore::AcceptDirectory(const v1::SignedDirectory& signed_directory) {
  const std::shared_ptr<const TrustView> old = View();
  const auto signer =
      CheckSigner(signed_directory.chain(), DirectoryUri(federation_), signed_directory.directory(),
                  kDirectoryPayload, *old->bundle, clock_.Now());
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
  status = CheckStillSigns(*view_->bundle, view_->directory_signer, signer->signer);
  if (!status.ok()) return Untrusted("directory", status);
  next->bundle = view_->bundle;
  next->directory_signer = signer->signer;
  next->status_signer = view_->status_signer;
  next->directory_version = directory.version();
  next->directory_chain.assign(signed_directory.chain().begin(), signed_directory.chain().end());
  next->status_version = view_->status_version;
  next->status_issued_at = view_->status_issued_at;
  next->suspended = view_->suspended;
  next->federations = view_->federations;
  next->federations_required = view_->federations_required;
  view_ = std::move(next);
  return absl::OkStatus();
}

absl::Status TrustStore::AcceptStatusList(const v1::SignedStatusList& signed_status_list) {
  const std::shared_ptr<const TrustView> old = View();
  const auto signer =
      CheckSigner(signed_status_list.chain(), StatusUri(federation_), signed_status_list.status_list(),
                  kStatusListPayload, *old->bundle, clock_.Now());
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
  status = CheckStillSigns(*view_->bundle, view_->status_signer, signer->signer);
  if (!status.ok()) return Untrusted("status list", status);
  auto next = std::make_shared<TrustView>(*view_);
  next->status_version = list.version();
  next->status_signer = signer->signer;
  next->status_issued_at = issued_at;
  next->suspended = {list.suspended().begin(), list.suspended().end()};
  next->federations_required = list.federation_trust_version();
  view_ = std::move(next);
  return absl::OkStatus();
}

absl::Status TrustStore::AcceptFederationTrust(const v1::SignedFederationTrust& signed_trust) {
  const std::shared_ptr<const TrustView> old = View();
  if (old->bundle->version == 0) {
    return absl::FailedPreconditionError("federation trust: needs the trust bundle, which is not known yet");
  }
  const absl::Time now = clock_.Now();
  absl::StatusOr<Federations> opened = OpenFederationTrust(signed_trust, federation_, *old->bundle, now);
  if (!opened.ok()) return Untrusted("federation trust", opened.status());
  auto next = std::make_shared<Federations>(*std::move(opened));
  KeepRosters(*old->federations, now, *next);

  MutexLock lock(mutex_);
  const Federations& known = *view_->federations;
  if (next->version < known.version) {
    return absl::AbortedError(absl::StrCat("federation trust version ", next->version, " is older than ",
                                           known.version, ", which is known"));
  }
  if (next->version == known.version) return absl::OkStatus();
  const absl::Status status = CheckStillSigns(*view_->bundle, known.signer, next->signer);
  if (!status.ok()) return Untrusted("federation trust", status);
  auto view = std::make_shared<TrustView>(*view_);
  view->federations = std::move(next);
  view_ = std::move(view);
  return absl::OkStatus();
}

absl::Status TrustStore::AcceptRoster(const v1::SignedRoster& signed_roster) {
  const std::shared_ptr<const Federations> old = View()->federations;
  v1::Roster named;
  absl::Status status = Decode(signed_roster.roster().payload(), "roster", named);
  if (!status.ok()) return Untrusted("roster", status);
  const auto trusted = old->by_name.find(named.federation());
  if (trusted == old->by_name.end() || trusted->second->revoked()) {
    return absl::FailedPreconditionError(
        absl::StrCat("roster: federation `", named.federation(), "` is not trusted here"));
  }
  absl::StatusOr<Roster> opened = OpenRoster(signed_roster, *trusted->second, clock_.Now());
  if (!opened.ok()) return Untrusted("roster", opened.status());

  MutexLock lock(mutex_);
  if (view_->federations->by_name.find(named.federation()) == view_->federations->by_name.end() ||
      view_->federations->version != old->version) {
    return absl::AbortedError("roster: which federations are trusted has changed meanwhile");
  }
  const TrustedFederation& known = *view_->federations->by_name.at(named.federation());
  if (known.roster != nullptr) {
    if (opened->version < known.roster->version) {
      return absl::AbortedError(absl::StrCat("roster version ", opened->version, " is older than ",
                                             known.roster->version, ", which is known"));
    }
    if (opened->version == known.roster->version) return absl::OkStatus();
    status = CheckStillSigns(*known.bundle, known.roster->signer, opened->signer);
    if (!status.ok()) return Untrusted("roster", status);
  }
  auto federation = std::make_shared<TrustedFederation>(known);
  federation->roster = std::make_shared<const Roster>(*std::move(opened));
  auto federations = std::make_shared<Federations>(*view_->federations);
  federations->by_name[named.federation()] = std::move(federation);
  auto view = std::make_shared<TrustView>(*view_);
  view->federations = std::move(federations);
  view_ = std::move(view);
  return absl::OkStatus();
}

absl::Duration TrustStore::StatusAge() const { return View()->StatusAge(clock_.Now()); }

absl::Duration TrustView::StatusAge(absl::Time now) const {
  if (status_version == 0) return absl::InfiniteDuration();
  return std::max(absl::ZeroDuration(), now - status_issued_at);
}

}  // namespace tsunagi::identity
