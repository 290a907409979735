// RFC 9162 section 2.1 Merkle tree hashing and proofs, without storage.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/crypto/digest.h"

namespace tsunagi::audit {

using crypto::Digest;

// SHA-256(0x00 ‖ data).
Digest LeafHash(absl::string_view data);
// SHA-256(0x01 ‖ left ‖ right).
Digest NodeHash(absl::string_view left, absl::string_view right);

// Root of a tree over leaf hashes; SHA-256 of nothing for an empty one.
Digest RootOf(const std::vector<Digest>& leaf_hashes);

// Inclusion path of leaf `index` among `leaf_hashes`.
std::vector<Digest> InclusionPath(const std::vector<Digest>& leaf_hashes, uint64_t index);

// OK when `path` proves that `leaf_hash` is leaf `index` of the tree of `size` leaves with `root`. DATA_LOSS
// otherwise; index ≥ size, size 0, paths of another length and digests of another size are refused.
absl::Status VerifyInclusion(absl::string_view leaf_hash, uint64_t index, uint64_t size,
                             const std::vector<Digest>& path, absl::string_view root);

// OK when `proof` proves that the tree (old_size, old_root) is a prefix of (new_size, new_root). DATA_LOSS
// otherwise. old_size 0 needs an empty proof; equal sizes need equal roots and an empty proof.
absl::Status VerifyConsistency(uint64_t old_size, absl::string_view old_root, uint64_t new_size,
                               absl::string_view new_root, const std::vector<Digest>& proof);

}  // namespace tsunagi::audit
