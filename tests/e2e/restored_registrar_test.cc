// A registrar whose store was restored from an older copy, with a member that holds newer lists.
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/audit/checkpoint.h"
#include "core/audit/epoch.h"
#include "core/audit/verify.h"
#include "core/store/key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/identity/backup.h"
#include "services/identity/resume.h"
#include "tests/e2e/process_for_test.h"
#include "tests/support/eventually.h"

namespace tsunagi::process {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::Eventually;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;
using enum absl::StatusCode;

class RestoredRegistrarTest : public ProcessTest {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    ASSERT_THAT(Register("workshop"), IsOk());
    StartNode();
    // From now on the registrar knows whom to ask, and the node what it compares with.
    ASSERT_TRUE(Eventually([&] {
      const auto oem = registrar_->registrar().trust().View()->Find("oem");
      return oem.ok() && (*oem)->participant.endpoints_size() == 1 && !NodeSaw().empty();
    }));
  }
  void TearDown() override { StopNode(); }

  void StartNode() {
    node_ = Start();
    ASSERT_NE(node_, nullptr);
    running_ = std::make_unique<Running>(*node_);
    ASSERT_TRUE(Eventually([&] { return CheckHealth(config_, "node").ok(); }));
  }
  void StopNode() {
    running_.reset();
    node_.reset();
  }

  internal::v1::RegistrarConfig RegistrarConfig() const {
    internal::v1::RegistrarConfig config;
    config.set_data_dir(dir_.File("registrar"));
    config.set_listen(address_);
    config.set_est_listen(est_address_);
    config.set_federation(kFederation);
    return identity::WithDefaults(config);
  }
  absl::StatusOr<identity::v1::ApplyResponse> Register(const std::string& label) {
    identity::v1::ApplyRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_approve(true);
    request.mutable_participant()->set_label(label);
    request.mutable_participant()->set_name_latin(label);
    return identity::WaitFor<identity::v1::ApplyResponse>(
        [&](auto done) { registrar_->registrar().membership().Apply(operator_, request, std::move(done)); });
  }
  absl::Status SetSuspended(const std::string& label, bool suspended) {
    identity::v1::SetSuspendedRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_participant(label);
    request.set_suspended(suspended);
    request.set_reason("test");
    return identity::WaitFor<identity::v1::SetSuspendedResponse>([&](auto done) {
             registrar_->registrar().membership().SetSuspended(operator_, request, std::move(done));
           })
        .status();
  }
  std::string WorkshopDid() const { return absl::StrCat("did:web:", kFederation, ":participants:workshop"); }
  bool NodeSuspends(const std::string& did) { return node_->trust().View()->IsSuspended(did); }
  std::string NodeSaw() const {
    return ReadFile(dir_.File("node/registrar-checkpoint"), 1 << 14).value_or("");
  }

  // Acts that only the node knows of, once the registrar lost them.
  void ActFurther() {
    ASSERT_THAT(Register("late"), IsOk());
    ASSERT_THAT(SetSuspended("workshop", true), IsOk());
    const std::string before = NodeSaw();
    ASSERT_TRUE(Eventually([&] {
      return NodeSuspends(WorkshopDid()) && node_->trust().View()->Find("late").ok() && NodeSaw() != before;
    }));
  }
  // As operations.md says: out of the way, and the copy in its place.
  void PutBack(const std::string& copy) {
    for (const char* name : {"store", "keys", "operator-invitation"}) {
      fs::remove_all(dir_.File(absl::StrCat("registrar/", name)));
    }
    fs::copy(dir_.File(copy), dir_.File("registrar"), fs::copy_options::recursive);
  }
  void LoseWhatCameAfterTheBackup() {
    ASSERT_THAT(identity::BackUp(RegistrarConfig(), dir_.File("copy"), clock_), IsOk());
    ActFurther();
    registrar_.reset();
    PutBack("copy");
  }
  absl::StatusOr<ops::v1::GetHealthResponse> RegistrarHealth() const {
    internal::v1::NodeConfig own;
    own.set_data_dir(dir_.File("registrar"));
    own.set_federation(kFederation);
    own.set_participant("registrar");
    return CheckHealth(own, "registrar");
  }
  void ExpectClosed(const std::string& why) {
    const uint64_t leaves = registrar_->registrar().context().journal.Size();
    EXPECT_THAT(Register("refused"), StatusIs(kFailedPrecondition, HasSubstr(why)));
    EXPECT_THAT(SetSuspended("oem", true), StatusIs(kFailedPrecondition, HasSubstr(why)));
    const auto list = identity::WaitFor<identity::SignedLists::StatusList>(
        [&](auto done) { registrar_->registrar().lists().GetStatusList(std::move(done)); });
    EXPECT_THAT(list.status(), StatusIs(kFailedPrecondition, HasSubstr(why)));
    EXPECT_EQ(registrar_->registrar().context().journal.Size(), leaves);
    const auto health = RegistrarHealth();
    ASSERT_THAT(health, IsOk());
    EXPECT_EQ(health->state(), ops::v1::HEALTH_STATE_NOT_SERVING);
    EXPECT_THAT(health->notes(), Contains(HasSubstr(why)));
  }
  absl::StatusOr<audit::v1::EpochRecord> Resume(bool without_members = false) {
    return identity::ResumeAfterRestore(RegistrarConfig(), {"the disk was lost", without_members}, clock_);
  }

