// A participant's process against a real registrar: joining, serving, an outage, a renewal.
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/audit/requests.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "core/crypto/certificate.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "services/http/est_client.h"
#include "services/identity/config.h"
#include "services/identity/registrar_process.h"
#include "services/mandate/node.h"
#include "services/ops/operations_service.h"
#include "services/process/config.h"
#include "services/process/health.h"
#include "services/process/participant_process.h"
#include "services/process/registrar.h"
#include "services/process/ticker.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"
#include "tests/support/caller.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::process {
namespace {

using internal::v1::NodeConfig;
using internal::v1::RegistrarConfig;
using testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::Not;
using testing::SizeIs;
using testing::StatusIs;

constexpr char kFederation[] = "battery.example";

absl::Status WriteText(const std::string& path, absl::string_view text) {
  return WriteFileAtomically(path, text, 0600);
}

// Serves on a thread of its own until it goes.
class Running {
 public:
  explicit Running(ParticipantProcess& process)
      : process_(process), thread_([this] { status_ = process_.Serve({}); }) {}
  ~Running() { Stop().IgnoreError(); }
  absl::Status Stop() {
    process_.Stop();
    if (thread_.joinable()) thread_.join();
    return status_;
  }

 private:
  ParticipantProcess& process_;
  absl::Status status_;
  std::thread thread_;
};

class ProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StartRegistrar("127.0.0.1:0", "127.0.0.1:0");
    identity::v1::ApplyRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_approve(true);
    request.mutable_participant()->set_label("oem");
    request.mutable_participant()->set_name_latin("OEM");
    const auto registered = identity::WaitFor<identity::v1::ApplyResponse>(
        [&](auto done) { registrar_->registrar().membership().Apply(operator_, request, std::move(done)); });
    ASSERT_THAT(registered, IsOk());
    did_ = registered->participant().did();
    Invite();
  }

  void StartRegistrar(const std::string& listen, const std::string& est_listen) {
    RegistrarConfig config;
    config.set_data_dir(dir_.File("registrar"));
    config.set_listen(listen);
    config.set_est_listen(est_listen);
    config.set_federation(kFederation);
    auto started = identity::RegistrarProcess::Start(identity::WithDefaults(config), clock_);
    ASSERT_THAT(started, IsOk());
    registrar_ = *std::move(started);
    address_ = absl::StrCat("127.0.0.1:", registrar_->port());
    est_address_ = absl::StrCat("127.0.0.1:", registrar_->est_port());
  }

  absl::StatusOr<identity::v1::CreateInvitationResponse> InviteProcess(const std::string& process) {
    identity::v1::CreateInvitationRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_label("oem");
    request.add_processes(process);
    return identity::WaitFor<identity::v1::CreateInvitationResponse>([&](auto done) {
      registrar_->registrar().enrolment().CreateInvitation(operator_, request, std::move(done));
    });
  }

  void Invite() {
    const auto invitation = InviteProcess("node");
    ASSERT_THAT(invitation, IsOk());
    ASSERT_THAT(WriteText(dir_.File("code"), invitation->code() + "\n"), IsOk());
    config_.set_data_dir(dir_.File("node"));
    config_.set_listen("127.0.0.1:0");
    config_.set_federation(kFederation);
    config_.set_participant("oem");
    config_.mutable_registrar()->set_address(address_);
    config_.mutable_registrar()->set_est_url(invitation->url());
    config_.mutable_registrar()->set_root_sha256(invitation->root_sha256());
    config_.mutable_invitation()->set_code_file(dir_.File("code"));
    config_.set_trust_refresh_seconds(1);
    config_.set_cosign_seconds(1);
  }

  std::unique_ptr<ParticipantProcess> Start() {
    auto started = ParticipantProcess::Start(config_, "node", {});
    EXPECT_THAT(started, IsOk());
    return started.ok() ? *std::move(started) : nullptr;
  }

  // Polls, since nothing tells the test when the process has done it.
  static bool Eventually(const std::function<bool()>& condition) {
    bool done = false;
    std::promise<void> met;
    const Ticker ticker(absl::Milliseconds(20), [&] {
      if (!done && condition()) {
        done = true;
        met.set_value();
      }
    });
    return met.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  }
  bool Healthy() const {
    const auto health = CheckHealth(config_, "node");
    return health.ok() && health->state() == ops::v1::HEALTH_STATE_SERVING;
  }

  const testing::TempDir dir_;
  const SystemClock clock_{};
  SystemRandom random_;
  const Caller operator_ = CallerForTest::Make("did:web:battery.example:participants:registrar", "registrar",
                                               "operator", {"registrar"});
  std::unique_ptr<identity::RegistrarProcess> registrar_;
  std::string address_;
  std::string est_address_;
  std::string did_;
  NodeConfig config_;
};

