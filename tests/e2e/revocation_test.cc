// A suspension on its way to participants' processes: pushed, after an outage of the registrar, and through
// others.
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/identity/config.h"
#include "services/identity/registrar_process.h"
#include "services/process/health.h"
#include "services/process/participant_process.h"
#include "tests/support/caller.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::process {
namespace {

using internal::v1::NodeConfig;
using testing::Eventually;
using testing::IsOk;

constexpr char kFederation[] = "battery.example";

// A node that serves on a thread of its own until it goes.
class Node {
 public:
  explicit Node(const NodeConfig& config) : config_(config) {
    auto started = ParticipantProcess::Start(config, "node", {});
    EXPECT_THAT(started, IsOk());
    if (!started.ok()) return;
    process_ = *std::move(started);
    thread_ = std::thread([this] { EXPECT_THAT(process_->Serve({}), IsOk()); });
  }
  ~Node() {
    if (process_ != nullptr) process_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  bool Serves() const {
    const auto health = CheckHealth(config_, "node");
    return health.ok() && health->state() == ops::v1::HEALTH_STATE_SERVING;
  }
  bool Refuses(const std::string& label) const {
    const auto view = process_->trust().View();
    const auto party = view->Find(label);
    return party.ok() && view->IsSuspended((*party)->participant.did());
  }
  bool Reaches(const std::string& label) const { return process_->ChannelTo(label, "node").ok(); }

 private:
  const NodeConfig config_;
  std::unique_ptr<ParticipantProcess> process_;
  std::thread thread_;
};

class RevocationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StartRegistrar("127.0.0.1:0", "127.0.0.1:0");
    for (const char* label : {"oem", "maker", "dealer"}) Register(label);
  }

  void StartRegistrar(const std::string& listen, const std::string& est_listen) {
    internal::v1::RegistrarConfig config;
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
  void Register(const std::string& label) {
    identity::v1::ApplyRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_approve(true);
    request.mutable_participant()->set_label(label);
    request.mutable_participant()->set_name_latin(label);
    ASSERT_THAT(identity::WaitFor<identity::v1::ApplyResponse>([&](auto done) {
                  registrar_->registrar().membership().Apply(operator_, request, std::move(done));
                }),
                IsOk());
  }
  void Suspend(const std::string& label) {
    identity::v1::SetSuspendedRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_participant(label);
    request.set_suspended(true);
    request.set_reason("test");
    ASSERT_THAT(identity::WaitFor<identity::v1::SetSuspendedResponse>([&](auto done) {
                  registrar_->registrar().membership().SetSuspended(operator_, request, std::move(done));
                }),
                IsOk());
  }

  // A node that would fetch the lists in an hour only.
  NodeConfig Invite(const std::string& label) {
    identity::v1::CreateInvitationRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_label(label);
    request.add_processes("node");
    const auto invitation = identity::WaitFor<identity::v1::CreateInvitationResponse>([&](auto done) {
      registrar_->registrar().enrolment().CreateInvitation(operator_, request, std::move(done));
    });
    EXPECT_THAT(invitation, IsOk());
    const std::string code = dir_.File(absl::StrCat(label, "-code"));
    EXPECT_THAT(WriteFileAtomically(code, invitation->code() + "\n", 0600), IsOk());
    NodeConfig config;
    config.set_data_dir(dir_.File(label));
    config.set_listen("127.0.0.1:0");
    config.set_federation(kFederation);
    config.set_participant(label);
    config.mutable_registrar()->set_address(address_);
    config.mutable_registrar()->set_est_url(invitation->url());
    config.mutable_registrar()->set_root_sha256(invitation->root_sha256());
    config.mutable_invitation()->set_code_file(code);
    config.set_trust_refresh_seconds(3600);
    config.set_cosign_seconds(3600);
    return config;
  }

  const testing::TempDir dir_;
  const SystemClock clock_{};
  SystemRandom random_;
  const Caller operator_ = CallerForTest::Make("did:web:battery.example:participants:registrar", "registrar",
                                               "operator", {"registrar"});
  std::unique_ptr<identity::RegistrarProcess> registrar_;
  std::string address_;
  std::string est_address_;
};

TEST_F(RevocationTest, IsPushedWithoutARefresh) {
  const Node oem(Invite("oem"));
  ASSERT_TRUE(Eventually([&] { return oem.Serves(); }));
  ASSERT_FALSE(oem.Refuses("dealer"));

  Suspend("dealer");

  EXPECT_TRUE(Eventually([&] { return oem.Refuses("dealer"); }));
}

TEST_F(RevocationTest, IsPushedAgainOnceTheRegistrarIsBack) {
  const Node oem(Invite("oem"));
  ASSERT_TRUE(Eventually([&] { return oem.Serves(); }));
  registrar_.reset();

  StartRegistrar(address_, est_address_);
  Suspend("dealer");

  EXPECT_TRUE(Eventually([&] { return oem.Refuses("dealer"); }));
}

TEST_F(RevocationTest, ReachesANodeThatIsCutOffFromTheRegistrarThroughAnother) {
  const Node oem(Invite("oem"));
  NodeConfig cut_off = Invite("maker");
  ASSERT_TRUE(Eventually([&] { return oem.Serves(); }));
  {
    // It joins while it can, and learns where the other one listens.
    const Node maker(cut_off);
    ASSERT_TRUE(Eventually([&] { return maker.Serves() && maker.Reaches("oem"); }));
  }
  cut_off.mutable_registrar()->set_address("127.0.0.1:1");
  cut_off.set_trust_refresh_seconds(1);
  const Node maker(cut_off);
  ASSERT_TRUE(Eventually([&] { return maker.Serves(); }));
  ASSERT_FALSE(maker.Refuses("dealer"));

  Suspend("dealer");

  EXPECT_TRUE(Eventually([&] { return maker.Refuses("dealer"); }));
}

}  // namespace
}  // namespace tsunagi::process
