// The operator's act after a restore: a registrar goes on from what its members hold (ADR 0017).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "tsunagi/audit/v1/record.pb.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::identity {

struct ResumeOptions {
  std::string reason;  // for the record
  // Goes on although fewer members answered than are enough: what they hold above the store is not known.
  bool without_members = false;
};

// With the registrar stopped: asks the members once more, makes the next store beside the one that was
// restored, which stays as <data_dir>/store-epoch-<n>, and begins the next epoch of the log in it. What its
// first leaf says. Blocks.
//   INVALID_ARGUMENT     no reason
//   FAILED_PRECONDITION  the registrar runs; too few members answered; nobody holds anything newer
absl::StatusOr<audit::v1::EpochRecord> ResumeAfterRestore(const internal::v1::RegistrarConfig& config,
                                                          const ResumeOptions& options, const Clock& clock);

// Ends what a crash of ResumeAfterRestore left behind: a next store that is whole takes the place of the one
// before, one that is not is removed. At every start, before the store is opened.
absl::Status FinishResume(const std::string& data_dir);

}  // namespace tsunagi::identity
