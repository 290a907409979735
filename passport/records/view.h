// The passport as its owner sees it.
#pragma once

#include "absl/status/statusor.h"
#include "core/base/caller.h"
#include "passport/records/context.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::passport {

// The fold of this participant's own events, erased parts marked. By serial (the manufacturer may be left out
// when only one has that serial here) or by vehicle (the battery that is mounted on it, or was last).
//   NOT_FOUND            nothing is known here about it
//   FAILED_PRECONDITION  several manufacturers have this serial, or several batteries are mounted: name one
absl::StatusOr<v1::GetPassportResponse> GetPassport(const RecordContext& context,
                                                    const common::v1::Subject& subject);

// GetPassport for a caller: one that acts under a mandate gets it once a ViewRecord leaf says that it saw the
// battery. Then it blocks.
absl::StatusOr<v1::GetPassportResponse> ShowPassport(const RecordContext& context, const Caller& caller,
                                                     const common::v1::Subject& subject);

}  // namespace tsunagi::passport
