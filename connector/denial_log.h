// Leaves of what was denied.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/audit/journal.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "tsunagi/audit/v1/record.pb.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::connector {

// A denial that gets a leaf of its own.
struct NamedDenial {
  std::string caller;  // DID
  // What was asked for; nothing when it was a vehicle or no battery in particular.
  const common::v1::BatteryId* battery = nullptr;
  std::vector<std::string> reasons;
  uint64_t count = 1;
};

// Thread-safe. The destructor writes what is still counted.
class DenialLog {
 public:
  // `journal` and `clock` must outlive the log.
  DenialLog(audit::Journal& journal, const Clock& clock) : journal_(journal), clock_(clock) {}
  ~DenialLog();

  // The commit of one denial; the caller may add to it and submits it.
  audit::Commit CommitOf(const NamedDenial& denial) const;

  // Counts a denial of a party that no policy names. One leaf per caller and minute, written when the minute
  // is over: the answer does not wait for it, so that its time tells nothing.
  void Count(absl::string_view caller);
  // Writes the leaves of minutes that are over. To be called every few seconds.
  void Flush();

 private:
  struct Minute {
    int64_t minute = 0;
    uint64_t count = 0;
  };

  void Write(const std::string& caller, const Minute& minute);

  audit::Journal& journal_;
  const Clock& clock_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Minute> counted_
      ABSL_GUARDED_BY(mutex_);  // by caller, who is a participant
};

}  // namespace tsunagi::connector
