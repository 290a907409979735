#include "core/audit/log_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/store/key.h"

namespace tsunagi::audit {

using store::Key;
using store::Store;
using store::Table;

// Levels that a tree can have: places behind each leaf.
constexpr uint64_t kLevels = 64;

std::string NodeKey(NodeId id) {
  const uint64_t last_leaf = ((id.index + 1) << id.level) - 1;
  return Key("node").U64(last_leaf * kLevels + id.level);
}
std::string LeafKey(uint64_t index) { return NodeKey({0, index}); }
std::string CheckpointKey() { return Key("checkpoint"); }
std::string PendingScrubPrefix() { return Key("pending-scrub"); }
std::string PendingScrubKey(uint64_t version) { return Key("pending-scrub").U64(version); }
std::string RecordKey(uint64_t index) { return Key("record").U64(index); }

absl::StatusOr<std::string> ReadCommitment(const Store& store, uint64_t index) {
  ASSIGN_OR_RETURN(std::string commitment, store.Get(Table::kLog, LeafKey(index)));
  if (commitment.size() != crypto::kDigestSize) {
    return absl::DataLossError(absl::StrCat("log: commitment of leaf ", index, " is not 32 bytes long"));
  }
  return commitment;
}

absl::StatusOr<Digest> ReadNode(const Store& store, NodeId id) {
  absl::StatusOr<std::string> stored =
      id.level == 0 ? ReadCommitment(store, id.index) : store.Get(Table::kLog, NodeKey(id));
  if (absl::IsNotFound(stored.status()) || (stored.ok() && stored->size() != crypto::kDigestSize)) {
    return absl::DataLossError(absl::StrCat("log: node ", id.index, " of level ", id.level,
                                            " is missing or damaged: restore a backup"));
  }
  if (!stored.ok() || id.level != 0) return stored;
  return LeafHash(*stored);
}

absl::StatusOr<StoredRecord> ReadRecord(const Store& store, uint64_t index) {
  absl::StatusOr<std::string> stored = store.Get(Table::kRecords, RecordKey(index));
  if (absl::IsNotFound(stored.status())) return StoredRecord{};
  RETURN_IF_ERROR(stored.status());
  if (stored->size() < kSaltSize) {
    return absl::DataLossError(absl::StrCat("log: record of leaf ", index, " is damaged"));
  }
  return StoredRecord{stored->substr(0, kSaltSize), stored->substr(kSaltSize)};
}

namespace {

absl::Status CheckNothingBeyond(const Store& store, uint64_t size) {
  bool beyond = false;
  RETURN_IF_ERROR(
      store.Scan(Table::kLog, Key("node").bytes(), LeafKey(size), [&](absl::string_view, absl::string_view) {
        beyond = true;
        return false;
      }));
  if (!beyond) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("log: leaves lie beyond the ", size, " of the stored checkpoint: restore a backup"));
}

}  // namespace

absl::StatusOr<GrowingTree> ReadTree(const Store& store, uint64_t size, absl::string_view root) {
  std::vector<Digest> peaks;
  for (const NodeId id : Peaks(size)) {
    ASSIGN_OR_RETURN(Digest peak, ReadNode(store, id));
    peaks.push_back(std::move(peak));
  }
  GrowingTree tree(size, peaks);
  if (tree.Root() != root) {
    return absl::DataLossError(absl::StrCat("log: the stored tree of ", size,
                                            " leaves does not have the checkpoint's root: restore a backup"));
  }
  if (size != 0) RETURN_IF_ERROR(ReadCommitment(store, size - 1).status());
  RETURN_IF_ERROR(CheckNothingBeyond(store, size));
  return tree;
}

}  // namespace tsunagi::audit
