// What a node has of identity and trust, by the product's own classes, and nothing else: no store, log or
// records.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "identity/token.h"
#include "identity/trust.h"
#include "services/process/channels.h"
#include "services/process/credentials.h"
#include "services/process/keys.h"
#include "services/process/registrar_log.h"
#include "services/process/status_watch.h"
#include "services/process/ticker.h"
#include "services/process/trust_keeper.h"
#include "services/process/trust_service.h"
#include "services/rpc/guard.h"
#include "services/rpc/server.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi::bench {

// The machine's clock, put forward by the bench so that renewals are due.
class ShiftedClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now() + absl::Nanoseconds(shift_.load()); }
  void Shift(absl::Duration shift) { shift_ = absl::ToInt64Nanoseconds(shift); }

 private:
  std::atomic<int64_t> shift_ = 0;
};

// A node that has enrolled, has a token and both lists, and serves TrustService behind its Guard.
class BenchNode {
 public:
  // `config` as LoadConfig gives it, with an invitation. `more` makes a further service of the Guard; its
  // rows are `rows`. Blocks.
  using MakeService = std::function<std::unique_ptr<grpc::Service>(rpc::Guard&)>;
  static absl::StatusOr<std::unique_ptr<BenchNode>> Start(const internal::v1::NodeConfig& config,
                                                          const std::vector<rpc::AccessRow>& rows = {},
                                                          const MakeService& more = nullptr);
  // Fetches both lists. Blocks.
  absl::Status RefreshNow();
  // Refreshes the lists as often as the configuration says from now on.
  void Refresh();
  // Keeps a watch of the status list open from now on.
  void Watch();
  // Tells the registrar where it listens, for the other nodes' channels. Blocks.
  absl::Status List();

  std::string address() const;
  std::string dns_name() const;
  process::Credentials& credentials() { return *credentials_; }
  process::Channels& channels() { return *channels_; }
  process::TrustKeeper& keeper() { return keeper_; }
  const identity::TrustStore& trust() const { return trust_; }
  // Of the credentials alone.
  ShiftedClock& renewal_clock() { return renewal_clock_; }

 private:
  BenchNode(const internal::v1::NodeConfig& config, process::Keys keys, const crypto::Certificate& root);
  absl::Status Join(const crypto::Certificate& root);
  absl::Status Serve(const std::vector<rpc::AccessRow>& rows, const MakeService& more);

  const internal::v1::NodeConfig config_;
  const SystemClock clock_{};
  ShiftedClock renewal_clock_;
  SystemRandom random_;
  const process::Keys keys_;
  identity::TrustStore trust_;
  identity::TokenVerifier tokens_;
  process::TrustKeeper keeper_;
  process::RegistrarLog registrar_log_;
  std::unique_ptr<process::Credentials> credentials_;
  std::unique_ptr<process::Channels> channels_;
  std::unique_ptr<rpc::Guard> guard_;
  std::unique_ptr<process::TrustService> trust_service_;
  std::unique_ptr<grpc::Service> more_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<process::Ticker> refresh_;
  std::unique_ptr<process::StatusWatch> watch_;
};

}  // namespace tsunagi::bench
