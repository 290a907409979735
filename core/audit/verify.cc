#include "core/audit/verify.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/log_table.h"
#include "core/base/status_macros.h"

namespace tsunagi::audit {

absl::Status LogVerifier::Add(const Journal::Leaf& leaf) {
  if (leaf.index != tree_.size()) {
    return absl::DataLossError(
        absl::StrCat("log: leaf ", leaf.index, " came where leaf ", tree_.size(), " was expected"));
  }
  if (leaf.commitment.size() != crypto::kDigestSize) {
    return absl::DataLossError(absl::StrCat("log: commitment of leaf ", leaf.index, " is not 32 bytes long"));
  }
  if (leaf.salt.empty() && leaf.record.empty()) {
    ++erased_;
  } else if (leaf.salt.size() != kSaltSize || Commitment(leaf.salt, leaf.record) != leaf.commitment) {
    return absl::DataLossError(
        absl::StrCat("log: record of leaf ", leaf.index, " does not match its commitment"));
  }
  tree_.Append(LeafHash(leaf.commitment), [](NodeId, const Digest&) {});
  tree_.Trim();
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> LogVerifier::Finish(absl::string_view note, absl::string_view origin,
                                               const crypto::PublicKey& log_key) const {
  ASSIGN_OR_RETURN(Checkpoint checkpoint, OpenCheckpoint(note, origin, log_key));
  if (checkpoint.size != tree_.size()) {
    return absl::DataLossError(
        absl::StrCat("log: has ", tree_.size(), " leaves where the checkpoint states ", checkpoint.size));
  }
  if (checkpoint.root != tree_.Root()) {
    return absl::DataLossError(
        absl::StrCat("log: root of ", checkpoint.size, " leaves is not the checkpoint's"));
  }
  return checkpoint;
}

absl::StatusOr<Checkpoint> VerifyWholeLog(const Journal& journal) {
  constexpr uint64_t kPage = 1000;
  const std::string note = journal.LatestCheckpoint();
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, OpenCheckpoint(note, journal.origin(), journal.log_key()));
  LogVerifier verifier;
  while (verifier.size() < checkpoint.size) {
    const uint64_t limit = std::min(kPage, checkpoint.size - verifier.size());
    ASSIGN_OR_RETURN(const std::vector<Journal::Leaf> leaves, journal.Leaves(verifier.size(), limit));
    if (leaves.empty()) break;
    for (const Journal::Leaf& leaf : leaves) RETURN_IF_ERROR(verifier.Add(leaf));
  }
  return verifier.Finish(note, journal.origin(), journal.log_key());
}

}  // namespace tsunagi::audit