  std::unique_ptr<ParticipantProcess> node_;
  std::unique_ptr<Running> running_;
};

TEST_F(RestoredRegistrarTest, RefusesEveryActAndSaysWhoHoldsWhat) {
  LoseWhatCameAfterTheBackup();

  StartRegistrar(address_, est_address_);

  ExpectClosed("`oem/node` holds status list");
  ExpectClosed("holds directory");
  ExpectClosed("resume-after-restore");
  EXPECT_TRUE(registrar_->registrar().trust().View()->IsSuspended(WorkshopDid())) << "its own guard knows";
  EXPECT_TRUE(NodeSuspends(WorkshopDid()));
}

TEST_F(RestoredRegistrarTest, GoesOnAboveWhatMembersHoldOnceItsOperatorSaysSo) {
  LoseWhatCameAfterTheBackup();
  const auto before = node_->trust().View();
  const std::string seen = NodeSaw();

  const auto record = Resume();

  ASSERT_THAT(record, IsOk());
  EXPECT_THAT(record->suspended_again(), ElementsAre(WorkshopDid()));
  EXPECT_THAT(record->asked(), ElementsAre("oem/node"));
  EXPECT_GT(record->size(), record->held());
  EXPECT_EQ(record->reason(), "the disk was lost");
  StartRegistrar(address_, est_address_);
  ASSERT_TRUE(Eventually([&] {
    const auto now = node_->trust().View();
    return now->status_version > before->status_version && now->directory_version > before->directory_version;
  }));
  EXPECT_TRUE(NodeSuspends(WorkshopDid()));
  EXPECT_THAT(node_->trust().View()->Find("late"), IsOk());
  EXPECT_THAT(Register("other"), IsOk());
  EXPECT_THAT(SetSuspended("workshop", false), IsOk());
  EXPECT_TRUE(Eventually([&] { return !NodeSuspends(WorkshopDid()); }));

  // The log goes on in a new epoch, which the member accepts.
  ASSERT_TRUE(Eventually([&] { return NodeSaw() != seen; }));
  EXPECT_EQ(audit::ClaimedOrigin(NodeSaw()), "registrar.battery.example/registrar/2");
  EXPECT_EQ(ReadFile(dir_.File("node/registrar-checkpoint-1"), 1 << 14).value_or(""), seen);
  EXPECT_THAT(CheckHealth(config_, "node")->notes(), IsEmpty());
  EXPECT_THAT(audit::VerifyWholeLog(registrar_->registrar().context().journal), IsOk());
  EXPECT_TRUE(fs::exists(dir_.File("registrar/store-epoch-1")));

  registrar_.reset();
  StartRegistrar(address_, est_address_);
  EXPECT_THAT(Register("another"), IsOk()) << "an ordinary restart in the second epoch";
}

TEST_F(RestoredRegistrarTest, DropsInvitationsThatMayHaveBeenUsed) {
  ASSERT_THAT(InviteProcess("operator"), IsOk());
  const auto invitations = [&] {
    int count = 0;
    EXPECT_THAT(registrar_->registrar().context().journal.store().Scan(
                    store::Table::kState, store::Key("invitation").bytes(), "",
                    [&](absl::string_view, absl::string_view) { return ++count > 0; }),
                IsOk());
    return count;
  };
  ASSERT_GT(invitations(), 0);
  LoseWhatCameAfterTheBackup();
  ASSERT_THAT(Resume(), IsOk());

  StartRegistrar(address_, est_address_);

  EXPECT_EQ(invitations(), 0);
}

