#include "bench/rotation.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/guarded_echo.h"
#include "bench/node.h"
#include "core/base/status_macros.h"
#include "grpcpp/client_context.h"
#include "services/rpc/status.h"

namespace tsunagi::bench {
namespace {

constexpr char kServer[] = "rotating-server";
// Past half of a certificate's life, and past the time that a token is used.
constexpr absl::Duration kPastHalfLife = absl::Hours(4 * 24);
constexpr absl::Duration kPastToken = absl::Minutes(6);

// Calls the server by its listing, one call after the other on each thread, until it goes.
class Load {
 public:
  Load(BenchNode& client, int callers, RotationResult& result, Mutex& mutex)
      : client_(client), result_(result), mutex_(mutex) {
    for (int i = 0; i < callers; ++i) threads_.emplace_back([this] { Loop(); });
  }
  ~Load() {
    ending_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  void Loop() {
    while (!ending_) {
      const absl::Status status = Call();
      MutexLock lock(mutex_);
      ++result_.calls;
      if (status.ok()) continue;
      if (result_.failed++ == 0) result_.first_failure = std::string(status.message());
    }
  }

  absl::Status Call() {
    ASSIGN_OR_RETURN(const auto channel, client_.channels().To(kServer, "node"));
    grpc::ClientContext context;
    EchoResponse response;
    return rpc::FromGrpcStatus(EchoService::NewStub(channel)->Echo(&context, EchoRequest(), &response));
  }

  BenchNode& client_;
  RotationResult& result_;
  Mutex& mutex_;
  std::atomic<bool> ending_ = false;
  std::vector<std::thread> threads_;
};

absl::Status Renew(absl::string_view what, BenchNode& node, absl::Duration shift) {
  const auto before = node.credentials().Current();
  node.renewal_clock().Shift(shift);
  RETURN_IF_ERROR(node.credentials().Renew());
  const auto after = node.credentials().Current();
  const bool renewed =
      what == "token" ? after->token != before->token : after->chain[0].sha256 != before->chain[0].sha256;
  return renewed ? absl::OkStatus() : absl::InternalError(absl::StrCat("a ", what, " was not renewed"));
}

absl::StatusOr<std::unique_ptr<BenchNode>> Join(Federation& federation, const std::string& label) {
  ASSIGN_OR_RETURN(const auto config, federation.Invite(label));
  return BenchNode::Start(config, EchoRows(), NewGuardedEcho);
}

}  // namespace

absl::StatusOr<RotationResult> MeasureRotation(Federation& federation, const RotationLoad& load) {
  ASSIGN_OR_RETURN(const std::unique_ptr<BenchNode> server, Join(federation, kServer));
  RETURN_IF_ERROR(server->List());
  ASSIGN_OR_RETURN(const std::unique_ptr<BenchNode> first, Join(federation, "rotating-client"));
  ASSIGN_OR_RETURN(const std::unique_ptr<BenchNode> second, Join(federation, "renewing-client"));
  // It must know the two that joined after it.
  RETURN_IF_ERROR(server->RefreshNow());
  server->Refresh();

  RotationResult result;
  Mutex mutex;
  {
    const Load certificates(*first, load.callers, result, mutex);
    const Load tokens(*second, load.callers, result, mutex);
    for (int i = 1; i <= load.each; ++i) {
      RETURN_IF_ERROR(Renew("certificate", *server, kPastHalfLife));
      RETURN_IF_ERROR(Renew("certificate", *first, kPastHalfLife));
      RETURN_IF_ERROR(Renew("token", *second, i * kPastToken));
      result.rotations += 3;
    }
  }
  return result;
}

}  // namespace tsunagi::bench
