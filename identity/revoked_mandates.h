// The mandates that this participant revoked, in a file that its processes share: each knows at once, whether
// or not the registrar can be told.
#pragma once

#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/mutex.h"

namespace tsunagi::identity {

// One id a line; a line that a crash cut short ends no other. Thread-safe, and safe between processes of one
// machine.
class RevokedMandates {
 public:
  // The file in the participant's `shared_dir`; it need not exist.
  explicit RevokedMandates(const std::string& shared_dir) : path_(shared_dir + "/revoked-mandates") {}

  // Durable, and known to every process of the participant, when it returns OK. Blocks.
  absl::Status Add(const std::string& id);

  // Whether the mandate was revoked; also true, and logged, when that cannot be told. Looks at the file's
  // state (one stat), and reads it again after a change: for calls under a mandate, which are few.
  bool Contains(absl::string_view id) const;

 private:
  // What changes when somebody adds to the file.
  struct State {
    int64_t size = 0;
    int64_t changed_ns = 0;
    friend bool operator==(const State&, const State&) = default;
  };
  absl::Status Refresh() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  mutable Mutex mutex_;
  mutable State read_ ABSL_GUARDED_BY(mutex_);
  mutable absl::flat_hash_set<std::string> ids_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::identity