TEST_F(ProcessTest, JoinsListsItselfAndIsHealthy) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  EXPECT_EQ(process->did(), did_);
  {
    Running running(*process);

    EXPECT_TRUE(Eventually([&] { return Healthy(); }));
    EXPECT_TRUE(Eventually([&] { return process->ChannelTo("oem", "node").ok(); }));
    const auto self = process->trust().View()->Find("oem");
    ASSERT_THAT(self, IsOk());
    EXPECT_THAT((*self)->FindKey(process->signing_key().id(), identity::v1::KEY_PURPOSE_SIGNING), IsOk());
    EXPECT_THAT((*self)->FindKey(process->journal().log_key().id(), identity::v1::KEY_PURPOSE_LOG), IsOk());
    EXPECT_THAT(running.Stop(), IsOk());
  }
  EXPECT_FALSE(Healthy());
}

TEST_F(ProcessTest, KeepsItsKeysToItself) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);

  struct stat info = {};
  ASSERT_EQ(::stat(config_.data_dir().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  for (const char* name : {"tls.key", "log.key", "signing.key", "seal.key", "node.key", "token"}) {
    ASSERT_EQ(::stat(absl::StrCat(config_.data_dir(), "/", name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(ProcessTest, HasItsCheckpointsCosigned) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  const auto cosigned = [&] {
    return process->journal().store().Get(store::Table::kState, ops::CosignedKey());
  };

  std::string last;
  for (int round = 0; round < 2; ++round) {
    audit::Commit commit;
    commit.record = absl::StrCat("record ", round);
    ASSERT_THAT(process->journal().SubmitAndWait(std::move(commit)), IsOk());
    ASSERT_TRUE(Eventually([&] { return cosigned().ok() && *cosigned() != last; }));
    last = *cosigned();
  }

  EXPECT_THAT(last, HasSubstr("registrar.battery.example"));
}

TEST_F(ProcessTest, CatchesUpWhenTheReplyToACosigningWasLost) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  audit::Commit first;
  first.record = "first";
  ASSERT_THAT(process->journal().SubmitAndWait(std::move(first)), IsOk());
  const auto cosigned = [&] {
    return process->journal().store().Get(store::Table::kState, ops::CosignedKey());
  };
  ASSERT_TRUE(Eventually([&] { return cosigned().ok(); }));

  // As if the process had been killed before it kept the note.
  audit::Commit lost;
  lost.writes.push_back(store::Delete(store::Table::kState, ops::CosignedKey()));
  lost.record = "second";
  ASSERT_THAT(process->journal().SubmitAndWait(std::move(lost)), IsOk());

  EXPECT_TRUE(Eventually([&] { return cosigned().ok(); }));
}

TEST_F(ProcessTest, FilesItsMandatesAndWhatItRevokedDuringAnOutage) {
  identity::v1::ApplyRequest agency;
  agency.set_request_id(NewUuid(random_));
  agency.set_approve(true);
  agency.mutable_participant()->set_label("agency");
  agency.mutable_participant()->set_name_latin("Agency");
  ASSERT_THAT(identity::WaitFor<identity::v1::ApplyResponse>([&](auto done) {
                registrar_->registrar().membership().Apply(operator_, agency, std::move(done));
              }),
              IsOk());
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  mandate::MandateNode mandates(*process, config_.data_dir());
  Running running(*process);
  // What this process's directory lists.
  const auto mandate = [&]() -> std::optional<identity::CheckedMandate> {
    const auto self = process->trust().View()->Find("oem");
    if (!self.ok() || (*self)->mandates.empty()) return std::nullopt;
    return (*self)->mandates[0];
  };
  ASSERT_TRUE(Eventually([&] {
    const auto self = process->trust().View()->Find("oem");
    return self.ok() && (*self)->KeyCountsAt(process->signing_key().id(), clock_.Now()).ok();
  }));
  identity::v1::GrantMandateRequest grant;
  grant.set_request_id(NewUuid(random_));
  grant.set_holder("agency");
  grant.add_scopes("policy");

  const auto granted = mandates.own().Grant(operator_, grant);

  ASSERT_THAT(granted, IsOk());
  EXPECT_TRUE(granted->filed());
  ASSERT_TRUE(Eventually([&] { return mandate().has_value(); }));
  registrar_.reset();
  identity::v1::RevokeMandateRequest revoke;
  revoke.set_id(grant.request_id());
  const auto revoked = mandates.own().Revoke(operator_, revoke);
  ASSERT_THAT(revoked, IsOk());
  EXPECT_FALSE(revoked->filed());
  EXPECT_FALSE(mandate()->revoked_at.has_value());

  StartRegistrar(address_, est_address_);

  EXPECT_TRUE(Eventually([&] { return mandate()->revoked_at.has_value(); }));
}

TEST_F(ProcessTest, RestartsWhileTheRegistrarIsAway) {
  ASSERT_NE(Start(), nullptr);
  registrar_.reset();

  const auto process = Start();

  ASSERT_NE(process, nullptr);
  EXPECT_EQ(process->did(), did_);
  Running running(*process);
  EXPECT_TRUE(Eventually([&] { return Healthy(); }));
}

TEST_F(ProcessTest, FollowsTheRegistrarAgainAfterItsOutage) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  registrar_.reset();
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  const uint64_t before = process->trust().View()->status_version;

  StartRegistrar(address_, est_address_);

  EXPECT_TRUE(Eventually([&] { return process->trust().View()->status_version > before; }));
}

// Rolls the registrar's keys as its operator does.
class RollingTest : public ProcessTest {
 protected:
  void Rotate(identity::v1::AuthorityKey key, bool put_into_use = false) {
    identity::v1::RotateKeyRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_key(key);
    request.set_reason("test");
    request.set_put_into_use(put_into_use);
    ASSERT_THAT(registrar_->registrar().anchors().Rotate(operator_, request), IsOk());
  }
  std::shared_ptr<const identity::Bundle> Newest() { return registrar_->registrar().trust().View()->bundle; }
  // The process believes what the registrar does, and both servers accept every root: their files were read
  // again, which takes a second that nothing announces.
  void WaitUntilKnown(ParticipantProcess& process) {
    const std::string roots = registrar_->registrar().trust().RootsPem();
    int polls = 0;
    ASSERT_TRUE(Eventually([&] {
      const bool written = process.trust().View()->bundle->version == Newest()->version &&
                           ReadFile(dir_.File("node/root.crt"), 1 << 20).value_or("") == roots &&
                           ReadFile(dir_.File("registrar/root.crt"), 1 << 20).value_or("") == roots;
      polls = written ? polls + 1 : 0;
      return polls > 100;
    }));
  }
  // The process shows a certificate under the issuing CA that is in use.
  bool Renewed() {
    const auto chain = crypto::ParseCertificatesPem(ReadFile(dir_.File("node/tls.crt"), 1 << 20).value());
    return chain.ok() && chain->size() == 2 &&
           (*chain)[1].der == registrar_->registrar().context().authority.Get()->issuing.certificate.der;
  }
  // Calls the registrar and the process itself, the way that every process calls others.
  static absl::Status CallBoth(ParticipantProcess& process) {
    ASSIGN_OR_RETURN(const auto to_registrar, process.ChannelToRegistrar());
    Registrar registrar(to_registrar);
    RETURN_IF_ERROR(registrar.GetStatusList(0).status());
    ASSIGN_OR_RETURN(const auto to_node, process.ChannelTo("oem", "node"));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    ops::v1::GetHealthResponse response;
    return rpc::FromGrpcStatus(ops::v1::OperationsService::NewStub(to_node)->GetHealth(
        &context, ops::v1::GetHealthRequest(), &response));
  }
};

TEST_F(RollingTest, NoCallFailsWhileEveryKeyIsRolled) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return CallBoth(*process).ok(); }));
  std::atomic<bool> stop = false;
  std::atomic<int> calls = 0;
  std::vector<std::string> failed;  // of the calling thread, until it is joined
  std::thread load([&] {
    while (!stop) {
      const absl::Status status = CallBoth(*process);
      ++calls;
      if (!status.ok()) failed.push_back(std::string(status.message()));
    }
  });

  Rotate(identity::v1::AUTHORITY_KEY_TOKEN);
  Rotate(identity::v1::AUTHORITY_KEY_ISSUING);
  WaitUntilKnown(*process);
  Rotate(identity::v1::AUTHORITY_KEY_ISSUING, true);
  EXPECT_TRUE(Eventually([&] { return Renewed(); }));
  Rotate(identity::v1::AUTHORITY_KEY_DIRECTORY);
  Rotate(identity::v1::AUTHORITY_KEY_STATUS);
  Rotate(identity::v1::AUTHORITY_KEY_ROOT);
  WaitUntilKnown(*process);
  Rotate(identity::v1::AUTHORITY_KEY_ROOT, true);
  EXPECT_TRUE(Eventually([&] { return Renewed(); }));
  const int before = calls;
  EXPECT_TRUE(Eventually([&] { return calls > before + 10; }));

  stop = true;
  load.join();
  EXPECT_THAT(failed, ::testing::IsEmpty()) << calls << " calls";
  EXPECT_EQ(process->trust().View()->bundle->RootsAt(absl::Now()).size(), 2u);
}

