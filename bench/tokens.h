// Verification of access tokens against bare OpenSSL.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tsunagi::bench {

struct TokenLoad {
  int rounds = 7;
  int tokens = 2'000;  // each of a round is verified once: none is in the cache
};

// One round: the same tokens by all three, one after the other on one thread.
struct TokenRound {
  double cold_per_second = 0;     // TokenVerifier, never seen before
  double cached_ns = 0;           // TokenVerifier again
  double openssl_per_second = 0;  // EVP_DigestVerify of the signing input, key and DER signature prepared
};

// A registrar in memory issues the tokens; `folder` is for its keys.
absl::StatusOr<std::vector<TokenRound>> MeasureTokens(const std::string& folder, const TokenLoad& load);

}  // namespace tsunagi::bench
