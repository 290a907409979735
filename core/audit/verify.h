// fsck of a log: recomputes every leaf and the root, and compares with a signed checkpoint.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/checkpoint.h"
#include "core/audit/journal.h"
#include "core/audit/tree.h"

namespace tsunagi::audit {

// Takes the leaves of a log one by one, wherever they come from. Memory grows with the logarithm of the log.
// Fetch the checkpoint first, then add the leaves below its size. Not thread-safe.
class LogVerifier {
 public:
  // The next leaf. DATA_LOSS naming the index when it is not the next one, or record and salt do not give the
  // commitment. A leaf without record and salt (erased or withheld) counts by its commitment.
  absl::Status Add(const Journal::Leaf& leaf);

  // OK when what was added is exactly what the note states. DATA_LOSS otherwise.
  absl::StatusOr<Checkpoint> Finish(absl::string_view note, absl::string_view origin,
                                    const crypto::PublicKey& log_key) const;

  uint64_t size() const { return tree_.size(); }
  // Leaves without record.
  uint64_t erased() const { return erased_; }

 private:
  GrowingTree tree_;
  uint64_t erased_ = 0;
};

// Runs a LogVerifier over an open journal up to its latest checkpoint, which is returned.
absl::StatusOr<Checkpoint> VerifyWholeLog(const Journal& journal);

}  // namespace tsunagi::audit