TEST_F(RollingTest, AProcessThatWasAwayFollowsTheNewRoot) {
  {
    const auto process = Start();
    ASSERT_NE(process, nullptr);
  }
  Rotate(identity::v1::AUTHORITY_KEY_ROOT);
  Rotate(identity::v1::AUTHORITY_KEY_ROOT, true);
  registrar_.reset();
  StartRegistrar(address_, est_address_);

  const auto process = Start();

  ASSERT_NE(process, nullptr);
  EXPECT_EQ(process->trust().View()->bundle->version, Newest()->version);
  EXPECT_THAT(Registrar(process->ChannelToRegistrar().value()).GetStatusList(0), IsOk());
}

TEST_F(ProcessTest, IsNotHealthyOnceItsJournalRefusesWrites) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  process->journal().RefuseWrites(absl::UnavailableError("the store failed: restart"));

  const auto health = CheckHealth(config_, "node");

  ASSERT_THAT(health, IsOk());
  EXPECT_EQ(health->state(), ops::v1::HEALTH_STATE_NOT_SERVING);
  EXPECT_THAT(health->notes(), testing::Contains(HasSubstr("the store failed: restart")));
}

// The operator of the company, enrolled and with a token.
class CompanyOperator {
 public:
  CompanyOperator(const identity::v1::CreateInvitationResponse& invitation, const std::string& registrar) {
    const std::string uri = rpc::ProcessUri("operator", "oem", kFederation);
    const auto request = crypto::MakeCertificateRequest(
        key_, "operator.oem", {uri}, {rpc::ProcessDnsName("operator", "oem", kFederation)});
    const auto root = http::FetchRoot(invitation.url(), invitation.root_sha256());
    const auto chain = http::SimpleEnroll(invitation.url(), {*root}, "oem", invitation.code(), *request);
    root_pem_ = crypto::ToPem(*root);
    for (const crypto::Certificate& certificate : *chain) chain_pem_ += crypto::ToPem(certificate);
    identity::v1::IssueTokenResponse response;
    grpc::ClientContext context;
    const auto stub = identity::v1::IdentityService::NewStub(ChannelTo(registrar, "registrar", "registrar"));
    EXPECT_TRUE(stub->IssueToken(&context, {}, &response).ok());
    token_ = response.token();
  }
  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address, absl::string_view process,
                                           absl::string_view label) const {
    return rpc::NewChannel(address, rpc::ProcessDnsName(process, label, kFederation), key_.ToPem(),
                           chain_pem_, root_pem_, token_);
  }

 private:
  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  std::string root_pem_, chain_pem_, token_;
};

