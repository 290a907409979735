// Who may act for another participant, as its guard decides.
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/rpc/guard.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_connection.h"
#include "tests/support/federation.h"
#include "tests/support/mandates.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::rpc {
namespace {

using testing::FakeClock;
using testing::FakeConnection;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TestCredential;
using testing::TestFederation;

constexpr char kParticipant[] = "/t.S/Participant";
constexpr char kOwnOperator[] = "/t.S/OwnOperator";
constexpr char kOwnProcess[] = "/t.S/OwnProcess";
constexpr char kOwnParticipant[] = "/t.S/OwnParticipant";
constexpr char kSetPolicies[] = "/t.S/SetPolicies";
constexpr char kErase[] = "/t.S/Erase";
constexpr char kPolicyHealth[] = "/t.S/PolicyHealth";
constexpr char kPolicyProcess[] = "/t.S/PolicyProcess";

// The guard of a process of `oem`, which lets `dealer` act for it.
class MandateTest : public ::testing::Test {
 protected:
  MandateTest() { federation_.Add("dealer"); }

  static TestFederation& WithOem(TestFederation& federation) {
    federation.Add("oem");
    return federation;
  }

  absl::StatusOr<Caller> Call(absl::string_view method, const std::string& label = "dealer",
                              const std::string& process = "operator") {
    const TestCredential credential = federation_.Enrol(label, process);
    const std::string bearer = absl::StrCat("Bearer ", federation_.Token(label, credential));
    return guard_.Check(method, {{"authorization", bearer}}, FakeConnection({credential.leaf_pem}));
  }
  identity::v1::Mandate Policy() { return oem_.Make("dealer", {identity::kScopePolicy}); }
  void ExpectRefused() {
    EXPECT_THAT(Call(kSetPolicies), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("not open")));
  }

  FakeClock clock_;
  TestFederation federation_{clock_};
  testing::TestGrantor oem_{WithOem(federation_), clock_, "oem"};
  const testing::TempDir shared_dir_;
  identity::RevokedMandates revoked_{shared_dir_.path()};
  Guard guard_{{.own_label = "oem",
                .federation = "battery.example",
                .revoked_mandates = std::make_shared<const identity::RevokedMandates>(shared_dir_.path())},
               {{kParticipant, Who::kParticipant},
                {kOwnOperator, Who::kOwnOperator},
                {kOwnProcess, Who::kOwnProcess},
                {kOwnParticipant, Who::kOwnParticipant},
                {kSetPolicies, Who::kOwnOperator, "", people::kAdministrator, identity::kScopePolicy},
                {kErase, Who::kOwnOperator, "", people::kAdministrator, identity::kScopeErase},
                {kPolicyHealth, Who::kOwnParticipant, "", people::kAdministrator, identity::kScopePolicy},
                {kPolicyProcess, Who::kOwnProcess, "", people::kAdministrator, identity::kScopePolicy}},
               federation_.tokens(),
               federation_.trust(),
               clock_};
};

TEST_F(MandateTest, LetsItsHoldersOperatorActAndNamesItself) {
  const identity::v1::Mandate mandate = Policy();
  ExpectRefused();
  ASSERT_THAT(oem_.List(mandate), IsOk());

  const absl::StatusOr<Caller> caller = Call(kSetPolicies);

  ASSERT_THAT(caller, IsOk());
  EXPECT_EQ(caller->mandate(), mandate.id());
  EXPECT_EQ(caller->did(), federation_.DidOf("dealer"));
  EXPECT_THAT(Call(kPolicyHealth), IsOk());
}

TEST_F(MandateTest, OpensNoMethodOutOfItsScope) {
  ASSERT_THAT(oem_.List(Policy()), IsOk());

  for (const char* method : {kErase, kOwnOperator, kOwnParticipant, kPolicyProcess, kOwnProcess}) {
    EXPECT_THAT(Call(method), StatusIs(absl::StatusCode::kPermissionDenied)) << method;
  }
}

TEST_F(MandateTest, IsNamedOnlyWhereItIsUsed) {
  ASSERT_THAT(oem_.List(Policy()), IsOk());

  EXPECT_EQ(Call(kParticipant)->mandate(), "");
  EXPECT_EQ(Call(kSetPolicies, "oem")->mandate(), "");
}

TEST_F(MandateTest, OpensNothingBeforeItsStartOrAfterItsEnd) {
  identity::v1::Mandate mandate = Policy();
  *mandate.mutable_valid_from() = ToProto(clock_.Now() + absl::Minutes(10));
  *mandate.mutable_valid_until() = ToProto(clock_.Now() + absl::Minutes(20));
  ASSERT_THAT(oem_.List(mandate), IsOk());

  ExpectRefused();
  clock_.Advance(absl::Minutes(10));
  EXPECT_THAT(Call(kSetPolicies), IsOk());
  clock_.Advance(absl::Minutes(10));
  ExpectRefused();
}

TEST_F(MandateTest, OpensNothingOnceTheDirectorySaysThatItIsRevoked) {
  const identity::v1::Mandate mandate = Policy();
  ASSERT_THAT(oem_.List(mandate), IsOk());
  ASSERT_THAT(oem_.Revoke(mandate), IsOk());

  ExpectRefused();
}

TEST_F(MandateTest, OpensNothingOnceAnOwnProcessRevokedIt) {
  const identity::v1::Mandate mandate = Policy();
  const identity::v1::Mandate other = Policy();
  ASSERT_THAT(oem_.List(mandate), IsOk());
  ASSERT_THAT(Call(kSetPolicies), IsOk());
  ASSERT_THAT(revoked_.Add(mandate.id()), IsOk());
  ExpectRefused();

  ASSERT_THAT(oem_.List(other), IsOk());
  EXPECT_EQ(Call(kSetPolicies)->mandate(), other.id());
}

TEST_F(MandateTest, OpensNothingWhenAnotherKeySignedIt) {
  ASSERT_THAT(oem_.List(Policy(), crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256)),
              IsOk());

  ExpectRefused();
}

TEST_F(MandateTest, OpensNothingAtAnotherGrantorsProcess) {
  federation_.Add("maker");
  testing::TestGrantor maker(federation_, clock_, "maker");
  ASSERT_THAT(maker.List(maker.Make("dealer", {identity::kScopePolicy})), IsOk());

  ExpectRefused();
}

TEST_F(MandateTest, OpensNothingForAnotherHolder) {
  federation_.Add("recycler");
  ASSERT_THAT(oem_.List(oem_.Make("recycler", {identity::kScopePolicy})), IsOk());

  ExpectRefused();
}

TEST_F(MandateTest, OpensNothingForASuspendedHolder) {
  ASSERT_THAT(oem_.List(Policy()), IsOk());
  ASSERT_THAT(federation_.Suspend("dealer"), IsOk());

  EXPECT_THAT(Call(kSetPolicies), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("suspended")));
}

TEST_F(MandateTest, OpensNothingForAnotherProcessOfItsHolder) {
  ASSERT_THAT(oem_.List(Policy()), IsOk());

  for (const char* process : {"node", "connector", "passport"}) {
    EXPECT_THAT(Call(kSetPolicies, "dealer", process), StatusIs(absl::StatusCode::kPermissionDenied))
        << process;
  }
}

}  // namespace
}  // namespace tsunagi::rpc
