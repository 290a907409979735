// The definitions of RFC 9162 section 2.1, word for word and slow: what the tests compare with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/crypto/digest.h"

namespace tsunagi::audit::reference {

using crypto::Digest;
using Digests = std::vector<Digest>;

// Leaf hashes of "leaf 0", "leaf 1", …
inline Digests Hashes(uint64_t count) {
  Digests hashes;
  for (uint64_t i = 0; i < count; ++i) {
    hashes.push_back(crypto::Sha256(std::string(1, '\0') + "leaf " + std::to_string(i)));
  }
  return hashes;
}

inline size_t LargestPowerBelow(size_t n) {
  size_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

inline Digests First(const Digests& d, size_t k) {
  return {d.begin(), d.begin() + static_cast<ptrdiff_t>(k)};
}
inline Digests After(const Digests& d, size_t k) { return {d.begin() + static_cast<ptrdiff_t>(k), d.end()}; }

inline Digest Root(const Digests& d) {
  if (d.empty()) return crypto::Sha256("");
  if (d.size() == 1) return d[0];
  const size_t k = LargestPowerBelow(d.size());
  return crypto::Sha256(std::string(1, '\1') + Root(First(d, k)) + Root(After(d, k)));
}

inline Digests Path(uint64_t m, const Digests& d) {
  if (d.size() == 1) return {};
  const size_t k = LargestPowerBelow(d.size());
  Digests path = m < k ? Path(m, First(d, k)) : Path(m - k, After(d, k));
  path.push_back(m < k ? Root(After(d, k)) : Root(First(d, k)));
  return path;
}

inline Digests SubProof(uint64_t m, const Digests& d, bool b) {
  if (m == d.size()) return b ? Digests{} : Digests{Root(d)};
  const size_t k = LargestPowerBelow(d.size());
  Digests proof = m <= k ? SubProof(m, First(d, k), b) : SubProof(m - k, After(d, k), false);
  proof.push_back(m <= k ? Root(After(d, k)) : Root(First(d, k)));
  return proof;
}

// Empty for m = 0, which the RFC does not define.
inline Digests Consistency(uint64_t m, const Digests& d) { return m == 0 ? Digests{} : SubProof(m, d, true); }

}  // namespace tsunagi::audit::reference
