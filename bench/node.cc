#include "bench/node.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "identity/names.h"
#include "services/process/enrolment.h"
#include "services/process/listing.h"
#include "services/process/registrar.h"

namespace tsunagi::bench {
namespace {

constexpr char kProcess[] = "node";

}  // namespace

BenchNode::BenchNode(const internal::v1::NodeConfig& config, process::Keys keys,
                     const crypto::Certificate& root)
    : config_(config),
      keys_(std::move(keys)),
      trust_(root, config.federation(), clock_),
      tokens_(trust_, clock_),
      keeper_(config.data_dir(), trust_),
      registrar_log_(config.data_dir(), trust_) {}

absl::StatusOr<std::unique_ptr<BenchNode>> BenchNode::Start(const internal::v1::NodeConfig& config,
                                                            const std::vector<rpc::AccessRow>& rows,
                                                            const MakeService& more) {
  SystemRandom random;
  ASSIGN_OR_RETURN(process::Keys keys, process::LoadKeys(config.data_dir(), config.shared_dir(), random));
  ASSIGN_OR_RETURN(const crypto::Certificate root, process::LoadRoot(config));
  std::unique_ptr<BenchNode> node(new BenchNode(config, std::move(keys), root));
  RETURN_IF_ERROR(node->Join(root));
  RETURN_IF_ERROR(node->Serve(rows, more));
  return node;
}

absl::Status BenchNode::Join(const crypto::Certificate& root) {
  ASSIGN_OR_RETURN(std::vector<crypto::Certificate> chain,
                   process::LoadCertificate(config_, kProcess, keys_.tls, {root}, clock_));
  credentials_ = std::make_unique<process::Credentials>(config_, kProcess, keys_.tls, trust_,
                                                        std::move(chain), renewal_clock_);
  channels_ = std::make_unique<process::Channels>(config_, *credentials_, trust_);
  RETURN_IF_ERROR(credentials_->Renew());
  return RefreshNow();
}

absl::Status BenchNode::Serve(const std::vector<rpc::AccessRow>& rows, const MakeService& more) {
  std::vector<rpc::AccessRow> all = process::TrustRows();
  all.insert(all.end(), rows.begin(), rows.end());
  guard_ = std::make_unique<rpc::Guard>(
      rpc::GuardOptions{.own_label = config_.participant(), .federation = config_.federation()},
      std::move(all), tokens_, trust_, clock_);
  trust_service_ = std::make_unique<process::TrustService>(*guard_, keeper_, registrar_log_);
  std::vector<grpc::Service*> services = {trust_service_.get()};
  if (more) {
    more_ = more(*guard_);
    services.push_back(more_.get());
  }
  rpc::ServerOptions options;
  options.listen = config_.listen();
  options.tls = {config_.data_dir() + "/tls.key", config_.data_dir() + "/tls.crt",
                 config_.data_dir() + "/root.crt"};
  ASSIGN_OR_RETURN(server_, rpc::Server::Start(options, *guard_, services));
  return absl::OkStatus();
}

absl::Status BenchNode::RefreshNow() {
  process::Registrar registrar(channels_->ToRegistrar());
  return keeper_.Refresh(registrar);
}

void BenchNode::Refresh() {
  refresh_ =
      std::make_unique<process::Ticker>(absl::Seconds(static_cast<int64_t>(config_.trust_refresh_seconds())),
                                        [this] { RefreshNow().IgnoreError(); });
}

void BenchNode::Watch() {
  watch_ = std::make_unique<process::StatusWatch>(
      [this] { return channels_->ToRegistrar(); },
      [this](const auto& list) { return keeper_.TakeStatusList(list); }, clock_, random_);
}

absl::Status BenchNode::List() {
  process::Registrar registrar(channels_->ToRegistrar());
  ASSIGN_OR_RETURN(const auto self, trust_.View()->Find(config_.participant()));
  const std::string origin = identity::LogOrigin(kProcess, config_.participant(), config_.federation());
  return registrar.ListKeys(process::ListingOf(keys_, self->participant.did(), origin, kProcess, address()))
      .status();
}

std::string BenchNode::address() const { return absl::StrCat("127.0.0.1:", server_->port()); }

std::string BenchNode::dns_name() const {
  return identity::ProcessDnsName(kProcess, config_.participant(), config_.federation());
}

}  // namespace tsunagi::bench
