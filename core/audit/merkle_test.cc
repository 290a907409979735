#include "core/audit/merkle.h"

#include <string>
#include <vector>

#include "core/audit/reference_tree_for_test.h"
#include "core/base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::audit {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::StatusIs;

constexpr uint64_t kLargest = 64;

// Leaves, roots and proofs of the Certificate Transparency reference implementation.
const std::vector<std::string>& VectorLeaves() {
  static const auto& leaves =
      *new std::vector<std::string>{FromHex("").value(),
                                    FromHex("00").value(),
                                    FromHex("10").value(),
                                    FromHex("2021").value(),
                                    FromHex("3031").value(),
                                    FromHex("40414243").value(),
                                    FromHex("5051525354555657").value(),
                                    FromHex("606162636465666768696a6b6c6d6e6f").value()};
  return leaves;
}

std::vector<Digest> VectorHashes(size_t count) {
  std::vector<Digest> hashes;
  for (size_t i = 0; i < count; ++i) hashes.push_back(LeafHash(VectorLeaves()[i]));
  return hashes;
}

std::vector<Digest> Unhex(const std::vector<std::string>& hex) {
  std::vector<Digest> digests;
  for (const std::string& text : hex) digests.push_back(FromHex(text).value());
  return digests;
}

struct RootVector {
  size_t size;
  const char* root;
};

class RootVectorTest : public ::testing::TestWithParam<RootVector> {};

TEST_P(RootVectorTest, IsReproduced) {
  EXPECT_EQ(ToHex(RootOf(VectorHashes(GetParam().size))), GetParam().root);
}

