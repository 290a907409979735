#include "services/identity/registrar_process.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/audit/requests.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mutex.h"
#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "core/store/store.h"
#include "identity/entries.h"
#include "identity/people/people.h"
#include "identity/restore.h"
#include "identity/token.h"
#include "services/accounts/service.h"
#include "services/http/server.h"
#include "services/identity/authority_service.h"
#include "services/identity/backup.h"
#include "services/identity/backup_service.h"
#include "services/identity/edge.h"
#include "services/identity/federation_follower.h"
#include "services/identity/federation_trust_service.h"
#include "services/identity/mandate_registry_service.h"
#include "services/identity/member_lists.h"
#include "services/identity/membership_service.h"
#include "services/identity/metrics.h"
#include "services/identity/own_credentials.h"
#include "services/identity/resume.h"
#include "services/identity/service.h"
#include "services/metrics/common.h"
#include "services/metrics/endpoint.h"
#include "services/ops/operations_service.h"
#include "services/process/stamper.h"
#include "services/process/ticker.h"
#include "services/rpc/server.h"
#include "services/rpc/worker_pool.h"

namespace tsunagi::identity {
namespace {

using internal::v1::RegistrarConfig;

// Rolled roots and certificates are shown this soon; what is signed anew decides by its own age.
constexpr absl::Duration kUpkeep = absl::Seconds(1);
constexpr absl::Duration kDrain = absl::Seconds(10);
// Between two times that members are asked who did not answer before: twice as long each time.
constexpr absl::Duration kFirstPause = absl::Seconds(5);
constexpr absl::Duration kLongestPause = absl::Minutes(1);

absl::Status MakeDataFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (!error) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("`data_dir` is `", folder, "`: ", error.message()));
}

// Of a backup that was killed: it may hold what is erased from now on.
void RemoveStoreCheckpoint(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(absl::StrCat(folder, "/", kStoreCheckpoint), ignored);
}

absl::string_view HostOf(absl::string_view address) {
  absl::string_view host = address.substr(0, address.rfind(':'));
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  return host;
}

std::string WithPort(absl::string_view listen, int port) {
  return absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
}

