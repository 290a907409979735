// Leaves of what was denied.
#pragma once

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/audit/journal.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::audit {

// Thread-safe. The destructor writes what is still counted.
class DenialLog {
 public:
  // `journal` and `clock` must outlive the log.
  DenialLog(Journal& journal, const Clock& clock) : journal_(journal), clock_(clock) {}
  ~DenialLog();

  // The commit of a denial that gets a leaf of its own; the caller may add to it and submits it.
  Commit CommitOf(v1::DenialRecord denial) const;

  // Counts a denial of a party that may know nothing. One leaf per caller and minute, written when the minute
  // is over: the answer does not wait for it, so that its time tells nothing.
  void Count(absl::string_view caller);
  // Writes the leaves of minutes that are over. To be called every few seconds.
  void Flush();

 private:
  struct Minute {
    int64_t minute = 0;
    uint64_t count = 0;
  };

  Commit CommitAt(absl::Time time, v1::DenialRecord denial) const;
  void Write(const std::string& caller, const Minute& minute);

  Journal& journal_;
  const Clock& clock_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Minute> counted_
      ABSL_GUARDED_BY(mutex_);  // by caller, who is a participant
};

}  // namespace tsunagi::audit