TEST_F(ProcessTest, RenewsItsCertificateWhenItsOperatorAsks) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  const auto invitation = InviteProcess("operator");
  ASSERT_THAT(invitation, IsOk());
  const CompanyOperator company(*invitation, address_);
  const std::string before = *ReadFile(config_.data_dir() + "/tls.crt", 64 << 10);
  const std::string listen = *ReadFile(config_.data_dir() + "/listen", 256);

  const auto stub = ops::v1::OperationsService::NewStub(
      company.ChannelTo(std::string(absl::StripTrailingAsciiWhitespace(listen)), "node", "oem"));
  grpc::ClientContext context;
  ops::v1::RenewCertificateResponse renewed;
  const absl::Status status = rpc::FromGrpcStatus(stub->RenewCertificate(&context, {}, &renewed));

  EXPECT_THAT(status, IsOk());
  const std::string after = *ReadFile(config_.data_dir() + "/tls.crt", 64 << 10);
  EXPECT_NE(after, before);
  EXPECT_EQ(*FromProto(renewed.expire_time()), crypto::ParseCertificatesPem(after)->at(0).not_after);
  EXPECT_TRUE(Healthy());
}

// A log of two records, the registrar's cosignature on it, and a copy of the store from when it had one.
class RestoredProcessTest : public ProcessTest {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    Grow("first");
    std::filesystem::copy(Store(), dir_.File("copy"), std::filesystem::copy_options::recursive);
    Grow("second");
  }
  std::string Store() const { return config_.data_dir() + "/store"; }
  void Restore() {
    std::filesystem::remove_all(Store());
    std::filesystem::rename(dir_.File("copy"), Store());
  }
  static absl::Status Write(ParticipantProcess& process, const std::string& record) {
    audit::Commit commit;
    commit.record = record;
    return process.journal().SubmitAndWait(std::move(commit)).status();
  }
  void Grow(const std::string& record) {
    const auto process = Start();
    ASSERT_NE(process, nullptr);
    const auto cosigned = [&] {
      return process->journal().store().Get(store::Table::kState, ops::CosignedKey()).value_or("");
    };
    const std::string before = cosigned();
    ASSERT_THAT(Write(*process, record), IsOk());
    const Running running(*process);
    ASSERT_TRUE(Eventually([&] { return cosigned() != before; }));
  }
  void ExpectRefused(ParticipantProcess& process) {
    EXPECT_THAT(Write(process, "refused"),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("restored from an older copy")));
    const auto health = CheckHealth(config_, "node");
    ASSERT_THAT(health, IsOk());
    EXPECT_EQ(health->state(), ops::v1::HEALTH_STATE_NOT_SERVING);
    EXPECT_THAT(health->notes(), testing::Contains(HasSubstr("restored from an older copy")));
  }
};

