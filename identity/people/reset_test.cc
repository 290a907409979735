// An administrator who forgot the password.
#include "identity/people/reset.h"

#include <filesystem>
#include <optional>

#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/people/people_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::people {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using enum absl::StatusCode;

// People on disk, of a process that stops and starts.
class ResetTest : public ::testing::Test {
 protected:
  ResetTest() {
    Start();
    administrator_ = people_->Create("Sato", kAdministrator);
  }
  void Start() {
    people_.emplace(store::OpenRocksStore(folder_.File("store")).value(), log_key_, folder_.File("sessions"));
    people_->administrator = administrator_;
  }
  void Stop() { people_.reset(); }
  absl::StatusOr<std::string> Reset(const std::string& account = "") {
    return ResetAdministrator(
        {folder_.File("store"), "oem.battery.example/node", log_key_, folder_.File("sessions")}, account,
        folder_.File("password"), clock_, crypto::kLeastPasswordCost);
  }
  std::string Password() const {
    return std::string(absl::StripSuffix(ReadFile(folder_.File("password"), 100).value(), "\n"));
  }

  testing::FakeClock clock_;
  testing::TempDir folder_;
  const crypto::PrivateKey log_key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  std::string administrator_;
  std::optional<PeopleForTest> people_;
};

TEST_F(ResetTest, AOneTimePasswordLetsTheAdministratorSetANewOne) {
  const auto session = people_->SignIn(administrator_);
  ASSERT_THAT(session, IsOk());
  Stop();

  ASSERT_EQ(Reset().value(), administrator_);

  Start();
  EXPECT_THAT(people_->Use(*session).status(), StatusIs(kUnauthenticated)) << "its sessions have ended";
  EXPECT_THAT(people_->SignIn(administrator_, kPassword), StatusIs(kUnauthenticated)) << "the forgotten one";
  people_->clock.Advance(absl::Minutes(1));
  const auto once = people_->SignIn(administrator_, Password());
  ASSERT_THAT(once, IsOk());
  EXPECT_EQ(once->role(), kViewer) << "enough to set a new one";
  ASSERT_THAT(people_->SetPassword(PeopleForTest::Operator(administrator_), administrator_,
                                   "a new and better one", Password()),
              IsOk());
  const auto after = people_->SignIn(administrator_, "a new and better one");
  ASSERT_THAT(after, IsOk());
  EXPECT_EQ(after->role(), kAdministrator);
}

TEST_F(ResetTest, ItCountsOnce) {
  Stop();
  ASSERT_THAT(Reset(), IsOk());
  Start();
  ASSERT_THAT(people_->SignIn(administrator_, Password()), IsOk());
  people_->clock.Advance(absl::Minutes(1));

  EXPECT_THAT(people_->SignIn(administrator_, Password()), StatusIs(kUnauthenticated));
}

TEST_F(ResetTest, ItCountsForADay) {
  Stop();
  ASSERT_THAT(Reset(), IsOk());
  Start();
  people_->clock.Advance(kOneTimeLife);

  EXPECT_THAT(people_->SignIn(administrator_, Password()), StatusIs(kUnauthenticated));
}

TEST_F(ResetTest, UntilANewOneIsSetItSetsNobodyElses) {
  const std::string other = people_->Create("Suzuki", kOperator);
  Stop();
  ASSERT_THAT(Reset(), IsOk());
  Start();
  ASSERT_THAT(people_->SignIn(administrator_, Password()), IsOk());

  EXPECT_THAT(people_->SetPassword(PeopleForTest::Operator(administrator_), other, "a new and better one"),
              StatusIs(kPermissionDenied));
}

TEST_F(ResetTest, EndsTheWaitOfALockedAccount) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(people_->SignIn(administrator_, "not the password", "guesser"), testing::Not(IsOk()));
  }
  Stop();
  ASSERT_THAT(Reset(), IsOk());
  Start();

  EXPECT_THAT(people_->SignIn(administrator_, Password()), IsOk());
}

TEST_F(ResetTest, TheLogSaysSo) {
  Stop();
  ASSERT_THAT(Reset(), IsOk());
  Start();

  EXPECT_THAT(people_->Acts(), Contains(" password-reset " + administrator_ + " "));
}

TEST_F(ResetTest, NamesTheAdministratorsWhenItIsNotClearWhich) {
  const std::string second = people_->Create("Suzuki", kAdministrator);
  const std::string operator_id = people_->Create("Tanaka", kOperator);
  Stop();

  for (const std::string& account : {std::string(), operator_id, std::string("a-nobody0000")}) {
    const absl::Status refused = Reset(account).status();
    EXPECT_THAT(refused, StatusIs(kFailedPrecondition, HasSubstr(administrator_)));
    EXPECT_THAT(refused, StatusIs(kFailedPrecondition, HasSubstr(second)));
    EXPECT_FALSE(std::filesystem::exists(folder_.File("password"))) << "no password that nobody set";
  }
  EXPECT_EQ(Reset(second).value(), second);
}

TEST_F(ResetTest, SaysSoWhereNobodyHasAnAccount) {
  ASSERT_THAT(store::OpenRocksStore(folder_.File("empty")), IsOk());

  EXPECT_THAT(ResetAdministrator({folder_.File("empty"), "oem.battery.example/node", log_key_,
                                  folder_.File("other-sessions")},
                                 "", folder_.File("password"), clock_),
              StatusIs(kFailedPrecondition, HasSubstr("no administrator has an account")));
}

TEST_F(ResetTest, RefusesADisabledAdministrator) {
  const std::string second = people_->Create("Suzuki", kAdministrator);
  ASSERT_THAT(people_->Disable(second), IsOk());
  Stop();

  EXPECT_THAT(Reset(second), StatusIs(kFailedPrecondition));
}

TEST_F(ResetTest, NeedsTheProcessToBeStopped) {
  EXPECT_THAT(Reset(), StatusIs(kFailedPrecondition, HasSubstr("in use")));
}

TEST_F(ResetTest, OverwritesNoFileAndMakesNoStore) {
  Stop();
  ASSERT_THAT(WriteFileAtomically(folder_.File("password"), "kept", 0600), IsOk());
  EXPECT_THAT(Reset(), StatusIs(kAlreadyExists));
  EXPECT_EQ(Password(), "kept");

  EXPECT_THAT(ResetAdministrator({folder_.File("none"), "oem.battery.example/node", log_key_, ""}, "",
                                 folder_.File("other"), clock_)
                  .status(),
              StatusIs(kFailedPrecondition, HasSubstr("no store")));
  EXPECT_FALSE(std::filesystem::exists(folder_.File("none")));
}

TEST_F(ResetTest, ThePasswordIsForTheOwnerAlone) {
  Stop();
  ASSERT_THAT(Reset(), IsOk());

  EXPECT_EQ(std::filesystem::status(folder_.File("password")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace tsunagi::people