TEST_F(RestoredRegistrarTest, ACopyStaysClosedWhileNobodyCanSayWhetherItIsTheNewest) {
  LoseWhatCameAfterTheBackup();
  StopNode();

  StartRegistrar(address_, est_address_);

  ExpectClosed("0 of 1 members' processes");
  registrar_.reset();
  EXPECT_THAT(Resume().status(), StatusIs(kFailedPrecondition, HasSubstr("only 0 of 1")));
  ASSERT_THAT(Resume(/*without_members=*/true), IsOk());
  StartRegistrar(address_, est_address_);
  EXPECT_THAT(Register("other"), IsOk());
  EXPECT_FALSE(registrar_->registrar().trust().View()->IsSuspended(WorkshopDid())) << "nobody told it";
}

TEST_F(RestoredRegistrarTest, ACopyOfTheNewestStateOpens) {
  registrar_.reset();
  ASSERT_THAT(identity::BackUp(RegistrarConfig(), dir_.File("copy"), clock_), IsOk());
  PutBack("copy");

  StartRegistrar(address_, est_address_);

  EXPECT_THAT(Register("other"), IsOk());
  EXPECT_FALSE(fs::exists(dir_.File("registrar/backup")));
  EXPECT_THAT(RegistrarHealth()->notes(), IsEmpty());
}

TEST_F(RestoredRegistrarTest, ResumesNothingWhereNothingWasLost) {
  registrar_.reset();

  EXPECT_THAT(Resume().status(), StatusIs(kFailedPrecondition, HasSubstr("nothing to resume")));
}

// A snapshot of the disk carries no note that it is a copy. Its member is away, so it opens; both find out.
TEST_F(RestoredRegistrarTest, AForkShowsAtTheMemberAndClosesTheRegistrar) {
  registrar_.reset();
  fs::copy(dir_.File("registrar/store"), dir_.File("snapshot"), fs::copy_options::recursive);
  StartRegistrar(address_, est_address_);
  ActFurther();
  StopNode();
  registrar_.reset();
  fs::remove_all(dir_.File("registrar/store"));
  fs::rename(dir_.File("snapshot"), dir_.File("registrar/store"));
  StartRegistrar(address_, est_address_);
  ASSERT_THAT(Register("other"), IsOk());
  EXPECT_THAT(RegistrarHealth()->notes(), Contains(HasSubstr("asked again")));

  StartNode();

  EXPECT_TRUE(Eventually([&] {
    const auto health = CheckHealth(config_, "node");
    return health.ok() && testing::Value(health->notes(), Contains(HasSubstr("the registrar's log")));
  }));
  EXPECT_TRUE(Eventually([&] { return !registrar_->registrar().context().journal.Health().ok(); }));
  ExpectClosed("restored from an older copy");
  EXPECT_TRUE(NodeSuspends(WorkshopDid()));
}

TEST_F(RestoredRegistrarTest, ABackupSaysWhichKeysItDoesNotHold) {
  ASSERT_THAT(WriteText(dir_.File("registrar/keys/credential.key"), "pkcs11:token=registrar\n"), IsOk());

  const auto report = identity::BackUp(RegistrarConfig(), dir_.File("copy"), clock_);

  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->hardware_keys, ElementsAre("credential.key"));
  EXPECT_THAT(report->copied_keys, testing::Not(Contains("credential.key")));
}

TEST_F(RestoredRegistrarTest, ABackupIsForTheOwnerAloneAndOnlyOnce) {
  const auto report = identity::BackUp(RegistrarConfig(), dir_.File("copy"), clock_);

  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->copied_keys, Contains("root.key"));
  EXPECT_THAT(report->hardware_keys, IsEmpty());
  EXPECT_EQ(fs::status(dir_.File("copy")).permissions(), fs::perms::owner_all);
  for (const fs::directory_entry& key : fs::directory_iterator(dir_.File("copy/keys"))) {
    EXPECT_EQ(key.status().permissions(), fs::perms::owner_read | fs::perms::owner_write) << key.path();
  }
  EXPECT_FALSE(fs::exists(dir_.File("registrar/store-checkpoint")));
  EXPECT_THAT(identity::BackUp(RegistrarConfig(), dir_.File("copy"), clock_).status(),
              StatusIs(kAlreadyExists));
  EXPECT_THAT(Register("other"), IsOk()) << "it serves on";
}

}  // namespace
}  // namespace tsunagi::process