TEST_F(RestoredProcessTest, WritesNothingFromTheFirstCallOn) {
  Restore();
  const auto process = Start();
  ASSERT_NE(process, nullptr);

  const Running running(*process);

  ASSERT_TRUE(Eventually([&] { return CheckHealth(config_, "node").ok(); }));
  ExpectRefused(*process);
  EXPECT_THAT(process->journal().Leaves(0, 10), IsOkAndHolds(SizeIs(1))) << "reads go on";
}

TEST_F(RestoredProcessTest, WritesNoMoreOnceTheRegistrarSeesTheFork) {
  Restore();
  registrar_.reset();
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  const Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  for (const char* record : {"other", "history"}) ASSERT_THAT(Write(*process, record), IsOk());

  StartRegistrar(address_, est_address_);

  ASSERT_TRUE(Eventually([&] { return !Healthy(); }));
  ExpectRefused(*process);
}

TEST_F(RestoredProcessTest, GoesOnWithTheNewestStore) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);

  const Running running(*process);

  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  EXPECT_THAT(Write(*process, "third"), IsOk());
}

TEST_F(ProcessTest, ForgetsRepliesThatAreOver) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  const std::string id = NewUuid(random_);
  const audit::RequestKey request{did_, "ImportFacts", id, "digest"};
  audit::Commit old;
  audit::RememberReply(request, "reply", clock_.Now() - absl::Hours(24 * 8), old.writes);
  ASSERT_THAT(process->journal().SubmitAndWait(std::move(old)), IsOk());

  const Running running(*process);

  EXPECT_TRUE(
      Eventually([&] { return !audit::FindReply(process->journal().store(), request)->has_value(); }));
}

TEST_F(ProcessTest, RefusesToStartWithoutAnInvitation) {
  config_.mutable_invitation()->clear_code_file();

  EXPECT_THAT(ParticipantProcess::Start(config_, "node", {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("invitation")));
}

TEST_F(ProcessTest, RefusesAnotherRootThanTheInvitationNames) {
  config_.mutable_registrar()->set_root_sha256(std::string(64, '0'));

  EXPECT_THAT(ParticipantProcess::Start(config_, "node", {}), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(ProcessTest, EnrolsOnlyOnceWithOneInvitation) {
  ASSERT_NE(Start(), nullptr);
  std::filesystem::remove_all(config_.data_dir());

  EXPECT_THAT(ParticipantProcess::Start(config_, "node", {}), Not(IsOk()));
}

}  // namespace
}  // namespace tsunagi::process
