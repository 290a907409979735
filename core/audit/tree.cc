#include "core/audit/tree.h"

#include <bit>
#include <utility>

#include "core/base/status_macros.h"

namespace tsunagi::audit {
namespace {

// The leaves [begin, begin + size) of a tree; begin is a multiple of bit_ceil(size).
struct Range {
  uint64_t begin = 0;
  uint64_t size = 0;

  bool IsPerfect() const { return std::has_single_bit(size); }
  uint64_t LeftSize() const { return std::bit_ceil(size) / 2; }
  Range Left() const { return {begin, LeftSize()}; }
  Range Right() const { return {begin + LeftSize(), size - LeftSize()}; }
  NodeId Node() const {
    const auto level = static_cast<uint64_t>(std::countr_zero(size));
    return {level, begin >> level};
  }
};

absl::StatusOr<Digest> HashOf(Range range, NodeReader node) {
  if (range.size == 0) return crypto::Sha256("");
  if (range.IsPerfect()) return node(range.Node());
  ASSIGN_OR_RETURN(const Digest left, node(range.Left().Node()));
  ASSIGN_OR_RETURN(const Digest right, HashOf(range.Right(), node));
  return NodeHash(left, right);
}

absl::Status AppendPath(uint64_t index, Range range, NodeReader node, std::vector<Digest>& path) {
  if (range.size < 2) return absl::OkStatus();
  const bool is_left = index < range.Right().begin;
  RETURN_IF_ERROR(AppendPath(index, is_left ? range.Left() : range.Right(), node, path));
  ASSIGN_OR_RETURN(Digest sibling, HashOf(is_left ? range.Right() : range.Left(), node));
  path.push_back(std::move(sibling));
  return absl::OkStatus();
}

// SUBPROOF of RFC 9162: `known` says that the verifier has the root of `range` when it is the whole old tree.
absl::Status AppendConsistency(uint64_t old_size, Range range, bool known, NodeReader node,
                               std::vector<Digest>& proof) {
  if (old_size == range.begin + range.size) {
    if (known) return absl::OkStatus();
    ASSIGN_OR_RETURN(Digest hash, HashOf(range, node));
    proof.push_back(std::move(hash));
    return absl::OkStatus();
  }
  const bool is_left = old_size <= range.Right().begin;
  RETURN_IF_ERROR(
      AppendConsistency(old_size, is_left ? range.Left() : range.Right(), known && is_left, node, proof));
  ASSIGN_OR_RETURN(Digest sibling, HashOf(is_left ? range.Right() : range.Left(), node));
  proof.push_back(std::move(sibling));
  return absl::OkStatus();
}

}  // namespace

std::vector<NodeId> Peaks(uint64_t size) {
  std::vector<NodeId> peaks;
  Range range{0, size};
  while (range.size != 0) {
    const Range peak{range.begin, std::bit_floor(range.size)};
    peaks.push_back(peak.Node());
    range = {range.begin + peak.size, range.size - peak.size};
  }
  return peaks;
}

absl::StatusOr<Digest> RootFrom(uint64_t size, NodeReader node) { return HashOf({0, size}, node); }

absl::StatusOr<std::vector<Digest>> PathFrom(uint64_t index, uint64_t size, NodeReader node) {
  std::vector<Digest> path;
  RETURN_IF_ERROR(AppendPath(index, {0, size}, node, path));
  return path;
}

absl::StatusOr<std::vector<Digest>> ConsistencyFrom(uint64_t old_size, uint64_t new_size, NodeReader node) {
  std::vector<Digest> proof;
  if (old_size == 0 || old_size == new_size) return proof;
  RETURN_IF_ERROR(AppendConsistency(old_size, {0, new_size}, true, node, proof));
  return proof;
}

GrowingTree::GrowingTree(uint64_t size, const std::vector<Digest>& peaks) : size_(size) {
  const std::vector<NodeId> ids = Peaks(size);
  levels_.resize(ids.empty() ? 0 : ids.front().level + 1);
  for (uint64_t level = 0; level < levels_.size(); ++level) levels_[level].first = size >> level;
  for (size_t i = 0; i < ids.size(); ++i) {
    levels_[ids[i].level] = {ids[i].index, {peaks[i]}};
  }
}

void GrowingTree::Append(Digest leaf_hash, absl::FunctionRef<void(NodeId, const Digest&)> made) {
  NodeId id{0, size_++};
  edge_.clear();
  Push(id, std::move(leaf_hash));
  while ((id.index & 1) != 0) {
    Digest parent = NodeHash(At({id.level, id.index - 1}), At(id));
    id = {id.level + 1, id.index >> 1};
    made(id, parent);
    Push(id, std::move(parent));
  }
}

void GrowingTree::Push(NodeId id, Digest hash) {
  if (id.level == levels_.size()) levels_.push_back({id.index, {}});
  levels_[id.level].nodes.push_back(std::move(hash));
}

const Digest& GrowingTree::At(NodeId id) const {
  const Level& level = levels_[id.level];
  return level.nodes[id.index - level.first];
}

// The hash of the leaves under each peak and all peaks to its right, from left to right: the root comes
// first.
const std::vector<Digest>& GrowingTree::Edge() const {
  if (!edge_.empty()) return edge_;
  const std::vector<NodeId> peaks = Peaks(size_);
  edge_.resize(peaks.size());
  for (size_t i = peaks.size(); i-- > 0;) {
    edge_[i] = i + 1 == peaks.size() ? At(peaks[i]) : NodeHash(At(peaks[i]), edge_[i + 1]);
  }
  return edge_;
}

Digest GrowingTree::Root() const { return size_ == 0 ? crypto::Sha256("") : Edge().front(); }

// INVARIANT: left siblings of new leaves are peaks or new, right ones are new: nothing can be missing.
std::vector<Digest> GrowingTree::Path(uint64_t index) const {
  const std::vector<NodeId> peaks = Peaks(size_);
  const std::vector<Digest>& edge = Edge();
  size_t peak = 0;
  while (index >> peaks[peak].level != peaks[peak].index) ++peak;
  std::vector<Digest> path;
  path.reserve(peaks[peak].level + peaks.size());
  for (uint64_t level = 0; level < peaks[peak].level; ++level)
    path.push_back(At({level, (index >> level) ^ 1}));
  if (peak + 1 < peaks.size()) path.push_back(edge[peak + 1]);
  while (peak-- > 0) path.push_back(At(peaks[peak]));
  return path;
}

void GrowingTree::Trim() {
  for (uint64_t level = 0; level < levels_.size(); ++level) {
    Level& kept = levels_[level];
    const bool has_peak = ((size_ >> level) & 1) != 0;
    Digest peak;
    if (has_peak) peak = std::move(kept.nodes.back());
    kept.nodes.clear();
    kept.first = (size_ >> level) - (has_peak ? 1 : 0);
    if (has_peak) kept.nodes.push_back(std::move(peak));
  }
}

}  // namespace tsunagi::audit
