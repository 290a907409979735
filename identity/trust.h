// What a process believes about the federation: the signed directory and status list, verified against the root.
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
#include "tsunagi/identity/v1/directory.pb.h"

namespace tsunagi::identity {

namespace v1 = ::tsunagi::identity::v1;

// A participant as listed, with the signed entry that says so.
struct Party {
  v1::Participant participant;
  common::v1::SignedEnvelope signed_entry;

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
  absl::flat_hash_map<std::string, std::shared_ptr<const Party>> by_did;
  absl::flat_hash_map<std::string, std::shared_ptr<const Party>> by_label;
  absl::flat_hash_set<std::string> suspended;  // DIDs

  // NOT_FOUND naming the DID (or label) when no such participant is listed.
  absl::StatusOr<std::shared_ptr<const Party>> Find(absl::string_view did_or_label) const;
  // Holders of the namespace that the identifier falls into; see catalog/routing.h for the rules.
  bool IsSuspended(absl::string_view did) const { return suspended.contains(std::string(did)); }
};

// Holds the newest view. Thread-safe; View() never blocks on verification.
class TrustStore {
 public:
  // `root` is the federation's root certificate; `federation` its name.
  TrustStore(crypto::Certificate root, std::string federation, const Clock& clock);

  std::shared_ptr<const TrustView> View() const;

  // Takes a directory over: chain to the root, signature, federation, every entry's signature, version not lower.
  // UNAUTHENTICATED when a check fails (the old view stays); ABORTED on a lower version.
  absl::Status AcceptDirectory(const v1::SignedDirectory& signed_directory);
  absl::Status AcceptStatusList(const v1::SignedStatusList& signed_status_list);

  // How old the status list is by the local clock.
  absl::Duration StatusAge() const;

  const crypto::Certificate& root() const { return root_; }
  const std::string& federation() const { return federation_; }

 private:
  const crypto::Certificate root_;
  const std::string federation_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::shared_ptr<const TrustView> view_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::identity
