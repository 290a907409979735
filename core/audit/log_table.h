// Where the log lies in the store (docs/formats/keys.md), and how to read it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/tree.h"
#include "core/store/store.h"

namespace tsunagi::audit {

inline constexpr size_t kSaltSize = 16;

// Table LOG: commitment of a leaf; hash of a perfect subtree from level 1 on, behind the leaf that completed
// it; mark of the erasures that were committed at `version` and whose scrub has not ended. A growing log only
// adds rows at its end, so that files of the store never overlap and are not rewritten.
std::string LeafKey(uint64_t index);
std::string NodeKey(NodeId id);
std::string PendingScrubPrefix();
std::string PendingScrubKey(uint64_t version);
// Table STATE: newest checkpoint.
std::string CheckpointKey();
// Table RECORDS: salt ‖ record. May be deleted: the leaf stays.
std::string RecordKey(uint64_t index);

// Commitment of a leaf, 32 bytes. NOT_FOUND beyond the log.
absl::StatusOr<std::string> ReadCommitment(const store::Store& store, uint64_t index);

// Hash of a perfect subtree; DATA_LOSS when it is missing or has another size.
absl::StatusOr<Digest> ReadNode(const store::Store& store, NodeId id);

// Salt and record of a leaf; both empty when they were erased. DATA_LOSS when too short.
struct StoredRecord {
  std::string salt;
  std::string record;
};
absl::StatusOr<StoredRecord> ReadRecord(const store::Store& store, uint64_t index);

// The edge of the stored tree of `size` leaves. DATA_LOSS when its root is not `root`, or leaves lie beyond
// it.
absl::StatusOr<GrowingTree> ReadTree(const store::Store& store, uint64_t size, absl::string_view root);

}  // namespace tsunagi::audit
