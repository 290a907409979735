// The registrar's own log as this process has seen it: nobody cosigns it, so every process watches it.
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/checkpoint.h"
#include "core/base/mutex.h"
#include "identity/trust.h"
#include "services/process/registrar.h"

namespace tsunagi::process {

// Keeps the newest checkpoint as <data_dir>/registrar-checkpoint, and the last one of each epoch that ended
// as <data_dir>/registrar-checkpoint-<epoch>. Thread-safe.
class RegistrarLog {
 public:
  // `trust` must outlive this object.
  RegistrarLog(std::string data_dir, const identity::TrustStore& trust);

  // Fetches the newest checkpoint, compares it with the one that is kept, and keeps it when it goes on from
  // there. A later epoch of the log goes on when its first leaf names the epoch before. Blocks.
  //   DATA_LOSS  the registrar shows another history, or fewer leaves, than before; what is kept stays
  absl::Status Look(Registrar& registrar);

  // The newest that was compared (signed note); empty before the first.
  std::string Newest() const;
  // What is wrong with the registrar's log, for health; empty when nothing is.
  std::string Alarm() const;

 private:
  absl::StatusOr<crypto::PublicKey> Key() const;
  absl::StatusOr<audit::Checkpoint> Open(absl::string_view note) const;
  absl::Status CheckFollows(const std::string& known, const ops::v1::GetCheckpointResponse& response,
                            const audit::Checkpoint& next);
  absl::Status CheckNewEpoch(const audit::Checkpoint& before, const ops::v1::GetCheckpointResponse& response,
                             const audit::Checkpoint& next);
  absl::Status Keep(const std::string& note);

  const std::string path_;
  const identity::TrustStore& trust_;
  const std::string log_;  // origin of its first epoch
  Mutex looking_;          // one at a time
  mutable Mutex mutex_;
  std::string newest_ ABSL_GUARDED_BY(mutex_);
  std::string alarm_ ABSL_GUARDED_BY(mutex_);
  std::string lost_ ABSL_GUARDED_BY(mutex_);  // what a new epoch left out, until a restart
};

}  // namespace tsunagi::process
