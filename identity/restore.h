// A registrar whose store was restored from an older copy: what it held, and how it goes on (ADR 0017).
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/store/store.h"
#include "identity/context.h"
#include "identity/trust.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::identity {

// How far versions go above the highest that was seen: for members that did not answer, about two months of
// status lists.
inline constexpr uint64_t kVersionsAbove = 1'000'000;

// Versions of what a registrar's store says; 0 before the first.
struct ListVersions {
  uint64_t status = 0;
  uint64_t directory = 0;
  uint64_t bundle = 0;
  uint64_t federation_trust = 0;
};
absl::StatusOr<ListVersions> LoadVersions(const store::Store& store);

// Which epoch of the registrar's log the store is in; 1 unless it says another.
absl::StatusOr<uint64_t> LoadEpoch(const store::Store& store);

// The origin of the registrar's log in this epoch.
std::string RegistrarOrigin(absl::string_view federation, uint64_t epoch);

// Copies what a next store takes over: tables STATE and PERSON, without what may have been used or ended
// since the copy (invitations, proposals, sessions) and what is about the old log (its checkpoint and time
// stamps). `next` is empty. Blocks.
absl::Status CopyKept(const store::Store& store, store::Store& next);

// Begins the log of `next`, whose journal is in the next epoch and whose store is what CopyKept made: the
// first leaf is `record`, completed by what the lists say. `seen` is what members hold that is newer than the
// store, verified: its entries are taken over, whoever stands in its status list or is suspended or gone in
// its directory is suspended, and all versions go kVersionsAbove the highest. When the list of trusted
// federations has changed since, none of them is trusted any more. Keys of directory, status list and tokens
// that another one has replaced since are replaced too. Blocks.
//   FAILED_PRECONDITION  the trust bundle is newer and names CAs whose key files are not there
absl::StatusOr<audit::v1::EpochRecord> TakeOver(const RegistrarContext& next, const TrustView& seen,
                                                audit::v1::EpochRecord record);

}  // namespace tsunagi::identity
