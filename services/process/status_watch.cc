#include "services/process/status_watch.h"

#include <utility>

#include "core/base/log.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "services/rpc/status.h"

namespace tsunagi::process {
namespace {

using identity::v1::IdentityService;
using identity::v1::SignedStatusList;
using identity::v1::WatchStatusListRequest;
using identity::v1::WatchStatusListResponse;

// How often it is looked at whether the watch is to be opened again.
constexpr absl::Duration kLook = absl::Milliseconds(250);

}  // namespace

// One stream. The watch keeps it until Over.
class StatusWatch::Call final : public grpc::ClientReadReactor<WatchStatusListResponse> {
 public:
  Call(StatusWatch& watch, const std::shared_ptr<grpc::Channel>& channel)
      : watch_(watch), stub_(IdentityService::NewStub(channel)) {}

  void Start() {
    stub_->async()->WatchStatusList(&context_, &request_, this);
    // Reads are started outside of reactions too.
    AddHold();
    StartRead(&response_);
    StartCall();
  }
  void ReadOn() { StartRead(&response_); }
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return RemoveHold();
    watch_.Arrived(std::move(*response_.mutable_status_list()));
  }
  void OnDone(const grpc::Status& status) override { watch_.Over(rpc::FromGrpcStatus(status)); }

 private:
  StatusWatch& watch_;
  const std::unique_ptr<IdentityService::Stub> stub_;
  const WatchStatusListRequest request_;
  grpc::ClientContext context_;
  WatchStatusListResponse response_;
};

StatusWatch::StatusWatch(std::function<std::shared_ptr<grpc::Channel>()> channel,
                         std::function<absl::Status(const SignedStatusList&)> take, const Clock& clock,
                         Random& random)
    : channel_(std::move(channel)),
      take_(std::move(take)),
      backoff_(clock, random),
      ticker_(kLook, [this] { Run(); }) {
  ticker_.Wake();
}

StatusWatch::~StatusWatch() {
  std::shared_ptr<Call> call;
  {
    MutexLock lock(mutex_);
    ending_ = true;
    call = call_;
  }
  // Without the lock: gRPC may react on this thread.
  if (call != nullptr) call->Cancel();
  ticker_.Wake();
  MutexLock lock(mutex_);
  while (call_ != nullptr && !over_.has_value()) changed_.Wait(mutex_);
}

void StatusWatch::Run() {
  TakeArrived();
  CloseWhenOver();
  OpenWhenDue();
}

void StatusWatch::TakeArrived() {
  std::optional<SignedStatusList> list;
  std::shared_ptr<Call> call;
  {
    MutexLock lock(mutex_);
    list = std::exchange(arrived_, std::nullopt);
    call = call_;
  }
  if (!list.has_value()) return;
  const absl::Status taken = take_(*list);
  // A refresh may have been faster.
  if (!taken.ok() && !absl::IsAborted(taken)) {
    log::Warning("a status list was not taken over", {{"reason", std::string(taken.message())}});
  }
  backoff_.Succeeded();
  call->ReadOn();
}

void StatusWatch::CloseWhenOver() {
  std::shared_ptr<Call> ended;
  absl::Status status;
  {
    MutexLock lock(mutex_);
    if (!over_.has_value()) return;
    status = *std::exchange(over_, std::nullopt);
    ended = std::move(call_);
    changed_.NotifyAll();
  }
  backoff_.Failed();
  log::Info("the watch of the status list has ended", {{"reason", std::string(status.message())}});
}

void StatusWatch::OpenWhenDue() {
  if (!backoff_.Due()) return;
  std::shared_ptr<Call> call;
  {
    MutexLock lock(mutex_);
    if (ending_ || call_ != nullptr) return;
    call = call_ = std::make_shared<Call>(*this, channel_());
  }
  call->Start();
}

void StatusWatch::Arrived(SignedStatusList list) {
  MutexLock lock(mutex_);
  arrived_ = std::move(list);
  ticker_.Wake();
}

void StatusWatch::Over(const absl::Status& status) {
  MutexLock lock(mutex_);
  over_ = status;
  changed_.NotifyAll();
  ticker_.Wake();
}

}  // namespace tsunagi::process