INSTANTIATE_TEST_SUITE_P(
    CertificateTransparency, RootVectorTest,
    ::testing::Values(RootVector{0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                      RootVector{1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
                      RootVector{2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
                      RootVector{3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
                      RootVector{4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
                      RootVector{5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
                      RootVector{6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
                      RootVector{7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
                      RootVector{8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"}),
    [](const auto& param) { return "Size" + std::to_string(param.param.size); });

struct ProofVector {
  uint64_t index_or_old_size;
  uint64_t size;
  std::vector<std::string> proof;
};

class InclusionVectorTest : public ::testing::TestWithParam<ProofVector> {};

TEST_P(InclusionVectorTest, IsReproducedAndVerified) {
  const auto& [index, size, path] = GetParam();
  const std::vector<Digest> hashes = VectorHashes(size);

  EXPECT_THAT(InclusionPath(hashes, index), ElementsAreArray(Unhex(path)));
  EXPECT_THAT(VerifyInclusion(hashes[index], index, size, Unhex(path), RootOf(hashes)), IsOk());
}

INSTANTIATE_TEST_SUITE_P(
    CertificateTransparency, InclusionVectorTest,
    ::testing::Values(ProofVector{0, 1, {}},
                      ProofVector{0,
                                  8,
                                  {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                   "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                   "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
                      ProofVector{5,
                                  8,
                                  {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                                   "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                   "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
                      ProofVector{2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
                      ProofVector{1,
                                  5,
                                  {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                   "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                   "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}),
    [](const auto& param) {
      return "Leaf" + std::to_string(param.param.index_or_old_size) + "Of" + std::to_string(param.param.size);
    });

class ConsistencyVectorTest : public ::testing::TestWithParam<ProofVector> {};

TEST_P(ConsistencyVectorTest, IsVerified) {
  const auto& [old_size, size, proof] = GetParam();

  EXPECT_THAT(VerifyConsistency(old_size, RootOf(VectorHashes(old_size)), size, RootOf(VectorHashes(size)),
                                Unhex(proof)),
              IsOk());
}

INSTANTIATE_TEST_SUITE_P(
    CertificateTransparency, ConsistencyVectorTest,
    ::testing::Values(ProofVector{1, 1, {}},
                      ProofVector{1,
                                  8,
                                  {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                   "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                   "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
                      ProofVector{6,
                                  8,
                                  {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                                   "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                   "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
                      ProofVector{2,
                                  5,
                                  {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                   "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}),
    [](const auto& param) {
      return "Size" + std::to_string(param.param.index_or_old_size) + "To" + std::to_string(param.param.size);
    });

TEST(MerkleTest, RootsAndPathsEqualTheRfcsDefinition) {
  for (uint64_t size = 1; size <= kLargest; ++size) {
    const std::vector<Digest> hashes = reference::Hashes(size);
    EXPECT_EQ(RootOf(hashes), reference::Root(hashes));
    for (uint64_t index = 0; index < size; ++index) {
      EXPECT_EQ(InclusionPath(hashes, index), reference::Path(index, hashes)) << index << " of " << size;
    }
  }
}

TEST(MerkleTest, AcceptsEveryTrueProof) {
  for (uint64_t size = 1; size <= kLargest; ++size) {
    const std::vector<Digest> hashes = reference::Hashes(size);
    const Digest root = reference::Root(hashes);
    for (uint64_t i = 0; i < size; ++i) {
      EXPECT_THAT(VerifyInclusion(hashes[i], i, size, reference::Path(i, hashes), root), IsOk());
    }
    for (uint64_t old_size = 0; old_size <= size; ++old_size) {
      EXPECT_THAT(VerifyConsistency(old_size, reference::Root(reference::Hashes(old_size)), size, root,
                                    reference::Consistency(old_size, hashes)),
                  IsOk())
          << old_size << " to " << size;
    }
  }
}

// Every way to change a list of digests by one step.
std::vector<std::vector<Digest>> Tampered(const std::vector<Digest>& proof) {
  std::vector<std::vector<Digest>> all;
  std::vector<Digest> longer = proof;
  longer.push_back(Digest(32, '\0'));
  all.push_back(longer);
  longer = proof;
  longer.insert(longer.begin(), proof.empty() ? Digest(32, '\0') : proof.front());
  all.push_back(longer);
  for (size_t i = 0; i < proof.size(); ++i) {
    std::vector<Digest> changed = proof;
    changed[i][0] = static_cast<char>(changed[i][0] ^ 1);
    all.push_back(changed);
    changed = proof;
    changed.erase(changed.begin() + static_cast<ptrdiff_t>(i));
    all.push_back(changed);
    changed = proof;
    changed[i].pop_back();
    all.push_back(changed);
  }
  return all;
}

TEST(MerkleTest, RefusesEveryTamperedInclusionProof) {
  for (uint64_t size = 1; size <= 33; ++size) {
    const std::vector<Digest> hashes = reference::Hashes(size);
    const Digest root = reference::Root(hashes);
    for (uint64_t i = 0; i < size; ++i) {
      const std::vector<Digest> path = reference::Path(i, hashes);
      for (const auto& tampered : Tampered(path)) {
        EXPECT_THAT(VerifyInclusion(hashes[i], i, size, tampered, root),
                    StatusIs(absl::StatusCode::kDataLoss));
      }
      for (uint64_t other = 0; other < size; ++other) {
        if (other == i) continue;
        EXPECT_THAT(VerifyInclusion(hashes[i], other, size, path, root),
                    StatusIs(absl::StatusCode::kDataLoss));
        EXPECT_THAT(VerifyInclusion(hashes[other], i, size, path, root),
                    StatusIs(absl::StatusCode::kDataLoss));
      }
    }
  }
}

TEST(MerkleTest, RefusesEveryTamperedConsistencyProof) {
  for (uint64_t size = 1; size <= 33; ++size) {
    const std::vector<Digest> hashes = reference::Hashes(size);
    const Digest root = reference::Root(hashes);
    for (uint64_t old_size = 1; old_size <= size; ++old_size) {
      const Digest old_root = reference::Root(reference::Hashes(old_size));
      for (const auto& tampered : Tampered(reference::Consistency(old_size, hashes))) {
        EXPECT_THAT(VerifyConsistency(old_size, old_root, size, root, tampered),
                    StatusIs(absl::StatusCode::kDataLoss))
            << old_size << " to " << size;
      }
    }
  }
}

TEST(MerkleTest, RefusesAConsistencyProofOfAnotherOldSizeOrRoot) {
  const std::vector<Digest> hashes = reference::Hashes(21);
  const Digest root = reference::Root(hashes);
  for (uint64_t old_size = 1; old_size < 21; ++old_size) {
    const std::vector<Digest> proof = reference::Consistency(old_size, hashes);
    const Digest old_root = reference::Root(reference::Hashes(old_size));
    for (uint64_t other = 1; other <= 21; ++other) {
      if (other == old_size) continue;
      EXPECT_THAT(VerifyConsistency(old_size, reference::Root(reference::Hashes(other)), 21, root, proof),
                  StatusIs(absl::StatusCode::kDataLoss));
      EXPECT_THAT(VerifyConsistency(other, reference::Root(reference::Hashes(other)), 21, root, proof),
                  StatusIs(absl::StatusCode::kDataLoss));
    }
    EXPECT_THAT(VerifyConsistency(old_size, old_root, 21, old_root, proof),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(MerkleTest, RefusesALeafOutsideTheTree) {
  const Digest leaf = LeafHash("x");

  EXPECT_THAT(VerifyInclusion(leaf, 1, 1, {}, leaf),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not in a tree")));
  EXPECT_THAT(VerifyInclusion(leaf, 0, 0, {}, leaf),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not in a tree")));
  EXPECT_THAT(VerifyInclusion(leaf, UINT64_MAX, UINT64_MAX, {}, leaf), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(MerkleTest, RefusesAnInnerNodePresentedAsALeaf) {
  const std::vector<Digest> hashes = reference::Hashes(4);
  const Digest inner = NodeHash(hashes[0], hashes[1]);

  EXPECT_THAT(VerifyInclusion(inner, 0, 4, {NodeHash(hashes[2], hashes[3])}, reference::Root(hashes)),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(MerkleTest, RefusesDigestsOfAnotherSize) {
  const Digest leaf = LeafHash("x");

  EXPECT_THAT(VerifyInclusion(leaf.substr(1), 0, 1, {}, leaf.substr(1)),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(VerifyConsistency(1, "", 1, "", {}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(MerkleTest, RefusesATreeThatShrank) {
  EXPECT_THAT(VerifyConsistency(2, reference::Root(reference::Hashes(2)), 1,
                                reference::Root(reference::Hashes(1)), {}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("shrank")));
}

TEST(MerkleTest, RefusesAnEmptyTreeWithARoot) {
  const Digest root = LeafHash("x");

  EXPECT_THAT(VerifyConsistency(0, root, 1, root, {}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(VerifyConsistency(0, RootOf({}), 1, root, {root}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(MerkleTest, HandlesTheLargestSizes) {
  const Digest leaf = LeafHash("x");
  std::vector<Digest> path(64, leaf);
  Digest root = leaf;
  for (const Digest& sibling : path) root = NodeHash(root, sibling);

  EXPECT_THAT(VerifyInclusion(leaf, 0, UINT64_MAX, path, root), IsOk());
  EXPECT_THAT(VerifyConsistency(UINT64_MAX - 1, root, UINT64_MAX, root, path),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace tsunagi::audit
