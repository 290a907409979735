#include "core/audit/follow_up.h"

#include <iterator>
#include <string>
#include <utility>

#include "core/audit/log_table.h"
#include "core/base/status_macros.h"

namespace tsunagi::audit {
namespace {

using store::Table;
using store::Write;

template <class T>
void MoveInto(std::vector<T>& from, std::vector<T>& to) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

absl::Status FinishErasures(store::Store& store) {
  std::vector<Write> marks;
  RETURN_IF_ERROR(store.Scan(Table::kLog, PendingScrubPrefix(), "", [&](absl::string_view key, auto) {
    marks.push_back(store::Delete(Table::kLog, std::string(key)));
    return true;
  }));
  if (marks.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(store.Scrub(Table::kPerson));
  return store.Apply(marks);
}

FollowUps::FollowUps(store::Store& store, std::function<void(const absl::Status&)> failed)
    : store_(store), failed_(std::move(failed)), thread_([this] { Run(); }) {}

FollowUps::~FollowUps() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
  }
  added_.NotifyOne();
  thread_.join();
}

void FollowUps::Add(std::vector<CommitDone> aborted, std::vector<Erased> erased) {
  if (aborted.empty() && erased.empty()) return;
  {
    MutexLock lock(mutex_);
    MoveInto(aborted, work_.aborted);
    MoveInto(erased, work_.erased);
  }
  added_.NotifyOne();
}

void FollowUps::Run() {
  while (true) {
    Work work = Take();
    if (work.empty()) return;
    for (const CommitDone& done : work.aborted) {
      done(absl::AbortedError("something that the decision read has changed: decide again"));
    }
    if (!work.erased.empty()) Finish(work.erased);
  }
}

FollowUps::Work FollowUps::Take() {
  MutexLock lock(mutex_);
  while (work_.empty() && !ending_) added_.Wait(mutex_);
  return std::exchange(work_, {});
}

void FollowUps::Finish(std::vector<Erased>& erased) {
  const absl::Status finished = FinishErasures(store_);
  if (!finished.ok()) failed_(finished);
  for (Erased& one : erased) {
    if (finished.ok()) {
      one.done(std::move(one.committed));
    } else {
      one.done(absl::UnavailableError("the store failed while erasing: restart the process to finish it"));
    }
  }
}

}  // namespace tsunagi::audit
