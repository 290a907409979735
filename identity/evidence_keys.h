// The directory as passport/model needs it to verify evidence.
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "identity/trust.h"
#include "passport/model/verify.h"

namespace tsunagi::identity {

// Look-ups in one view of the directory; they keep the view alive. `now` is for signatures that are not dated
// yet.
passport::DirectoryKeys EvidenceKeys(std::shared_ptr<const TrustView> view, std::string federation,
                                     absl::Time now);

// Time of the earliest valid cosignature of the registrar on the note. NOT_FOUND when the directory lists no
// registrar or no log key of it cosigned the note; DATA_LOSS when a cosignature is wrong.
absl::StatusOr<absl::Time> CosignedAt(const TrustView& view, absl::string_view federation,
                                      absl::string_view note);

}  // namespace tsunagi::identity
