#include "connector/lookup_counter.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "core/base/bytes.h"
#include "core/base/status_macros.h"
#include "core/store/key.h"

namespace tsunagi::connector {
namespace {

// The policy day is the day in Japan, which has no daylight saving time.
int64_t DayInJapan(absl::Time now) { return absl::ToUnixSeconds(now + absl::Hours(9)) / 86'400; }

std::string CountKey(absl::string_view party, int64_t day) {
  return store::Key("lookup-count").Str(party).U64(static_cast<uint64_t>(day)).bytes();
}

}  // namespace

LookupCounter::Reservation::~Reservation() {
  if (!*counted_) counter_.GiveBack(key_);
}

void LookupCounter::Reservation::CountIn(audit::Commit& commit) {
  commit.on_index = [&counter = counter_, key = key_, counted = counted_](uint64_t,
                                                                          std::vector<store::Write>& writes) {
    std::string value;
    AppendU64(value, counter.Write(key));
    writes.push_back(store::Put(store::Table::kState, key, std::move(value)));
    *counted = true;
  };
}

absl::StatusOr<std::shared_ptr<LookupCounter::Reservation>> LookupCounter::Reserve(absl::string_view party,
                                                                                   uint32_t limit,
                                                                                   absl::Time now) {
  const int64_t day = DayInJapan(now);
  std::string key = CountKey(party, day);
  MutexLock lock(mutex_);
  if (day > day_) {
    counts_.clear();
    day_ = day;
  }
  auto it = counts_.find(key);
  if (it == counts_.end()) {
    ASSIGN_OR_RETURN(const Count stored, Load(key));
    it = counts_.emplace(key, stored).first;
  }
  if (it->second.written + it->second.reserved >= limit) {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "the %d vehicle look-ups of this day are used up: try again after midnight in Japan", limit));
  }
  ++it->second.reserved;
  return std::shared_ptr<Reservation>(new Reservation(*this, std::move(key)));
}

absl::StatusOr<LookupCounter::Count> LookupCounter::Load(const std::string& key) const {
  Count count;
  const absl::StatusOr<std::string> stored = journal_.store().Get(store::Table::kState, key);
  if (absl::IsNotFound(stored.status())) return count;
  RETURN_IF_ERROR(stored.status());
  if (stored->size() != 8) return absl::DataLossError("a stored look-up count is damaged");
  for (const char byte : *stored) count.written = count.written << 8 | static_cast<uint8_t>(byte);
  return count;
}

uint64_t LookupCounter::Write(const std::string& key) {
  MutexLock lock(mutex_);
  Count& count = counts_[key];
  if (count.reserved > 0) --count.reserved;
  return ++count.written;
}

void LookupCounter::GiveBack(const std::string& key) {
  MutexLock lock(mutex_);
  const auto it = counts_.find(key);
  if (it != counts_.end() && it->second.reserved > 0) --it->second.reserved;
}

}  // namespace tsunagi::connector
