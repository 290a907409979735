// Trust bundle, directory and status list: kept on disk for the registrar's outages, and the lists passed on
// to others. Blocking, but for Lists.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/mutex.h"
#include "identity/trust.h"
#include "services/process/registrar.h"
#include "tsunagi/identity/v1/federation_trust_service.pb.h"
#include "tsunagi/identity/v1/trust_service.pb.h"

namespace tsunagi::process {

// Keeps <data_dir>/trust-bundle, <data_dir>/directory, <data_dir>/status and <data_dir>/federation-trust
// (with rosters), and the roots that TLS accepts in <data_dir>/root.crt and, of who calls,
// <data_dir>/client-roots.crt. Thread-safe. Nobody waits for another one's network: what is here is taken
// over.
class TrustKeeper {
 public:
  // `trust` must outlive this object; nobody else gives it lists.
  TrustKeeper(std::string data_dir, identity::TrustStore& trust)
      : data_dir_(std::move(data_dir)), trust_(trust) {}

  // Takes over what is kept and verifies. What is missing or wrong is left out and logged.
  void Load();

  // Fetches bundle and lists, takes them over and keeps them. The first error; the others are tried all the
  // same, unless the registrar did not answer at all.
  absl::Status Refresh(Registrar& registrar);

  // Fetches the bundle alone, from the registrar's edge, whose certificate need not be believed: for a
  // process that was away while roots were rolled. True when it was news.
  absl::StatusOr<bool> RefreshFromEdge(absl::string_view est_url);

  // Takes a list over and keeps it, whoever handed it on. Errors are those of TrustStore: ABORTED when a
  // newer one is known.
  absl::Status TakeDirectory(const identity::v1::SignedDirectory& directory);
  absl::Status TakeStatusList(const identity::v1::SignedStatusList& status_list);
  // The same for a bundle; an empty one is the one that is known. True when it was news.
  absl::StatusOr<bool> TakeBundle(const identity::v1::SignedTrustBundle& bundle);

  // Takes the federations that are trusted and their rosters over, and keeps them. The first error; the
  // others are tried all the same.
  absl::Status TakeFederationTrust(const identity::v1::GetFederationTrustResponse& trust);

  // What this process believes, as far as it is newer than what the caller has.
  identity::v1::GetTrustListsResponse Lists(const identity::v1::GetTrustListsRequest& request) const;

 private:
  // A list as the registrar signed it.
  template <class List>
  struct Kept {
    uint64_t version = 0;
    std::shared_ptr<const List> list;
  };

  // Whether it is newer than what was known.
  absl::Status RefreshFederations(Registrar& registrar);
  absl::Status AcceptFederations(const identity::v1::GetFederationTrustResponse& trust)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(taking_);
  absl::Status KeepFederations() ABSL_EXCLUSIVE_LOCKS_REQUIRED(taking_);
  absl::Status KeepRoots() ABSL_EXCLUSIVE_LOCKS_REQUIRED(taking_);
  absl::StatusOr<bool> AcceptDirectory(const identity::v1::SignedDirectory& directory)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(taking_);
  absl::StatusOr<bool> AcceptStatusList(const identity::v1::SignedStatusList& status_list)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(taking_);

  const std::string data_dir_;
  identity::TrustStore& trust_;
  Mutex taking_;  // orders the files like the versions
  std::string roots_pem_ ABSL_GUARDED_BY(taking_);
  std::string client_roots_pem_ ABSL_GUARDED_BY(taking_);
  mutable Mutex mutex_;
  Kept<identity::v1::SignedDirectory> directory_ ABSL_GUARDED_BY(mutex_);
  Kept<identity::v1::SignedStatusList> status_list_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::process
