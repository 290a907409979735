#include "services/process/participant_process.h"

#include <atomic>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/requests.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/store/store.h"
#include "identity/names.h"
#include "identity/revoked_mandates.h"
#include "services/metrics/endpoint.h"
#include "services/ops/operations_service.h"
#include "services/process/channels.h"
#include "services/process/config.h"
#include "services/process/cosigner.h"
#include "services/process/credentials.h"
#include "services/process/enrolment.h"
#include "services/process/keys.h"
#include "services/process/listing.h"
#include "services/process/metrics.h"
#include "services/process/registrar_log.h"
#include "services/process/signals.h"
#include "services/process/stamper.h"
#include "services/process/status_watch.h"
#include "services/process/ticker.h"
#include "services/process/trust_keeper.h"
#include "services/process/trust_peers.h"
#include "services/process/trust_service.h"

namespace tsunagi::process {
namespace {

using internal::v1::NodeConfig;

constexpr int kWorkers = 16;
constexpr int kInboundWorkers = 4;
constexpr size_t kWorkerQueue = 1024;
constexpr absl::Duration kDrain = absl::Seconds(10);
// How often renewals, the listing and stamps are looked at; each decides by the clock whether it is due.
constexpr absl::Duration kUpkeep = absl::Seconds(5);
constexpr absl::Duration kForgetting = absl::Hours(1);

// With those of the services that every process has.
std::vector<rpc::AccessRow> WithCommonRows(std::vector<rpc::AccessRow> rows) {
  for (const rpc::AccessRow& row : ops::OperationsRows()) rows.push_back(row);
  for (const rpc::AccessRow& row : TrustRows()) rows.push_back(row);
  return rows;
}

// The one process of a participant that serves AccountService.
bool KeepsAccounts(absl::string_view process) { return process == "node" || process == "connector"; }

void LogFailure(absl::string_view what, const absl::Status& status) {
  if (status.ok()) return;
  log::Warning("upkeep failed", {{"what", std::string(what)}, {"reason", std::string(status.message())}});
}

class Process final : public ParticipantProcess {
 public:
  Process(const NodeConfig& config, std::string process, Keys keys, const crypto::Certificate& root)
      : config_(config),
        process_(std::move(process)),
        keys_(std::move(keys)),
        trust_(root, config.federation(), clock_),
        tokens_(trust_, clock_),
        session_file_(config_.shared_dir() + "/sessions"),
        sessions_(clock_, KeepsAccounts(process_) ? "" : session_file_),
        trust_keeper_(config.data_dir(), trust_),
        registrar_log_(config.data_dir(), trust_) {}

  // The steps of Start, in this order.
  absl::Status Join();
  absl::Status OpenJournal();
  void Protect(std::vector<rpc::AccessRow> rows);

  const Clock& clock() const override { return clock_; }
  Random& random() override { return random_; }
  audit::Journal& journal() override { return *journal_; }
  const identity::TrustStore& trust() const override { return trust_; }
  const std::string& did() const override { return did_; }
  const std::string& label() const override { return config_.participant(); }
  const crypto::PrivateKey& signing_key() const override { return keys_.signing; }
  const std::string& seal_key() const override { return keys_.seal; }
  const std::string& node_key() const override { return keys_.node; }
  rpc::WorkerPool& workers() override { return workers_; }
  rpc::WorkerPool& inbound() override { return inbound_; }
  rpc::Guard& guard() override { return *guard_; }
  people::SessionTable& sessions() override { return sessions_; }
  const std::string& session_file() const override { return session_file_; }
  absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelTo(absl::string_view participant,
                                                           absl::string_view process) override {
    return channels_->To(participant, process);
  }
  absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelToRegistrar() override {
    return channels_->ToRegistrar();
  }
  absl::Status Serve(const std::vector<grpc::Service*>& services) override;
  void Stop() override { signals_.Stop(); }

 private:
  absl::StatusOr<std::vector<crypto::Certificate>> GetCertificate();
  absl::Status GetToken();
  absl::Status RefreshTrust();
  // Which federations are trusted has changed, and is to be fetched.
  bool MissesFederations() const;
  absl::Status EnsureListed();
  absl::Status Announce(int port);
  void Upkeep();
  void Cosign();
  absl::Status MakeStamper();
  absl::Status ForgetReplies();
  ops::v1::GetHealthResponse Health() const;
  using RenewDone = std::function<void(absl::StatusOr<absl::Time>)>;
  void RenewCertificate(const RenewDone& done);
  rpc::ServerOptions Options() const;
  absl::StatusOr<std::unique_ptr<metrics::Endpoint>> StartMetrics() const;

