// A watch of the registrar's status list that is opened again whenever it ends.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/random.h"
#include "grpcpp/channel.h"
#include "services/process/backoff.h"
#include "services/process/ticker.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"

namespace tsunagi::process {

// Gets each change within the time of one message while the registrar can be reached; nothing otherwise, so
// that whoever needs a fresh list refreshes too. Thread-safe.
class StatusWatch {
 public:
  // `channel` gives a channel to the registrar, anew each time; `take` gets each list, one after the other,
  // on a thread that may block. `clock` and `random` must outlive this object.
  StatusWatch(std::function<std::shared_ptr<grpc::Channel>()> channel,
              std::function<absl::Status(const identity::v1::SignedStatusList&)> take, const Clock& clock,
              Random& random);
  // Ends the watch and waits until it has ended.
  ~StatusWatch();
  StatusWatch(const StatusWatch&) = delete;
  StatusWatch& operator=(const StatusWatch&) = delete;

 private:
  class Call;

  // On the ticker's thread.
  void Run();
  void TakeArrived();
  void CloseWhenOver();
  void OpenWhenDue();
  // Reactions of the call.
  void Arrived(identity::v1::SignedStatusList list);
  void Over(const absl::Status& status);

  const std::function<std::shared_ptr<grpc::Channel>()> channel_;
  const std::function<absl::Status(const identity::v1::SignedStatusList&)> take_;
  Backoff backoff_;  // the ticker's thread only
  Mutex mutex_;
  CondVar changed_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<Call> call_ ABSL_GUARDED_BY(mutex_);
  std::optional<identity::v1::SignedStatusList> arrived_ ABSL_GUARDED_BY(mutex_);  // read on once it is taken
  std::optional<absl::Status> over_ ABSL_GUARDED_BY(mutex_);                       // how the call has ended
  Ticker ticker_;                                                                  // last: it runs at once
};

}  // namespace tsunagi::process
