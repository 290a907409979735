// Evidence of batches that many batteries share, kept between reads.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "core/base/mutex.h"

namespace tsunagi::passport {

// Keeps the last `limit` to 2·`limit` serialised BatchEvidence that were used, by the batch's digest.
// Only what never changes may be added: evidence of a batch that is dated. Thread-safe.
class EvidenceCache {
 public:
  using Evidence = std::shared_ptr<const std::string>;

  explicit EvidenceCache(size_t limit) : limit_(limit) {}

  // Null when it is not kept.
  Evidence Find(absl::string_view digest) {
    MutexLock lock(mutex_);
    if (const auto found = recent_.find(digest); found != recent_.end()) return found->second;
    const auto found = older_.find(digest);
    if (found == older_.end()) return nullptr;
    Evidence evidence = found->second;
    Keep(digest, evidence);
    return evidence;
  }

  void Add(absl::string_view digest, Evidence evidence) {
    MutexLock lock(mutex_);
    Keep(digest, std::move(evidence));
  }

 private:
  void Keep(absl::string_view digest, Evidence evidence) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (recent_.size() >= limit_) older_ = std::exchange(recent_, {});
    recent_.insert_or_assign(digest, std::move(evidence));
  }

  using Generation = absl::flat_hash_map<std::string, Evidence>;

  const size_t limit_;
  Mutex mutex_;
  Generation recent_ ABSL_GUARDED_BY(mutex_);
  Generation older_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::passport
