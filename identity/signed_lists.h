// The signed directory and status list as the registrar hands them out.
#pragma once

#include <memory>

#include "identity/act.h"
#include "identity/context.h"
#include "identity/signed_cache.h"
#include "identity/trust.h"
#include "tsunagi/identity/v1/directory.pb.h"

namespace tsunagi::identity {

// Signs on demand. Every list that it hands out stands in the log, and is in the registrar's own trust view
// before anyone else has it. Thread-safe.
class SignedLists {
 public:
  using Directory = std::shared_ptr<const v1::SignedDirectory>;
  using StatusList = std::shared_ptr<const v1::SignedStatusList>;

  // A status list is signed anew when it is older.
  static constexpr absl::Duration kStatusFresh = absl::Seconds(5);

  // `trust` is the registrar's own view.
  SignedLists(const RegistrarContext& context, TrustStore& trust);

  // The directory as of now: no older than any change that was acknowledged before the call.
  void GetDirectory(Done<Directory> done);
  // The status list as of now, at most kStatusFresh old.
  void GetStatusList(Done<StatusList> done);

 private:
  absl::StatusOr<Decision<Issued<v1::SignedDirectory>>> SignDirectory() const;
  absl::StatusOr<Decision<Issued<v1::SignedStatusList>>> SignStatusList() const;

  const RegistrarContext& context_;
  TrustStore& trust_;
  SignedCache<v1::SignedDirectory> directory_;
  SignedCache<v1::SignedStatusList> status_list_;
};

}  // namespace tsunagi::identity
