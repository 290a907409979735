// A Merkle tree kept as its perfect subtrees: grown in memory, proven from nodes wherever they are.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "core/audit/merkle.h"

namespace tsunagi::audit {

// A perfect subtree: 2^level leaves, the `index`-th of its level from the left.
struct NodeId {
  uint64_t level = 0;
  uint64_t index = 0;
};

// Hash of a perfect subtree. Level 0 is a leaf hash.
using NodeReader = absl::FunctionRef<absl::StatusOr<Digest>(NodeId)>;

// The largest perfect subtrees that make up a tree of `size` leaves, left to right.
std::vector<NodeId> Peaks(uint64_t size);

// Root of the first `size` leaves; reads O(log size) nodes.
absl::StatusOr<Digest> RootFrom(uint64_t size, NodeReader node);
// Inclusion path of `index` in a tree of `size` > index leaves.
absl::StatusOr<std::vector<Digest>> PathFrom(uint64_t index, uint64_t size, NodeReader node);
// RFC 9162 section 2.1.4.1 for old_size ≤ new_size; empty when old_size is 0 or new_size.
absl::StatusOr<std::vector<Digest>> ConsistencyFrom(uint64_t old_size, uint64_t new_size, NodeReader node);

// The right edge of a growing tree: its peaks, and every node made since the last Trim. Not thread-safe.
class GrowingTree {
 public:
  GrowingTree() = default;
  // `peaks` are the hashes of Peaks(size).
  GrowingTree(uint64_t size, const std::vector<Digest>& peaks);

  // Appends a leaf; `made` is told of each node above it that this completes.
  void Append(Digest leaf_hash, absl::FunctionRef<void(NodeId, const Digest&)> made);
  uint64_t size() const { return size_; }
  Digest Root() const;
  // Inclusion path of a leaf appended since the last Trim, in the tree as it is now. The right edge is hashed
  // once for all paths of one size.
  std::vector<Digest> Path(uint64_t index) const;
  // Forgets all but the peaks.
  void Trim();

 private:
  // Consecutive nodes of one level.
  struct Level {
    uint64_t first = 0;
    std::vector<Digest> nodes;
  };
  const Digest& At(NodeId id) const;
  void Push(NodeId id, Digest hash);
  const std::vector<Digest>& Edge() const;

  uint64_t size_ = 0;
  mutable std::vector<Digest> edge_;  // computed when it is asked for; empty until then
  std::vector<Level> levels_;
};

}  // namespace tsunagi::audit
