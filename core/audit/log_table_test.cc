#include "core/audit/log_table.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/merkle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tsunagi::audit {
namespace {

// What lies in the middle of a store's file makes it overlap others, and be rewritten with them.
TEST(LogTableTest, AGrowingLogAddsRowsAtItsEndOnly) {
  GrowingTree tree;
  std::string last;
  const auto expect_behind = [&last](const std::string& key) {
    EXPECT_LT(last, key);
    last = key;
  };
  for (uint64_t leaf = 0; leaf < 300; ++leaf) {
    expect_behind(LeafKey(leaf));
    tree.Append(LeafHash(absl::StrCat(leaf)), [&](NodeId id, const Digest&) { expect_behind(NodeKey(id)); });
  }
}

TEST(LogTableTest, NodesOfALargeLogHaveKeysOfTheirOwn) {
  constexpr uint64_t kLargest = (uint64_t{1} << 57) - 1;
  EXPECT_LT(LeafKey(kLargest), NodeKey({1, kLargest / 2}));
  EXPECT_LT(NodeKey({1, kLargest / 2}), NodeKey({57, 0}));
  EXPECT_LT(NodeKey({57, 0}), LeafKey(kLargest + 1));
}

}  // namespace
}  // namespace tsunagi::audit