  StopSignals signals_;  // first: before any thread starts
  const NodeConfig config_;
  const std::string process_;
  const SystemClock clock_;
  SystemRandom random_;
  const Keys keys_;
  std::string did_;
  identity::TrustStore trust_;
  identity::TokenVerifier tokens_;
  const std::string session_file_;
  people::SessionTable sessions_;
  TrustKeeper trust_keeper_;
  RegistrarLog registrar_log_;
  std::unique_ptr<Credentials> credentials_;
  std::unique_ptr<Channels> channels_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<audit::Journal> journal_;
  std::unique_ptr<Cosigner> cosigner_;
  std::unique_ptr<Stamper> stamper_;  // null without a stamping authority
  std::unique_ptr<rpc::Guard> guard_;
  identity::v1::ListKeysRequest listing_;  // set before the upkeep threads start
  absl::Time forgot_ = absl::InfinitePast();
  std::atomic<int64_t> cosigned_at_ = 0;
  rpc::WorkerPool workers_{kWorkers, kWorkerQueue};
  rpc::WorkerPool inbound_{kInboundWorkers, kWorkerQueue};
};

absl::Status Process::Join() {
  trust_keeper_.Load();
  ASSIGN_OR_RETURN(std::vector<crypto::Certificate> chain, GetCertificate());
  RETURN_IF_ERROR(signals_.Check());
  credentials_ =
      std::make_unique<Credentials>(config_, process_, keys_.tls, trust_, std::move(chain), clock_);
  channels_ = std::make_unique<Channels>(config_, *credentials_, trust_);
  RETURN_IF_ERROR(GetToken());
  RETURN_IF_ERROR(signals_.Check());
  const absl::Status refreshed = RefreshTrust();
  LogFailure("fetching directory and status list", refreshed);
  const auto self = trust_.View()->Find(config_.participant());
  if (!self.ok()) return refreshed.ok() ? self.status() : refreshed;
  did_ = (*self)->participant.did();
  return absl::OkStatus();
}

// A process that was away while roots were rolled believes the registrar only once it knows the bundle.
absl::StatusOr<std::vector<crypto::Certificate>> Process::GetCertificate() {
  const auto load = [this] {
    return LoadCertificate(config_, process_, keys_.tls, trust_.View()->bundle->RootsAt(clock_.Now()),
                           clock_);
  };
  absl::StatusOr<std::vector<crypto::Certificate>> chain = load();
  if (chain.ok() || !trust_keeper_.RefreshFromEdge(config_.registrar().est_url()).value_or(false))
    return chain;
  return load();
}

// The kept token carries a restart over an outage of the registrar.
absl::Status Process::GetToken() {
  const absl::Status kept = credentials_->TakeKeptToken(tokens_);
  absl::Status renewed = credentials_->Renew();
  if (!renewed.ok() && trust_keeper_.RefreshFromEdge(config_.registrar().est_url()).value_or(false)) {
    renewed = credentials_->Renew();
  }
  if (!renewed.ok() && kept.ok()) LogFailure("renewing the token", renewed);
  return kept.ok() ? kept : renewed;
}

// From the registrar; while it is away from others, which changes nothing about the registrar's being away.
absl::Status Process::RefreshTrust() {
  Registrar registrar(channels_->ToRegistrar());
  absl::Status refreshed = trust_keeper_.Refresh(registrar);
  if (refreshed.ok()) return refreshed;
  const std::shared_ptr<const identity::TrustView> view = trust_.View();
  const auto peers = ChooseTrustPeers(*view, {config_.participant(), process_}, random_);
  if (!peers.empty()) {
    LogFailure(
        "asking other processes for directory and status list",
        AskTrustPeers(
            peers, [this](const TrustPeer& peer) { return channels_->To(peer.participant, peer.process); },
            *view, trust_keeper_));
  }
  // Not believed any more, or not away: roots were rolled while this process was.
  if (!trust_keeper_.RefreshFromEdge(config_.registrar().est_url()).value_or(false)) return refreshed;
  Registrar believed(channels_->ToRegistrar());
  return trust_keeper_.Refresh(believed);
}

absl::Status Process::OpenJournal() {
  ASSIGN_OR_RETURN(store_, store::OpenRocksStore(config_.data_dir() + "/store"));
  ASSIGN_OR_RETURN(journal_,
                   audit::Journal::Open(
                       *store_, identity::LogOrigin(process_, config_.participant(), config_.federation()),
                       keys_.log, random_));
  cosigner_ = std::make_unique<Cosigner>(*journal_, trust_);
  return config_.has_stamping_authority() ? MakeStamper() : absl::OkStatus();
}

// What is stamped is cosigned, so that the registrar's time is under the stamp as well.
absl::Status Process::MakeStamper() {
  const auto newest = [this] { return journal_->store().Get(store::Table::kState, ops::CosignedKey()); };
  ASSIGN_OR_RETURN(stamper_, Stamper::New(config_.stamping_authority(), *journal_, newest, clock_, random_));
  return absl::OkStatus();
}

void Process::Protect(std::vector<rpc::AccessRow> rows) {
  rpc::GuardOptions options;
  options.own_label = config_.participant();
  options.federation = config_.federation();
  options.status_list_max_age = absl::Seconds(static_cast<int64_t>(config_.status_list_max_age_seconds()));
  options.revoked_mandates = std::make_shared<const identity::RevokedMandates>(config_.shared_dir());
  guard_ = std::make_unique<rpc::Guard>(options, WithCommonRows(std::move(rows)), tokens_, trust_, clock_,
                                        &sessions_);
}

rpc::ServerOptions Process::Options() const {
  rpc::ServerOptions options;
  options.listen = config_.listen();
  options.tls = {config_.data_dir() + "/tls.key", config_.data_dir() + "/tls.crt",
                 config_.data_dir() + "/client-roots.crt"};
  return options;
}

// The address that others are told is known once the port is bound.
absl::Status Process::Announce(int port) {
  const std::string host = config_.listen().substr(0, config_.listen().rfind(':'));
  const std::string bound = absl::StrCat(host, ":", port);
  listing_ = ListingOf(keys_, did_, journal_->origin(), process_,
                       config_.advertise().empty() ? bound : config_.advertise());
  return WriteFileAtomically(config_.data_dir() + "/listen", bound + "\n", 0600);
}

bool Process::MissesFederations() const {
  const std::shared_ptr<const identity::TrustView> view = trust_.View();
  return view->federations->version < view->federations_required;
}

absl::Status Process::EnsureListed() {
  ASSIGN_OR_RETURN(const auto self, trust_.View()->Find(did_));
  if (IsListed(self->participant, listing_)) return absl::OkStatus();
  Registrar registrar(channels_->ToRegistrar());
  RETURN_IF_ERROR(registrar.ListKeys(listing_).status());
  return RefreshTrust();
}

// On the upkeep thread.
void Process::Upkeep() {
  LogFailure("renewing certificate or token", credentials_->Renew());
  LogFailure("listing keys and endpoint", EnsureListed());
  LogFailure("forgetting old replies", ForgetReplies());
}

absl::Status Process::ForgetReplies() {
  if (clock_.Now() - forgot_ < kForgetting) return absl::OkStatus();
  forgot_ = clock_.Now();
  return audit::ForgetReplies(*journal_, forgot_);
}

ops::v1::GetHealthResponse Process::Health() const {
  ops::v1::GetHealthResponse health;
  health.set_state(ops::v1::HEALTH_STATE_SERVING);
  const absl::Duration age = trust_.StatusAge();
  const absl::Duration left = credentials_->Current()->chain[0].not_after - clock_.Now();
  health.set_status_list_age_seconds(static_cast<uint64_t>(absl::ToInt64Seconds(age)));
  health.set_certificate_expires_in_seconds(absl::ToInt64Seconds(left));
  if (age > absl::Seconds(static_cast<int64_t>(config_.status_list_max_age_seconds()))) {
    health.set_state(ops::v1::HEALTH_STATE_NOT_SERVING);
    health.add_notes("the status list is too old: the registrar must be reachable again");
  }
  if (left <= absl::ZeroDuration()) {
    health.set_state(ops::v1::HEALTH_STATE_NOT_SERVING);
    health.add_notes("the certificate has expired: the registrar must be reachable to renew it");
  }
  if (stamper_ != nullptr && !stamper_->Trouble().empty()) health.add_notes(stamper_->Trouble());
  if (std::string alarm = registrar_log_.Alarm(); !alarm.empty()) health.add_notes(std::move(alarm));
  return health;
}

void Process::RenewCertificate(const RenewDone& done) {
  const absl::Status queued = workers_.Run([this, done] { done(credentials_->RenewNow()); });
  if (!queued.ok()) done(queued);
}

void Process::Cosign() {
  Registrar registrar(channels_->ToRegistrar());
  const absl::Status cosigned = cosigner_->Run(registrar);
  if (cosigned.ok()) cosigned_at_ = absl::ToUnixSeconds(clock_.Now());
  LogFailure("cosigning the checkpoint", cosigned);
  LogFailure("comparing the registrar's log", registrar_log_.Look(registrar));
}

absl::StatusOr<std::unique_ptr<metrics::Endpoint>> Process::StartMetrics() const {
  const auto collect = [this](metrics::Families& families) {
    CollectMetrics({process_, clock_, *guard_, trust_, *credentials_, *journal_, *cosigner_, cosigned_at_,
                    sessions_, workers_, inbound_},
                   families);
  };
  return metrics::StartAndAnnounce(config_.metrics().listen(), config_.data_dir(), collect);
}

absl::Status Process::Serve(const std::vector<grpc::Service*>& services) {
  // Before it serves: a store that was restored must not release on from an older log. An empty log's key
  // need not be listed yet.
  if (journal_->Size() > 0) Cosign();
  ops::OperationsService operations(
      *guard_, *journal_,
      {[this] { return Health(); }, [this](const RenewDone& done) { RenewCertificate(done); }});
  TrustService trust_service(*guard_, trust_keeper_, registrar_log_);
  std::vector<grpc::Service*> all = services;
  all.push_back(&operations);
  all.push_back(&trust_service);
  ASSIGN_OR_RETURN(const std::unique_ptr<rpc::Server> server, rpc::Server::Start(Options(), *guard_, all));
  RETURN_IF_ERROR(Announce(server->port()));
  LogFailure("listing keys and endpoint", EnsureListed());
  Cosign();
  log::Info("serving", {{"port", absl::StrCat(server->port())}, {"participant", did_}});
  {
    Ticker trust(absl::Seconds(static_cast<int64_t>(config_.trust_refresh_seconds())),
                 [this] { LogFailure("fetching directory and status list", RefreshTrust()); });
    const StatusWatch watch([this] { return channels_->ToRegistrar(); },
                            [&](const auto& list) {
                              absl::Status taken = trust_keeper_.TakeStatusList(list);
                              if (MissesFederations()) trust.Wake();
                              return taken;
                            },
                            clock_, random_);
    const Ticker upkeep(kUpkeep, [this] { Upkeep(); });
    const Ticker cosign(absl::Seconds(static_cast<int64_t>(config_.cosign_seconds())), [this] { Cosign(); });
    std::optional<Ticker> stamp;
    if (stamper_ != nullptr)
      stamp.emplace(kUpkeep, [this] { LogFailure("stamping the checkpoint", stamper_->Run()); });
    ASSIGN_OR_RETURN(const auto metrics, StartMetrics());
    signals_.Wait();
    log::Info("draining");
    server->Drain(kDrain);
  }
  // What calls have left in the journal completes while the services still live.
  journal_->Settle();
  return journal_->Health();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ParticipantProcess>> ParticipantProcess::Start(
    const NodeConfig& given, const std::string& process, std::vector<rpc::AccessRow> rows) {
  RETURN_IF_ERROR(identity::CheckProcess(process));
  const NodeConfig config = WithDefaults(given);
  SystemRandom random;
  ASSIGN_OR_RETURN(Keys keys, LoadKeys(config.data_dir(), config.shared_dir(), random));
  ASSIGN_OR_RETURN(const crypto::Certificate root, LoadRoot(config));
  auto started = std::make_unique<Process>(config, process, std::move(keys), root);
  RETURN_IF_ERROR(started->Join());
  RETURN_IF_ERROR(started->OpenJournal());
  started->Protect(std::move(rows));
  return started;
}

}  // namespace tsunagi::process
