// Takes the log's checkpoint to the registrar, which cosigns it: the time that dates events. Blocking.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/audit/journal.h"
#include "identity/trust.h"
#include "services/process/registrar.h"

namespace tsunagi::process {

// Keeps the newest cosigned note in the journal's store under ops::CosignedKey(). Not thread-safe.
class Cosigner {
 public:
  // All must outlive this object.
  Cosigner(audit::Journal& journal, const identity::TrustStore& trust) : journal_(journal), trust_(trust) {}

  // Submits the newest checkpoint with its consistency proof when it covers more than the last cosigned one;
  // verifies the registrar's line before it keeps the note.
  absl::Status Run(Registrar& registrar);

 private:
  absl::StatusOr<uint64_t> CosignedSize() const;
  absl::StatusOr<std::string> Submit(Registrar& registrar, const std::string& note, uint64_t old_size,
                                     uint64_t new_size) const;
  absl::Status CheckCosigned(const std::string& note, const std::string& cosigned) const;
  absl::Status Keep(const std::string& cosigned);

  audit::Journal& journal_;
  const identity::TrustStore& trust_;
};

}  // namespace tsunagi::process
