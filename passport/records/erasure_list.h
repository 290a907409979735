// The list of erased parts that outlives a restored store. docs/formats/keys.md.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/crypto/digest.h"

namespace tsunagi::passport {

// One erased part: digest of its event, and its slot. Says nothing about whom it pointed at.
using ErasedPart = std::pair<crypto::Digest, uint32_t>;

// An append-only file that is kept outside the backup of the store. Thread-safe.
class ErasureList {
 public:
  // Creates the file (mode 0600) when it is missing, and cuts off an entry that a crash left unfinished.
  // DATA_LOSS naming the line of another entry that cannot be read.
  static absl::StatusOr<std::unique_ptr<ErasureList>> Open(std::string path);

  // Durable when it returns: how many entries there are now.
  absl::StatusOr<uint64_t> Add(const std::set<ErasedPart>& parts);
  uint64_t size() const;
  // All but the first `known` entries.
  absl::StatusOr<std::set<ErasedPart>> After(uint64_t known) const;

 private:
  ErasureList(std::string path, uint64_t size) : path_(std::move(path)), size_(size) {}

  const std::string path_;
  mutable Mutex mutex_;
  uint64_t size_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::passport
