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

  // Submits the newest checkpoint with its consistency proof when it covers more than the last cosigned one,
  // or when the registrar has not answered yet since this object was made: a store that was restored has
  // both older. Verifies the registrar's line before it keeps the note. When the registrar has cosigned
  // another or a longer log, the journal refuses writes from then on.
  absl::Status Run(Registrar& registrar);

  // How many leaves the kept note covers; 0 when there is none. Thread-safe.
  absl::StatusOr<uint64_t> CosignedSize() const;

 private:
  absl::StatusOr<std::string> Submit(Registrar& registrar, const std::string& note, uint64_t old_size,
                                     uint64_t new_size) const;
  absl::Status CheckCosigned(const std::string& note, const std::string& cosigned) const;
  absl::Status Keep(const std::string& cosigned);
  void StopIfAnotherLog(const absl::Status& refusal);

  audit::Journal& journal_;
  const identity::TrustStore& trust_;
  bool compared_ = false;  // the registrar has cosigned since this object was made
};

}  // namespace tsunagi::process
