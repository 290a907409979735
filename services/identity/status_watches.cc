#include "services/identity/status_watches.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "grpcpp/server_context.h"
#include "services/rpc/call_record.h"
#include "services/rpc/status.h"

namespace tsunagi::identity {

// Reactions, signings and the end come on different threads: each notes what happened and lets Advance find
// out what to do. gRPC is called without the lock, since it may react on the same thread; `touching_` keeps
// the call from ending meanwhile.
class StatusWatches::Watch final : public grpc::ServerWriteReactor<v1::WatchStatusListResponse>,
                                   public std::enable_shared_from_this<Watch> {
 public:
  Watch(grpc::CallbackServerContext* context, StatusWatches& watches)
      : context_(context), watches_(watches) {}

  void Start() {
    self_ = shared_from_this();
    const absl::Status admitted = TakePlace();
    if (!admitted.ok()) return End(admitted, /*at_once=*/false);
    // A list that is signed from now on is told; the one of now may have to be signed first.
    watches_.lists_.GetStatusList([self = self_](const absl::StatusOr<SignedLists::StatusList>& list) {
      list.ok() ? self->Tell() : self->End(list.status(), /*at_once=*/false);
    });
  }

  // There may be a newer list.
  void Tell() {
    {
      MutexLock lock(mutex_);
      due_ = true;
    }
    Advance();
  }

  // `at_once`: also when the caller does not take what is being sent.
  void End(absl::Status status, bool at_once) {
    bool cancel = false;
    {
      MutexLock lock(mutex_);
      if (!end_.has_value()) end_ = std::move(status);
      cancel = at_once && writing_ && !finished_;
      if (cancel) ++touching_;
    }
    if (cancel) {
      context_->TryCancel();
      MutexLock lock(mutex_);
      --touching_;
    }
    Advance();
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!ok && !end_.has_value()) end_ = absl::CancelledError("the caller is gone");
    }
    Advance();
  }
  void OnCancel() override { End(absl::CancelledError("the caller is gone"), /*at_once=*/false); }
  // The last reaction.
  void OnDone() override {
    place_.reset();
    self_.reset();
  }

 private:
  enum class Action { kNothing, kSend, kFinish };

  absl::Status TakePlace() {
    ASSIGN_OR_RETURN(const Caller caller, watches_.guard_.Authenticate(context_));
    ASSIGN_OR_RETURN(place_, watches_.Admit(caller.certificate_sha256(), self_));
    return absl::OkStatus();
  }

  Action Choose() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_) return Action::kNothing;
    if (end_.has_value()) {
      if (writing_ || touching_ > 0) return Action::kNothing;
      finished_ = true;
      return Action::kFinish;
    }
    if (!due_ || writing_) return Action::kNothing;
    due_ = false;
    writing_ = true;
    return Action::kSend;
  }

  void Advance() {
    const std::shared_ptr<Watch> alive = shared_from_this();
    while (true) {
      Action action = Action::kNothing;
      {
        MutexLock lock(mutex_);
        action = Choose();
        if (action == Action::kNothing) return;
        ++touching_;
      }
      action == Action::kSend ? Send() : FinishNow();
      MutexLock lock(mutex_);
      --touching_;
    }
  }

  void Send() {
    const absl::Status caller = watches_.guard_.Authenticate(context_).status();
    const Issued<v1::SignedStatusList> newest = watches_.lists_.NewestStatusList();
    {
      MutexLock lock(mutex_);
      if (!caller.ok() && !end_.has_value()) end_ = caller;
      if (end_.has_value() || newest.version <= sent_) {
        writing_ = false;
        return;
      }
      sent_ = newest.version;
    }
    *response_.mutable_status_list() = *newest.value;
    StartWrite(&response_);
  }

  void FinishNow() {
    absl::Status status;
    {
      MutexLock lock(mutex_);
      status = *end_;
    }
    record_.End(status.code());
    Finish(rpc::ToGrpcStatus(status));
  }

  grpc::CallbackServerContext* const context_;
  const rpc::CallRecord record_{context_};
  StatusWatches& watches_;
  std::shared_ptr<void> place_;
  std::shared_ptr<Watch> self_;           // until OnDone
  v1::WatchStatusListResponse response_;  // gRPC's while writing_
  Mutex mutex_;
  int touching_ ABSL_GUARDED_BY(mutex_) = 0;  // calls into gRPC, guard and lists under way
  bool due_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t sent_ ABSL_GUARDED_BY(mutex_) = 0;  // version
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

StatusWatches::StatusWatches(rpc::Guard& guard, SignedLists& lists, WatchLimits limits)
    : guard_(guard), lists_(lists), limits_(limits) {
  // Thousands are told: not on the committer's thread.
  lists_.OnStatusChange([this] { telling_.Run([this] { TellAll(); }).IgnoreError(); });
}

StatusWatches::~StatusWatches() { lists_.OnStatusChange({}); }

grpc::ServerWriteReactor<v1::WatchStatusListResponse>* StatusWatches::Open(
    grpc::CallbackServerContext* context) {
  auto watch = std::make_shared<Watch>(context, *this);
  Watch* const reactor = watch.get();
  watch->Start();
  return reactor;
}

absl::StatusOr<std::shared_ptr<void>> StatusWatches::Admit(const std::string& certificate,
                                                           const std::shared_ptr<Watch>& watch) {
  MutexLock lock(mutex_);
  if (ended_) return absl::UnavailableError("the registrar is going down: watch again in a moment");
  if (watches_.size() >= static_cast<size_t>(limits_.all)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("`", limits_.all, "` watches are open: fetch the status list instead"));
  }
  int& open = per_certificate_[certificate];
  if (open >= limits_.per_certificate) {
    return absl::ResourceExhaustedError(
        absl::StrCat("`", open, "` watches are open with your certificate: end one before you open another"));
  }
  ++open;
  watches_.emplace(watch.get(), watch);
  return std::shared_ptr<void>(
      nullptr, [this, certificate, watch = watch.get()](void*) { Forget(certificate, watch); });
}

void StatusWatches::Forget(const std::string& certificate, const Watch* watch) {
  MutexLock lock(mutex_);
  watches_.erase(watch);
  const auto open = per_certificate_.find(certificate);
  if (--open->second == 0) per_certificate_.erase(open);
}

std::vector<std::shared_ptr<StatusWatches::Watch>> StatusWatches::All() {
  std::vector<std::shared_ptr<Watch>> all;
  MutexLock lock(mutex_);
  for (const auto& [pointer, weak] : watches_) {
    if (auto watch = weak.lock(); watch != nullptr) all.push_back(std::move(watch));
  }
  return all;
}

void StatusWatches::TellAll() {
  for (const std::shared_ptr<Watch>& watch : All()) watch->Tell();
}

void StatusWatches::End() {
  {
    MutexLock lock(mutex_);
    ended_ = true;
  }
  for (const std::shared_ptr<Watch>& watch : All()) {
    watch->End(absl::UnavailableError("the registrar is going down: watch again in a moment"),
               /*at_once=*/true);
  }
}

}  // namespace tsunagi::identity
