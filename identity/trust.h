// What a process believes about the federation: the trust bundle, and the signed directory and status list
// verified against its roots.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/crypto/certificate.h"
#include "core/crypto/key.h"
#include "identity/bundle.h"
#include "identity/federations.h"
#include "identity/list_signer.h"
#include "identity/mandates.h"
#include "tsunagi/identity/v1/directory.pb.h"

namespace tsunagi::identity {

inline constexpr absl::string_view kParticipantPayload = "tsunagi/participant/v1";
inline constexpr absl::string_view kDirectoryPayload = "tsunagi/directory/v1";
inline constexpr absl::string_view kStatusListPayload = "tsunagi/status-list/v1";

// A participant as listed, with the signed entry that says so.
struct Party {
  v1::Participant participant;
  common::v1::SignedEnvelope signed_entry;
  // Those of the entry that count (BelieveMandates), in the order in which they were filed.
  std::vector<CheckedMandate> mandates;

  // The key with this id and purpose, whenever it was or is valid. NOT_FOUND otherwise.
  absl::StatusOr<crypto::PublicKey> FindKey(absl::string_view key_id, v1::KeyPurpose purpose) const;
  // OK when the signing key counts at `at` (valid_from ≤ at < valid_until).
  absl::Status KeyCountsAt(absl::string_view key_id, absl::Time at) const;
};

// One consistent view. Immutable.
struct TrustView {
  uint64_t directory_version = 0;
  uint64_t status_version = 0;
  absl::Time status_issued_at = absl::InfinitePast();
  std::vector<std::string> directory_chain;  // DER, leaf first, without root
  std::shared_ptr<const Bundle> bundle;
  absl::flat_hash_map<std::string, std::shared_ptr<const Party>> by_did;
  absl::flat_hash_map<std::string, std::shared_ptr<const Party>> by_label;
  absl::flat_hash_set<std::string> suspended;  // DIDs

  // Never null.
  std::shared_ptr<const Federations> federations = std::make_shared<const Federations>();
  // The version of `federations` that counts, as the status list says.
  uint64_t federations_required = 0;

  ListSigner directory_signer;
  ListSigner status_signer;

  // NOT_FOUND naming the DID (or label) when no such participant is listed.
  absl::StatusOr<std::shared_ptr<const Party>> Find(absl::string_view did_or_label) const;
  // DIDs of who took over from this participant once it had left, in that order; none while it is there.
  std::vector<std::string> SuccessorsOf(std::string did) const;
  // How old the status list is at `now`; infinite while there is none.
  absl::Duration StatusAge(absl::Time now) const;
  // Also whoever's DID is another federation's, and who may not act for it here now.
  bool IsSuspended(absl::string_view did) const;
  // A federation that is trusted. PERMISSION_DENIED when it is not, or no longer; UNAVAILABLE while the
  // newest list is not known here.
  absl::StatusOr<std::shared_ptr<const TrustedFederation>> FindFederation(absl::string_view name) const;
};

// Holds the newest view. Thread-safe; View() never blocks on verification.
class TrustStore {
 public:
  // Starts from the pinned root alone (bundle version 0) and the name of the federation.
  TrustStore(const crypto::Certificate& root, std::string federation, const Clock& clock);

  std::shared_ptr<const TrustView> View() const;

  // Takes a trust bundle over: signed by a root that counts now and that it does not remove, its form (see
  // OpenBundle), a root that counts in it, nothing that was removed back again, version not lower. What is
  // known under a root that it removes is forgotten. UNAUTHENTICATED when a check fails (the old view stays);
  // ABORTED on a lower version. The version that is already there is OK and changes nothing.
  absl::Status AcceptBundle(const v1::SignedTrustBundle& signed_bundle);
  // The same for the bundle that this process kept when it accepted it: signed by a root of its own.
  absl::Status RestoreBundle(const v1::SignedTrustBundle& signed_bundle);

  // Takes a directory over: one certificate that a root which counts now issued to the directory key, not
  // older than the last signer's, signature, federation, every entry's signature and form, no DID, label or
  // key twice, version not lower. UNAUTHENTICATED when a check fails (the old view stays); ABORTED on a lower
  // version. The version that is already there is OK and changes nothing.
  absl::Status AcceptDirectory(const v1::SignedDirectory& signed_directory);
  // The same for the status list, which may not be issued in the future beyond the tolerated clock skew.
  absl::Status AcceptStatusList(const v1::SignedStatusList& signed_status_list);

  // The same for the federations that are trusted. Rosters that are known stay when the bundle still vouches
  // for them. FAILED_PRECONDITION before the first trust bundle: until then TLS alone judges certificates.
  absl::Status AcceptFederationTrust(const v1::SignedFederationTrust& signed_trust);
  // The same for the roster of a federation that is trusted (FAILED_PRECONDITION when it is not).
  absl::Status AcceptRoster(const v1::SignedRoster& signed_roster);

  // How old the status list is by the local clock; infinite when there is none.
  absl::Duration StatusAge() const;

  // The roots that count now, for TLS: PEM, one block after the other.
  std::string RootsPem() const;
  // The same with those of the federations that are trusted: for who calls this process.
  std::string ClientRootsPem() const;
  const std::string& federation() const { return federation_; }

 private:
  absl::Status TakeBundle(const v1::SignedTrustBundle& signed_bundle, const Bundle& believed);

  const std::string federation_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::shared_ptr<const TrustView> view_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::identity
