// The signed directory and status list as the registrar hands them out.
#pragma once

#include <functional>
#include <memory>

#include "core/base/mutex.h"
#include "identity/act.h"
#include "identity/context.h"
#include "identity/signed_cache.h"
#include "identity/trust.h"
#include "tsunagi/identity/v1/directory.pb.h"
#include "tsunagi/identity/v1/federation_trust.pb.h"

namespace tsunagi::identity {

// Signs on demand. Every list that it hands out stands in the log, and is in the registrar's own trust view
// before anyone else has it. Thread-safe.
class SignedLists {
 public:
  using Directory = std::shared_ptr<const v1::SignedDirectory>;
  using StatusList = std::shared_ptr<const v1::SignedStatusList>;
  using FederationTrust = std::shared_ptr<const v1::SignedFederationTrust>;
  using Roster = std::shared_ptr<const v1::SignedRoster>;

  // A status list, or a roster, is signed anew when it is older.
  static constexpr absl::Duration kStatusFresh = absl::Seconds(5);

  // `trust` is the registrar's own view.
  SignedLists(const RegistrarContext& context, TrustStore& trust);

  // The directory as of now: no older than any change that was acknowledged before the call.
  void GetDirectory(Done<Directory> done);
  // The status list as of now, at most kStatusFresh old.
  void GetStatusList(Done<StatusList> done);

  // The federations that are trusted, as of now; null while none ever was.
  void GetFederationTrust(Done<FederationTrust> done);
  // Who may act for this federation, for those that trust it: at most kStatusFresh old.
  void GetRoster(Done<Roster> done);
  // For a registrar that may write nothing: gives its own view the lists that it lacks, as the store has
  // them. They are handed out to nobody.
  absl::Status ShowToItself();

  // The newest status list that was signed; without a value before the first.
  Issued<v1::SignedStatusList> NewestStatusList() const { return status_list_.Newest(); }
  // Calls `changed` whenever a status list was signed that says something else than the one before, from any
  // thread; it must not block. The last one given counts: an empty one ends the calls, and none is under way
  // when this returns.
  void OnStatusChange(std::function<void()> changed);

 private:
  absl::StatusOr<Decision<Issued<v1::SignedDirectory>>> SignDirectory() const;
  absl::StatusOr<Decision<Issued<v1::SignedStatusList>>> SignStatusList() const;
  absl::StatusOr<Decision<Issued<v1::SignedFederationTrust>>> SignFederationTrust() const;
  absl::StatusOr<Decision<Issued<v1::SignedRoster>>> SignRoster() const;
  // How a list is made: signed and recorded by `sign`, then given to the registrar's own view by `accept`.
  template <class Signed>
  typename SignedCache<Signed>::Make Making(absl::StatusOr<Decision<Issued<Signed>>> (SignedLists::*sign)()
                                                const,
                                            std::function<absl::Status(const Signed&)> accept);
  void TellChange();

  const RegistrarContext& context_;
  TrustStore& trust_;
  SignedCache<v1::SignedDirectory> directory_;
  SignedCache<v1::SignedStatusList> status_list_;
  SignedCache<v1::SignedFederationTrust> federation_trust_;
  SignedCache<v1::SignedRoster> roster_;
  Mutex mutex_;
  std::function<void()> changed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::identity