// The hosts under which newcomers reach EST.
std::vector<std::string> EdgeHosts(const RegistrarConfig& config) {
  std::vector<std::string> hosts;
  for (const std::string& address : {config.est_listen(), config.est_advertise()}) {
    const std::string host(HostOf(address));
    const bool any = host.empty() || host == "0.0.0.0" || host == "::";
    if (!any && std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
  }
  return hosts;
}

class Process final : public RegistrarProcess {
 public:
  Process(const RegistrarConfig& config, const Clock& clock, std::unique_ptr<store::Store> store,
          Authority authority)
      : config_(config),
        clock_(clock),
        authority_(std::move(authority)),
        credentials_(config.data_dir(), EdgeHosts(config), authority_, clock, config.federation(),
                     absl::Seconds(static_cast<int64_t>(config.certificate_seconds()))),
        store_(std::move(store)) {}

  ~Process() override {
    following_.reset();
    metrics_.reset();
    upkeep_.reset();
    stamping_.reset();
    edge_.reset();
    if (service_ != nullptr) service_->EndWatches();
    if (server_ != nullptr) server_->Drain(kDrain);
  }

  absl::Status Open() {
    ASSIGN_OR_RETURN(const uint64_t epoch, LoadEpoch(*store_));
    ASSIGN_OR_RETURN(journal_, audit::Journal::Open(*store_, RegistrarOrigin(config_.federation(), epoch),
                                                    authority_.Get()->log, random_));
    if (config_.has_stamping_authority()) RETURN_IF_ERROR(MakeStamper());
    {
      MutexLock lock(mutex_);
      RETURN_IF_ERROR(credentials_.RenewCertificates());
    }
    // Before anything is signed or answered.
    RETURN_IF_ERROR(CompareWithMembers());
    // The edge comes first: its port stands in the invitations that the registrar makes.
    RETURN_IF_ERROR(StartEdge());
    ASSIGN_OR_RETURN(registrar_,
                     Registrar::Open({*journal_, authority_, clock_, random_, Options()},
                                     {members_->bundle(), members_->directory(), members_->status_list()}));
    {
      MutexLock lock(mutex_);
      RETURN_IF_ERROR(credentials_.KeepRoots(registrar_->trust().RootsPem()));
    }
    RETURN_IF_ERROR(StartServer());
    if (journal_->Health().ok()) {
      RETURN_IF_ERROR(registrar_->WriteOperatorInvitation(config_.data_dir() + "/operator-invitation"));
    }
    serving_ = registrar_.get();
    RETURN_IF_ERROR(WriteFileAtomically(config_.data_dir() + "/est-listen",
                                        WithPort(config_.est_listen(), edge_->port()) + "\n", 0600));
    RETURN_IF_ERROR(WriteFileAtomically(config_.data_dir() + "/listen",
                                        WithPort(config_.listen(), server_->port()) + "\n", 0600));
    ASSIGN_OR_RETURN(metrics_, metrics::StartAndAnnounce(
                                   config_.metrics().listen(), config_.data_dir(),
                                   [this](metrics::Families& families) { CollectMetrics(families); }));
    upkeep_ = std::make_unique<process::Ticker>(kUpkeep, [this] { Upkeep(); });
    if (stamper_ != nullptr) stamping_ = std::make_unique<process::Ticker>(kUpkeep, [this] { Stamp(); });
    following_ = std::make_unique<process::Ticker>(
        absl::Seconds(static_cast<int64_t>(config_.federation_refresh_seconds())),
        [this] { follower_->Run(); });
    following_->Wake();
    return absl::OkStatus();
  }

  int port() const override { return server_->port(); }
  int est_port() const override { return edge_->port(); }
  Registrar& registrar() override { return *registrar_; }

 private:
  // Whether this store is the newest state of the registrar (ADR 0017).
  absl::Status CompareWithMembers() {
    ASSIGN_OR_RETURN(members_, MemberLists::Open(*journal_, authority_, clock_, random_, config_.data_dir(),
                                                 config_.federation()));
    const absl::StatusOr<StoredParticipant> self = LoadEntry(*store_, kRegistrarLabel);
    // Before the first start ends there are no members either.
    if (absl::IsNotFound(self.status())) return absl::OkStatus();
    RETURN_IF_ERROR(self.status());
    {
      MutexLock lock(mutex_);
      RETURN_IF_ERROR(credentials_.WriteToken(self->participant().did()));
    }
    RETURN_IF_ERROR(members_->Look());
    next_look_ = clock_.Now() + kFirstPause;
    unsure_ = !members_->Enough();
    const std::string note = absl::StrCat(config_.data_dir(), "/", kBackupNote);
    std::error_code error;
    const bool is_copy = std::filesystem::exists(note, error);
    if (CloseIfRestored() || !is_copy) return absl::OkStatus();
    if (members_->Enough()) {
      std::filesystem::remove(note, error);
      return absl::OkStatus();
    }
    Close(absl::StrCat("this is a copy that `backup` made, and only ", AnswerCount(),
                       ": start again when more can be reached, or see `After a registrar's restore` in "
                       "docs/operations.md; until then nothing is written or signed"));
    return absl::OkStatus();
  }

  std::string AnswerCount() const {
    return absl::StrCat(members_->answered().size(), " of ", members_->asked(),
                        " members' processes said what they hold");
  }

  bool CloseIfRestored() {
    if (members_->newer().empty()) return false;
    Close(absl::StrCat("restored from an older copy: ", absl::StrJoin(members_->newer(), "; "),
                       ". Nothing is written or signed: put a newer copy back, or stop the registrar and run "
                       "`tsunagi-identity resume-after-restore` (`After a registrar's restore` in "
                       "docs/operations.md)"));
    return true;
  }

  void Close(const std::string& why) {
    log::Error("closed for writing", {{"reason", why}});
    journal_->RefuseWrites(absl::FailedPreconditionError(why));
  }

  // On the upkeep thread: whoever did not answer at the start is asked again, less and less often.
  absl::Status LookAgain() {
    if (members_->Enough() || clock_.Now() < next_look_) return absl::OkStatus();
    RETURN_IF_ERROR(members_->Look());
    pause_ = std::min(2 * pause_, kLongestPause);
    next_look_ = clock_.Now() + pause_;
    CloseIfRestored();
    unsure_ = !members_->Enough();
    return absl::OkStatus();
  }

  RegistrarOptions Options() const {
    RegistrarOptions options;
    options.federation = config_.federation();
    options.did_host = config_.did_host();
    options.est_url = absl::StrCat("https://", config_.est_advertise().empty()
                                                   ? WithPort(config_.est_listen(), edge_->port())
                                                   : config_.est_advertise());
    options.certificate_life = absl::Seconds(static_cast<int64_t>(config_.certificate_seconds()));
    options.token_life = absl::Seconds(static_cast<int64_t>(config_.token_seconds()));
    options.keys_folder = config_.data_dir() + "/keys";
    options.two_person_approval = config_.two_person_approval();
    options.publish_roster = config_.publish_roster();
    return options;
  }

  // Nobody cosigns the registrar's own log.
  absl::Status MakeStamper() {
    const auto newest = [this] { return absl::StatusOr<std::string>(journal_->LatestCheckpoint()); };
    ASSIGN_OR_RETURN(stamper_,
                     process::Stamper::New(config_.stamping_authority(), *journal_, newest, clock_, random_));
    return absl::OkStatus();
  }

  void Stamp() {
    const absl::Status status = stamper_->Run();
    if (!status.ok()) log::Warning("stamping failed", {{"reason", std::string(status.message())}});
  }

  absl::Status StartEdge() {
    http::HttpsServerOptions options;
    options.listen = config_.est_listen();
    {
      MutexLock lock(mutex_);
      options.key_pem = credentials_.edge_key_pem();
      options.certificate_pem = credentials_.edge_certificate_pem();
    }
    auto started = http::HttpsServer::Start(options, [this](const http::HttpRequest& request) {
      Registrar* const registrar = serving_;
      if (registrar == nullptr)
        return http::HttpResponse{503, "text/plain", "the registrar is starting\n", {}};
      return HandleEdge(*registrar, request);
    });
    RETURN_IF_ERROR(started.status());
    edge_ = *std::move(started);
    return absl::OkStatus();
  }

  absl::Status StartServer() {
    tokens_ = std::make_unique<TokenVerifier>(registrar_->trust(), clock_);
    std::vector<rpc::AccessRow> rows = IdentityRows();
    for (const rpc::AccessRow& row : AuthorityRows()) rows.push_back(row);
    for (const rpc::AccessRow& row : FederationTrustRows()) rows.push_back(row);
    for (const rpc::AccessRow& row : BackupRows()) rows.push_back(row);
    for (const rpc::AccessRow& row : MandateRegistryRows()) rows.push_back(row);
    for (const rpc::AccessRow& row : MembershipRows()) rows.push_back(row);
    for (const rpc::AccessRow& row : ops::OperationsRows()) rows.push_back(row);
    for (const rpc::AccessRow& row : people::AccountRows()) rows.push_back(row);
    rpc::GuardOptions guard;
    guard.own_label = std::string(kRegistrarLabel);
    guard.federation = config_.federation();
    guard_ = std::make_unique<rpc::Guard>(guard, std::move(rows), *tokens_, registrar_->trust(), clock_,
                                          &sessions_);
    ASSIGN_OR_RETURN(people_, people::People::Open(*journal_, clock_, random_, sessions_,
                                                   config_.data_dir() + "/sessions"));
    ASSIGN_OR_RETURN(openid_,
                     people::OpenIdSignIns::Open(config_.openid_provider(), *people_, clock_, random_));
    accounts_ = std::make_unique<people::AccountService>(*guard_, *people_, sessions_, *openid_);
    service_ = std::make_unique<IdentityService>(*guard_, *registrar_);
    authorities_ = std::make_unique<AuthorityService>(*guard_, *registrar_);
    http::EgressOptions egress;
    egress.any_server = true;
    egress.allowed_addresses = {config_.federation_addresses().begin(), config_.federation_addresses().end()};
    follower_ = std::make_unique<FederationFollower>(*registrar_, std::move(egress));
    federations_ = std::make_unique<FederationTrustService>(*guard_, *registrar_, *follower_);
    membership_ = std::make_unique<MembershipService>(*guard_, *registrar_);
    mandates_ = std::make_unique<MandateRegistryService>(*guard_, registrar_->mandates());
    backups_ = std::make_unique<BackupService>(*guard_, *journal_, config_.data_dir());
    operations_ = std::make_unique<ops::OperationsService>(
        *guard_, *journal_,
        ops::ProcessHooks{[this] { return Health(); }, [this](auto done) { QueueRenewal(std::move(done)); }});

    rpc::ServerOptions options;
    options.listen = config_.listen();
    const std::string& folder = config_.data_dir();
    options.tls = {folder + "/tls.key", folder + "/tls.crt", folder + "/root.crt"};
    ASSIGN_OR_RETURN(server_, rpc::Server::Start(
                                  options, *guard_,
                                  {service_.get(), authorities_.get(), federations_.get(), membership_.get(),
                                   mandates_.get(), operations_.get(), accounts_.get(), backups_.get()}));
    if (journal_->Health().ok()) {
      RETURN_IF_ERROR(registrar_->Announce(
          config_.advertise().empty() ? WithPort(config_.listen(), server_->port()) : config_.advertise()));
    }
    MutexLock lock(mutex_);
    not_after_ = absl::ToUnixSeconds(credentials_.not_after());
    return WriteToken();
  }

  absl::Status WriteToken() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ASSIGN_OR_RETURN(const auto self, registrar_->trust().View()->Find(kRegistrarLabel));
    token_written_ = clock_.Now();
    return credentials_.WriteToken(self->participant.did());
  }

  absl::Status RenewCertificates() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    RETURN_IF_ERROR(credentials_.RenewCertificates());
    not_after_ = absl::ToUnixSeconds(credentials_.not_after());
    RETURN_IF_ERROR(edge_->SetCertificate(credentials_.edge_key_pem(), credentials_.edge_certificate_pem()));
    return WriteToken();
  }

  void QueueRenewal(const std::function<void(absl::StatusOr<absl::Time>)>& done) {
    const absl::Status queued = workers_.Run([this, done] {
      MutexLock lock(mutex_);
      const absl::Status renewed = RenewCertificates();
      renewed.ok() ? done(credentials_.not_after()) : done(renewed);
    });
    if (!queued.ok()) done(queued);
  }

  absl::Status RenewWhatIsDue() {
    MutexLock lock(mutex_);
    RETURN_IF_ERROR(credentials_.KeepRoots(registrar_->trust().RootsPem()));
    if (credentials_.AreDue()) return RenewCertificates();
    return clock_.Now() - token_written_ > absl::Hours(1) ? WriteToken() : absl::OkStatus();
  }

  // On the upkeep thread.
  void Upkeep() {
    absl::Status status = RenewWhatIsDue();
    if (journal_->Health().ok()) status.Update(WriteWhatIsDue());
    if (!status.ok()) log::Error("upkeep failed", {{"reason", std::string(status.message())}});
  }

  absl::Status WriteWhatIsDue() {
    absl::Status status = LookAgain();
    if (!journal_->Health().ok()) return status;
    status.Update(registrar_->Refresh());
    if (clock_.Now() - forgot_ >= absl::Hours(1)) {
      status.Update(audit::ForgetReplies(*journal_, clock_.Now()));
      forgot_ = clock_.Now();
    }
    return status;
  }

  void CollectMetrics(metrics::Families& families) const {
    const absl::Time now = clock_.Now();
    metrics::AddBuild(kRegistrarLabel, families);
    metrics::AddCalls(guard_->counts(), families);
    metrics::AddTrust(registrar_->trust(), now, families);
    metrics::AddOwnCertificate(absl::FromUnixSeconds(not_after_), now, families);
    metrics::AddJournal(*journal_, families);
    metrics::AddSessions(sessions_, families);
    AddRegistrar(*registrar_, families);
  }

  ops::v1::GetHealthResponse Health() const {
    ops::v1::GetHealthResponse health;
    health.set_state(ops::v1::HEALTH_STATE_SERVING);
    health.set_status_list_age_seconds(
        static_cast<uint64_t>(absl::ToInt64Seconds(registrar_->trust().StatusAge())));
    health.set_certificate_expires_in_seconds(not_after_ - absl::ToUnixSeconds(clock_.Now()));
    if (stamper_ != nullptr && !stamper_->Trouble().empty()) health.add_notes(stamper_->Trouble());
    if (unsure_) {
      health.add_notes(
          "too few members' processes could be asked whether this is the newest state of the registrar: they "
          "are asked again until enough answer");
    }
    return health;
  }

  const RegistrarConfig config_;
  const Clock& clock_;
  SystemRandom random_;
  AuthorityInUse authority_;
  Mutex mutex_;
  OwnCredentials credentials_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<store::Store> store_;
  // Above the journal, whose end completes what still refers to it: so the registrar must go later than the
  // journal.
  std::unique_ptr<Registrar> registrar_;
  std::unique_ptr<audit::Journal> journal_;
  // On the starting thread, then on the upkeep thread.
  std::unique_ptr<MemberLists> members_;
  absl::Time next_look_ = absl::InfinitePast();
  absl::Duration pause_ = kFirstPause;
  std::atomic<bool> unsure_ = false;
  std::atomic<Registrar*> serving_ = nullptr;
  std::atomic<int64_t> not_after_ = 0;
  absl::Time token_written_ ABSL_GUARDED_BY(mutex_);
  absl::Time forgot_ = absl::InfinitePast();
  std::unique_ptr<TokenVerifier> tokens_;
  people::SessionTable sessions_{clock_};
  std::unique_ptr<people::People> people_;
  std::unique_ptr<rpc::Guard> guard_;
  std::unique_ptr<IdentityService> service_;
  std::unique_ptr<AuthorityService> authorities_;
  std::unique_ptr<FederationFollower> follower_;
  std::unique_ptr<FederationTrustService> federations_;
  std::unique_ptr<MandateRegistryService> mandates_;
  std::unique_ptr<BackupService> backups_;
  std::unique_ptr<MembershipService> membership_;
  std::unique_ptr<ops::OperationsService> operations_;
  std::unique_ptr<people::OpenIdSignIns> openid_;
  std::unique_ptr<people::AccountService> accounts_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<http::HttpsServer> edge_;
  std::unique_ptr<process::Stamper> stamper_;  // null without a stamping authority
  std::unique_ptr<process::Ticker> upkeep_;
  std::unique_ptr<process::Ticker> stamping_;
  std::unique_ptr<process::Ticker> following_;
  std::unique_ptr<metrics::Endpoint> metrics_;
  rpc::WorkerPool workers_{1, 16};
};

}  // namespace

absl::StatusOr<std::unique_ptr<RegistrarProcess>> RegistrarProcess::Start(const RegistrarConfig& config,
                                                                          const Clock& clock) {
  RETURN_IF_ERROR(MakeDataFolder(config.data_dir()));
  RETURN_IF_ERROR(FinishResume(config.data_dir()));
  RemoveStoreCheckpoint(config.data_dir());
  // Which keys are in use stands in the store.
  ASSIGN_OR_RETURN(std::unique_ptr<store::Store> store, store::OpenRocksStore(config.data_dir() + "/store"));
  ASSIGN_OR_RETURN(const internal::v1::StoredAuthority stored, LoadStoredAuthority(*store));
  ASSIGN_OR_RETURN(Authority authority, LoadOrCreateAuthority(config.data_dir() + "/keys",
                                                              config.federation(), clock.Now(), stored));
  auto process = std::make_unique<Process>(config, clock, std::move(store), std::move(authority));
  RETURN_IF_ERROR(process->Open());
  return process;
}

}  // namespace tsunagi::identity
