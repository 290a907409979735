#include "connector/denial_log.h"

#include <utility>

#include "connector/records.h"
#include "core/base/log.h"
#include "core/base/proto.h"

namespace tsunagi::connector {
namespace {

int64_t MinuteOf(absl::Time time) { return absl::ToUnixSeconds(time) / 60; }

}  // namespace

DenialLog::~DenialLog() {
  MutexLock lock(mutex_);
  for (const auto& [caller, minute] : counted_) Write(caller, minute);
}

audit::Commit DenialLog::CommitOf(const NamedDenial& denial) const {
  audit::v1::Record record = RecordAt(clock_.Now());
  record.mutable_denial()->set_caller(denial.caller);
  if (denial.battery != nullptr) *record.mutable_denial()->mutable_battery() = *denial.battery;
  for (const std::string& reason : denial.reasons) record.mutable_denial()->add_reasons(reason);
  record.mutable_denial()->set_count(denial.count);
  audit::Commit commit;
  commit.version = journal_.Version();
  commit.record = Encode(record);
  return commit;
}

void DenialLog::Count(absl::string_view caller) {
  const int64_t now = MinuteOf(clock_.Now());
  MutexLock lock(mutex_);
  Minute& minute = counted_[caller];
  if (minute.count > 0 && minute.minute != now) {
    Write(std::string(caller), minute);
    minute.count = 0;
  }
  minute.minute = now;
  ++minute.count;
}

void DenialLog::Flush() {
  const int64_t now = MinuteOf(clock_.Now());
  MutexLock lock(mutex_);
  for (auto it = counted_.begin(); it != counted_.end();) {
    const auto current = it++;
    if (current->second.minute == now) continue;
    Write(current->first, current->second);
    counted_.erase(current);
  }
}

void DenialLog::Write(const std::string& caller, const Minute& minute) {
  audit::v1::Record record = RecordAt(absl::FromUnixSeconds(minute.minute * 60));
  record.mutable_denial()->set_caller(caller);
  record.mutable_denial()->set_count(minute.count);
  audit::Commit commit;
  commit.version = journal_.Version();
  commit.record = Encode(record);
  journal_.Submit(std::move(commit), [](absl::StatusOr<audit::Committed> committed) {
    if (!committed.ok())
      log::Error("denials could not be recorded", {{"cause", committed.status().ToString()}});
  });
}

}  // namespace tsunagi::connector
