#include "core/audit/denial_log.h"

#include <utility>

#include "core/base/log.h"
#include "core/base/proto.h"

namespace tsunagi::audit {
namespace {

int64_t MinuteOf(absl::Time time) { return absl::ToUnixSeconds(time) / 60; }

}  // namespace

DenialLog::~DenialLog() {
  MutexLock lock(mutex_);
  for (const auto& [caller, minute] : counted_) Write(caller, minute);
}

Commit DenialLog::CommitOf(v1::DenialRecord denial) const {
  return CommitAt(clock_.Now(), std::move(denial));
}

Commit DenialLog::CommitAt(absl::Time time, v1::DenialRecord denial) const {
  v1::Record record;
  *record.mutable_time() = ToProto(time);
  *record.mutable_denial() = std::move(denial);
  Commit commit;
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
  v1::DenialRecord denial;
  denial.set_caller(caller);
  denial.set_count(minute.count);
  Commit commit = CommitAt(absl::FromUnixSeconds(minute.minute * 60), std::move(denial));
  journal_.Submit(std::move(commit), [](absl::StatusOr<Committed> committed) {
    if (!committed.ok())
      log::Error("denials could not be recorded", {{"cause", committed.status().ToString()}});
  });
}

}  // namespace tsunagi::audit
