// Proofs about another party's log: no proof makes a leaf or a history of what is none.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/audit/merkle.h"
#include "core/audit/receipt.h"
#include "core/base/bytes.h"
#include "core/crypto/key.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi;  // NOLINT: a program of its own
  // Key of the example in Go's sumdb/note package.
  static const crypto::PublicKey key =
      crypto::PublicKey::FromEd25519(FromBase64("GlzZBxQ8OExB6DDFvOEqqIF+xWSaqr8sMTiLNbLXRNY=").value())
          .value();
  // A tree of five leaves, which no input knows.
  static const std::vector<audit::Digest> leaves = [] {
    std::vector<audit::Digest> made;
    for (char c = 'a'; c < 'f'; ++c) made.push_back(audit::LeafHash(std::string(16, c)));
    return made;
  }();
  static const audit::Digest root = audit::RootOf(leaves);

  const std::string bytes(reinterpret_cast<const char*>(data), size);
  audit::v1::LogProof proof;
  if (proof.ParseFromString(bytes)) {
    if (audit::VerifyLogProof(proof, "cell-maker.battery.example/node", key).ok() && proof.record().empty()) {
      std::abort();
    }
  }
  if (size < 2) return 0;
  const uint64_t index = data[0];
  const uint64_t tree = data[1];
  std::vector<audit::Digest> path;
  for (size_t at = 2; at < size; at += 32) path.push_back(bytes.substr(at, 32));
  const std::string stranger = audit::LeafHash("stranger");
  if (audit::VerifyInclusion(stranger, index, tree, path, root).ok()) std::abort();
  for (const audit::Digest& leaf : leaves) {
    if (audit::VerifyInclusion(leaf, index, tree, path, root).ok() && (tree == 0 || index >= tree)) {
      std::abort();
    }
  }
  // A history that began otherwise is never consistent with this one.
  const bool consistent = audit::VerifyConsistency(index, stranger, tree, root, path).ok();
  if (consistent && index != 0) std::abort();
  return 0;
}
