#include "core/audit/tree.h"

#include <map>
#include <utility>
#include <vector>

#include "core/audit/reference_tree_for_test.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::audit {
namespace {

using ::testing::IsEmpty;
using ::tsunagi::testing::IsOkAndHolds;
using ::tsunagi::testing::StatusIs;

constexpr uint64_t kLargest = 64;

// Nodes as a store would hold them.
class StoredNodes {
 public:
  explicit StoredNodes(uint64_t size) {
    GrowingTree tree;
    for (const Digest& hash : reference::Hashes(size)) {
      nodes_[{0, tree.size()}] = hash;
      tree.Append(hash, [&](NodeId id, const Digest& node) { nodes_[{id.level, id.index}] = node; });
    }
  }
  absl::StatusOr<Digest> operator()(NodeId id) const {
    const auto found = nodes_.find({id.level, id.index});
    if (found == nodes_.end()) return absl::NotFoundError("not a perfect subtree of the tree");
    return found->second;
  }

 private:
  std::map<std::pair<uint64_t, uint64_t>, Digest> nodes_;
};

TEST(TreeTest, FindsRootsPathsAndProofsOfEverySizeFromStoredNodes) {
  const StoredNodes nodes(kLargest);
  for (uint64_t size = 0; size <= kLargest; ++size) {
    const std::vector<Digest> hashes = reference::Hashes(size);
    EXPECT_THAT(RootFrom(size, nodes), IsOkAndHolds(reference::Root(hashes)));
    for (uint64_t i = 0; i < size; ++i)
      EXPECT_THAT(PathFrom(i, size, nodes), IsOkAndHolds(reference::Path(i, hashes)));
    for (uint64_t old_size = 0; old_size <= size; ++old_size) {
      EXPECT_THAT(ConsistencyFrom(old_size, size, nodes),
                  IsOkAndHolds(reference::Consistency(old_size, hashes)))
          << old_size << " to " << size;
    }
  }
}

TEST(TreeTest, PassesOnThatANodeIsMissing) {
  const StoredNodes nodes(3);

  EXPECT_THAT(RootFrom(4, nodes), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(PathFrom(0, 4, nodes), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ConsistencyFrom(1, 4, nodes), StatusIs(absl::StatusCode::kNotFound));
}

TEST(TreeTest, HasAPeakPerOneBit) {
  EXPECT_THAT(Peaks(0), IsEmpty());
  const std::vector<NodeId> peaks = Peaks(0b10110);
  ASSERT_EQ(peaks.size(), 3u);
  EXPECT_EQ(std::make_pair(peaks[0].level, peaks[0].index), std::make_pair(uint64_t{4}, uint64_t{0}));
  EXPECT_EQ(std::make_pair(peaks[1].level, peaks[1].index), std::make_pair(uint64_t{2}, uint64_t{4}));
  EXPECT_EQ(std::make_pair(peaks[2].level, peaks[2].index), std::make_pair(uint64_t{1}, uint64_t{10}));
}

// A group of leaves appended to a tree of which only the peaks are known.
TEST(GrowingTreeTest, ProvesEveryNewLeafFromItsEdge) {
  const StoredNodes nodes(kLargest);
  for (uint64_t end = 1; end <= kLargest; ++end) {
    const std::vector<Digest> hashes = reference::Hashes(end);
    std::vector<std::vector<Digest>> paths;
    for (uint64_t i = 0; i < end; ++i) paths.push_back(reference::Path(i, hashes));
    for (uint64_t start = 0; start < end; ++start) {
      std::vector<Digest> peaks;
      for (const NodeId id : Peaks(start)) peaks.push_back(nodes(id).value());
      GrowingTree tree(start, peaks);
      for (uint64_t i = start; i < end; ++i) tree.Append(hashes[i], [](NodeId, const Digest&) {});

      ASSERT_EQ(tree.Root(), RootOf(hashes)) << start << " to " << end;
      for (uint64_t i = start; i < end; ++i)
        ASSERT_EQ(tree.Path(i), paths[i]) << i << " of " << start << " to " << end;
    }
  }
}

TEST(GrowingTreeTest, GoesOnAfterATrim) {
  for (uint64_t group = 1; group <= 17; ++group) {
    GrowingTree tree;
    while (tree.size() < 100) {
      const uint64_t start = tree.size();
      const std::vector<Digest> hashes = reference::Hashes(start + group);
      for (uint64_t i = start; i < hashes.size(); ++i) tree.Append(hashes[i], [](NodeId, const Digest&) {});

      ASSERT_EQ(tree.Root(), reference::Root(hashes));
      for (uint64_t i = start; i < hashes.size(); ++i) ASSERT_EQ(tree.Path(i), reference::Path(i, hashes));
      tree.Trim();
      ASSERT_EQ(tree.Root(), reference::Root(hashes));
    }
  }
}

TEST(GrowingTreeTest, TellsEachNodeOnce) {
  std::map<std::pair<uint64_t, uint64_t>, int> told;
  GrowingTree tree;
  for (const Digest& hash : reference::Hashes(kLargest)) {
    tree.Append(hash, [&](NodeId id, const Digest&) { ++told[{id.level, id.index}]; });
  }

  EXPECT_EQ(told.size(), kLargest - 1);
  for (const auto& [id, times] : told) EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace tsunagi::audit
