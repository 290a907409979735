// The open watches of the status list.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "grpcpp/support/server_callback.h"
#include "identity/signed_lists.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"
#include "tsunagi/identity/v1/identity_service.pb.h"

namespace tsunagi::identity {

struct WatchLimits {
  int per_certificate = 3;
  int all = 10'000;
};

// Sends each watch the newest status list at once and whenever it suspends others than before. Who calls is
// asked before each message, so that the suspended one's own watch ends with its suspension. A watch keeps no
// list: one that is slow gets the newest when it reads again. Thread-safe.
class StatusWatches {
 public:
  // `guard` and `lists` must outlive this object, and it the watches: the server ends first.
  StatusWatches(rpc::Guard& guard, SignedLists& lists, WatchLimits limits = {});
  ~StatusWatches();
  StatusWatches(const StatusWatches&) = delete;
  StatusWatches& operator=(const StatusWatches&) = delete;

  // A reactor that owns itself. It ends as RESOURCE_EXHAUSTED beyond the limits.
  grpc::ServerWriteReactor<v1::WatchStatusListResponse>* Open(grpc::CallbackServerContext* context);

  // Ends all of them as UNAVAILABLE, and whatever is opened later: a drain must not wait for them.
  void End();

 private:
  class Watch;

  absl::StatusOr<std::shared_ptr<void>> Admit(const std::string& certificate,
                                              const std::shared_ptr<Watch>& watch);
  void Forget(const std::string& certificate, const Watch* watch);
  std::vector<std::shared_ptr<Watch>> All();
  // On the pool's thread.
  void TellAll();

  rpc::Guard& guard_;
  SignedLists& lists_;
  const WatchLimits limits_;
  Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<std::string, int> per_certificate_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<const Watch*, std::weak_ptr<Watch>> watches_ ABSL_GUARDED_BY(mutex_);
  rpc::WorkerPool telling_{1, 1};  // the one that waits will tell the newest
};

}  // namespace tsunagi::identity
