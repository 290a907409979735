// Which commit version last wrote a key: enough memory to find conflicts, bounded (ADR 0003).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace tsunagi::audit {

// Remembers the last `limit` to 2·`limit` keys by their hash: a collision aborts a commit that could have
// gone through, and never lets one through that must not. Not thread-safe.
class WrittenKeys {
 public:
  explicit WrittenKeys(size_t limit) : limit_(limit) {}

  // `version` must not fall from call to call.
  void Note(absl::string_view key, uint64_t version);

  // True when one of `keys` was written after `version`, or this can no longer be told.
  bool Stale(const std::vector<std::string>& keys, uint64_t version) const;

 private:
  using Generation = absl::flat_hash_map<size_t, uint64_t>;

  const size_t limit_;
  Generation recent_;
  Generation older_;
  // Highest version that was ever forgotten: a reader below it may have missed a write.
  uint64_t floor_ = 0;
  uint64_t highest_of_older_ = 0;
  uint64_t highest_ = 0;
};

}  // namespace tsunagi::audit
