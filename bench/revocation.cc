#include "bench/revocation.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bench/node.h"
#include "core/base/status_macros.h"
#include "grpcpp/client_context.h"
#include "services/rpc/status.h"
#include "tsunagi/identity/v1/trust_service.grpc.pb.h"

namespace tsunagi::bench {
namespace {

using identity::v1::TrustService;

constexpr absl::Duration kPace = absl::Milliseconds(50);
constexpr absl::Duration kLimit = absl::Minutes(1);
constexpr char kSuspect[] = "suspect";

// Calls one node at a steady pace over one connection, on a thread of its own.
class Caller {
 public:
  Caller(BenchNode& from, BenchNode& to)
      : stub_(TrustService::NewStub(
            from.credentials().NewChannel(*from.credentials().Current(), to.address(), to.dns_name()))),
        thread_([this] { Loop(); }) {}
  ~Caller() {
    {
      MutexLock lock(mutex_);
      ending_ = true;
    }
    changed_.NotifyAll();
    thread_.join();
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // Waits until the node answers as asked for (true: refuses); when that was. Infinite beyond kLimit.
  absl::Time WaitUntil(bool refused) {
    const absl::Time limit = absl::Now() + kLimit;
    MutexLock lock(mutex_);
    while (!ever_ || refused_ != refused) {
      const absl::Duration left = limit - absl::Now();
      if (left <= absl::ZeroDuration()) return absl::InfiniteFuture();
      changed_.WaitFor(mutex_, absl::ToChronoMilliseconds(left));
    }
    return since_;
  }

 private:
  void Loop() {
    while (true) {
      const absl::Time turn = absl::Now() + kPace;
      const absl::Status status = Call();
      const absl::Time now = absl::Now();
      MutexLock lock(mutex_);
      const bool refused = absl::IsPermissionDenied(status);
      // Anything else is neither: it is tried again.
      if ((status.ok() || refused) && (!ever_ || refused != refused_)) {
        ever_ = true;
        refused_ = refused;
        since_ = now;
        changed_.NotifyAll();
      }
      while (!ending_ && absl::Now() < turn) {
        changed_.WaitFor(mutex_, absl::ToChronoMicroseconds(turn - absl::Now()));
      }
      if (ending_) return;
    }
  }

  absl::Status Call() {
    identity::v1::GetTrustListsRequest request;
    request.set_known_directory(std::numeric_limits<uint64_t>::max());
    request.set_known_status(std::numeric_limits<uint64_t>::max());
    identity::v1::GetTrustListsResponse response;
    grpc::ClientContext context;
    return rpc::FromGrpcStatus(stub_->GetTrustLists(&context, request, &response));
  }

  const std::unique_ptr<TrustService::Stub> stub_;
  Mutex mutex_;
  CondVar changed_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool ever_ ABSL_GUARDED_BY(mutex_) = false;
  bool refused_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time since_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

// Waits until every node answers as asked for; when each began to.
absl::StatusOr<std::vector<absl::Time>> WaitForAll(const std::vector<std::unique_ptr<Caller>>& callers,
                                                   bool refused) {
  std::vector<absl::Time> times;
  times.reserve(callers.size());
  for (const std::unique_ptr<Caller>& caller : callers) times.push_back(caller->WaitUntil(refused));
  if (std::count(times.begin(), times.end(), absl::InfiniteFuture()) > 0) {
    return absl::DeadlineExceededError(
        absl::StrCat("a node did not ", refused ? "refuse" : "accept", " the party's calls within a minute"));
  }
  return times;
}

}  // namespace

absl::StatusOr<std::vector<std::vector<double>>> MeasureRevocation(Federation& federation,
                                                                   const RevocationLoad& load) {
  const std::string kind = load.watch ? "pushed" : "refreshed";
  ASSIGN_OR_RETURN(const auto suspect_config, federation.Invite(absl::StrCat(kSuspect, "-", kind)));
  std::vector<internal::v1::NodeConfig> configs;
  for (int i = 0; i < load.nodes; ++i) {
    ASSIGN_OR_RETURN(configs.emplace_back(), federation.Invite(absl::StrCat(kind, "-", i)));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<BenchNode> suspect, BenchNode::Start(suspect_config));
  std::vector<std::unique_ptr<BenchNode>> nodes;
  for (const internal::v1::NodeConfig& config : configs) {
    ASSIGN_OR_RETURN(nodes.emplace_back(), BenchNode::Start(config));
    nodes.back()->Refresh();
    if (load.watch) nodes.back()->Watch();
  }
  std::vector<std::unique_ptr<Caller>> callers;
  callers.reserve(nodes.size());
  for (const std::unique_ptr<BenchNode>& node : nodes) {
    callers.push_back(std::make_unique<Caller>(*suspect, *node));
  }

  std::vector<std::vector<double>> rounds;
  for (int round = 0; round < load.rounds; ++round) {
    RETURN_IF_ERROR(WaitForAll(callers, /*refused=*/false).status());
    RETURN_IF_ERROR(federation.SetSuspended(suspect_config.participant(), true));
    const absl::Time replied = absl::Now();
    ASSIGN_OR_RETURN(const std::vector<absl::Time> refused, WaitForAll(callers, /*refused=*/true));
    std::vector<double>& milliseconds = rounds.emplace_back();
    for (const absl::Time time : refused) {
      milliseconds.push_back(std::max(0.0, absl::ToDoubleMilliseconds(time - replied)));
    }
    RETURN_IF_ERROR(federation.SetSuspended(suspect_config.participant(), false));
  }
  return rounds;
}

}  // namespace tsunagi::bench
