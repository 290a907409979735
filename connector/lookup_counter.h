// How many exact vehicle look-ups a party made today.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/audit/journal.h"
#include "core/base/mutex.h"

namespace tsunagi::connector {

// Counts in memory and in the store alike: a look-up is reserved before it is answered, and the count is
// written with the leaf of its answer, so that no answer leaves uncounted. This process is the only writer of
// the counts, so a reservation replaces a conflict check, and looking up many at once does not abort.
// Thread-safe.
class LookupCounter {
 public:
  // `journal` must outlive the counter and its reservations.
  explicit LookupCounter(audit::Journal& journal) : journal_(journal) {}

  // A place among the day's look-ups; given back when it was not counted.
  class Reservation {
   public:
    ~Reservation();
    // Adds the write of the new count to the commit, which must have a record; counted when the commit is
    // admitted.
    void CountIn(audit::Commit& commit);

   private:
    friend class LookupCounter;
    Reservation(LookupCounter& counter, std::string key) : counter_(counter), key_(std::move(key)) {}
    LookupCounter& counter_;
    const std::string key_;
    std::shared_ptr<bool> counted_ = std::make_shared<bool>(false);  // written on the journal's thread only
  };

  // RESOURCE_EXHAUSTED when `party` has used up `limit` look-ups on the day (JST) of `now`.
  absl::StatusOr<std::shared_ptr<Reservation>> Reserve(absl::string_view party, uint32_t limit,
                                                       absl::Time now);

 private:
  struct Count {
    uint64_t written = 0;
    uint64_t reserved = 0;
  };

  absl::StatusOr<Count> Load(const std::string& key) const;
  uint64_t Write(const std::string& key);
  void GiveBack(const std::string& key);

  audit::Journal& journal_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Count> counts_ ABSL_GUARDED_BY(mutex_);  // by store key: party and day
  int64_t day_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tsunagi::connector
