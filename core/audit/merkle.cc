#include "core/audit/merkle.h"

#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace tsunagi::audit {
namespace {

constexpr absl::string_view kLeafPrefix("\x00", 1);
constexpr absl::string_view kNodePrefix("\x01", 1);

using Leaves = absl::Span<const Digest>;

Digest RootOfSpan(Leaves leaves) {
  if (leaves.empty()) return crypto::Sha256("");
  if (leaves.size() == 1) return leaves.front();
  const size_t left = std::bit_ceil(leaves.size()) / 2;
  return NodeHash(RootOfSpan(leaves.first(left)), RootOfSpan(leaves.subspan(left)));
}

void AppendPath(Leaves leaves, uint64_t index, std::vector<Digest>& path) {
  if (leaves.size() < 2) return;
  const size_t left = std::bit_ceil(leaves.size()) / 2;
  if (index < left) {
    AppendPath(leaves.first(left), index, path);
    path.push_back(RootOfSpan(leaves.subspan(left)));
  } else {
    AppendPath(leaves.subspan(left), index - left, path);
    path.push_back(RootOfSpan(leaves.first(left)));
  }
}

absl::Status Wrong(absl::string_view what) { return absl::DataLossError(what); }

absl::Status CheckSizes(const std::vector<Digest>& digests, absl::string_view a, absl::string_view b) {
  if (a.size() != crypto::kDigestSize || b.size() != crypto::kDigestSize) {
    return Wrong("proof: expected hashes of 32 bytes");
  }
  for (const Digest& digest : digests) {
    if (digest.size() != crypto::kDigestSize) return Wrong("proof: expected hashes of 32 bytes");
  }
  return absl::OkStatus();
}

// RFC 9162 section 2.1.4.2 steps 3 to 6, for 0 < old_size < new_size.
absl::Status VerifyGrowth(uint64_t old_size, absl::string_view old_root, uint64_t new_size,
                          absl::string_view new_root, absl::Span<const Digest> path) {
  uint64_t fn = old_size - 1;
  uint64_t sn = new_size - 1;
  const int shared = std::countr_one(fn);
  fn >>= shared;
  sn >>= shared;
  Digest old_hash = path.front();
  Digest new_hash = path.front();
  for (const Digest& hash : path.subspan(1)) {
    if (sn == 0) return Wrong("consistency proof: too long");
    if ((fn & 1) != 0 || fn == sn) {
      old_hash = NodeHash(hash, old_hash);
      new_hash = NodeHash(hash, new_hash);
      const int level = fn == 0 ? 0 : std::countr_zero(fn);
      fn >>= level;
      sn >>= level;
    } else {
      new_hash = NodeHash(new_hash, hash);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0) return Wrong("consistency proof: too short");
  if (!crypto::ConstantTimeEquals(old_hash, old_root))
    return Wrong("consistency proof: old root does not match");
  if (!crypto::ConstantTimeEquals(new_hash, new_root))
    return Wrong("consistency proof: new root does not match");
  return absl::OkStatus();
}

}  // namespace

Digest LeafHash(absl::string_view data) { return crypto::Sha256({kLeafPrefix, data}); }

Digest NodeHash(absl::string_view left, absl::string_view right) {
  return crypto::Sha256({kNodePrefix, left, right});
}

Digest RootOf(const std::vector<Digest>& leaf_hashes) { return RootOfSpan(leaf_hashes); }

std::vector<Digest> InclusionPath(const std::vector<Digest>& leaf_hashes, uint64_t index) {
  std::vector<Digest> path;
  AppendPath(leaf_hashes, index, path);
  return path;
}

absl::Status VerifyInclusion(absl::string_view leaf_hash, uint64_t index, uint64_t size,
                             const std::vector<Digest>& path, absl::string_view root) {
  if (index >= size) {
    return Wrong(absl::StrCat("inclusion proof: leaf ", index, " is not in a tree of ", size, " leaves"));
  }
  if (const absl::Status sizes = CheckSizes(path, leaf_hash, root); !sizes.ok()) return sizes;
  uint64_t fn = index;
  uint64_t sn = size - 1;
  Digest hash(leaf_hash);
  for (const Digest& sibling : path) {
    if (sn == 0) return Wrong("inclusion proof: too long");
    if ((fn & 1) != 0 || fn == sn) {
      hash = NodeHash(sibling, hash);
      const int level = fn == 0 ? 0 : std::countr_zero(fn);
      fn >>= level;
      sn >>= level;
    } else {
      hash = NodeHash(hash, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0) return Wrong("inclusion proof: too short");
  if (!crypto::ConstantTimeEquals(hash, root)) return Wrong("inclusion proof: root does not match");
  return absl::OkStatus();
}

absl::Status VerifyConsistency(uint64_t old_size, absl::string_view old_root, uint64_t new_size,
                               absl::string_view new_root, const std::vector<Digest>& proof) {
  if (old_size > new_size) return Wrong("consistency proof: the tree shrank");
  if (const absl::Status sizes = CheckSizes(proof, old_root, new_root); !sizes.ok()) return sizes;
  if (old_size == 0 && old_root != crypto::Sha256("")) {
    return Wrong("consistency proof: root of an empty tree is wrong");
  }
  if (old_size == new_size && old_root != new_root) {
    return Wrong("consistency proof: two roots of one size");
  }
  if (old_size == 0 || old_size == new_size) {
    return proof.empty() ? absl::OkStatus() : Wrong("consistency proof: too long");
  }
  if (std::has_single_bit(old_size)) {
    std::vector<Digest> path = {Digest(old_root)};
    path.insert(path.end(), proof.begin(), proof.end());
    return VerifyGrowth(old_size, old_root, new_size, new_root, path);
  }
  if (proof.empty()) return Wrong("consistency proof: too short");
  return VerifyGrowth(old_size, old_root, new_size, new_root, proof);
}

}  // namespace tsunagi::audit
