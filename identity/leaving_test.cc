// Suspension (利用停止) and leaving (脱退).
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/membership.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

class SuspensionTest : public ::testing::Test {
 protected:
  v1::ListedParticipant Listed(const std::string& label) {
    v1::ListParticipantsRequest request;
    request.set_search(label);
    return registrar_.registrar->membership().List(request).value().participants(0);
  }

  RegistrarForTest registrar_;
};
class LeavingTest : public SuspensionTest {};

TEST_F(SuspensionTest, SuspendsAndReinstates) {
  registrar_.Register("late");
  const std::string did = RegistrarForTest::DidOf("late");

  const auto suspended = registrar_.SetSuspended("late", true);
  ASSERT_THAT(suspended, IsOk());
  EXPECT_TRUE(registrar_.registrar->trust().View()->IsSuspended(did));
  EXPECT_GE(registrar_.registrar->trust().View()->status_version, suspended->status_version());
  EXPECT_TRUE(Listed("late").suspended());
  EXPECT_EQ(registrar_.Entry("late").state(), v1::PARTICIPANT_STATE_SUSPENDED);

  ASSERT_THAT(registrar_.SetSuspended(did, false), IsOk());
  EXPECT_FALSE(registrar_.registrar->trust().View()->IsSuspended(did));
  EXPECT_EQ(registrar_.Entry("late").state(), v1::PARTICIPANT_STATE_APPROVED);
  EXPECT_THAT(registrar_.Acts(), ElementsAre("registered", "approved", "suspended", "reinstated"));
}

TEST_F(SuspensionTest, WhoHadEnrolledIsActiveAgainOnceReinstated) {
  registrar_.Register("late");
  registrar_.EnrolNode("late");
  ASSERT_THAT(registrar_.SetSuspended("late", true), IsOk());
  ASSERT_THAT(registrar_.SetSuspended("late", false), IsOk());

  EXPECT_EQ(registrar_.Entry("late").state(), v1::PARTICIPANT_STATE_ACTIVE);
}

TEST_F(SuspensionTest, SuspendingTwiceIsOneAct) {
  registrar_.Register("late");
  ASSERT_THAT(registrar_.SetSuspended("late", true), IsOk());
  ASSERT_THAT(registrar_.SetSuspended("late", true), IsOk());

  EXPECT_THAT(registrar_.Acts(), ElementsAre("registered", "approved", "suspended"));
}

TEST_F(SuspensionTest, NeverSuspendsTheRegistrarOrAStranger) {
  EXPECT_THAT(registrar_.SetSuspended("registrar", true), StatusIs(kFailedPrecondition));
  EXPECT_THAT(registrar_.SetSuspended("nobody", true), StatusIs(kNotFound, HasSubstr("nobody")));
}

TEST_F(LeavingTest, WhoLeavesEndsItsKeysAndStandsInTheStatusList) {
  registrar_.Register("heir");
  ASSERT_THAT(registrar_.TryRegister(RegistrarForTest::WithNumber("leaver", "7000012050002")), IsOk());
  v1::ListKeysRequest keys;
  RegistrarForTest::AddKey(crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256),
                           v1::KEY_PURPOSE_SIGNING, "", RegistrarForTest::DidOf("leaver"), keys);
  keys.add_endpoints()->set_process("node");
  keys.mutable_endpoints(0)->set_address("127.0.0.1:7443");
  ASSERT_THAT(registrar_.ListKeys(RegistrarForTest::CallerOf("leaver"), keys), IsOk());
  registrar_.clock.Advance(absl::Hours(1));

  ASSERT_THAT(registrar_.Leave("leaver", "heir"), IsOk());

  const v1::Participant entry = registrar_.Entry("leaver");
  EXPECT_EQ(entry.state(), v1::PARTICIPANT_STATE_LEFT);
  EXPECT_EQ(entry.successor(), RegistrarForTest::DidOf("heir"));
  EXPECT_EQ(entry.custodian(), RegistrarForTest::DidOf("heir"));
  EXPECT_EQ(FromProto(entry.keys(0).valid_until()).value(), registrar_.clock.Now());
  EXPECT_TRUE(entry.endpoints().empty());
  EXPECT_TRUE(registrar_.registrar->trust().View()->IsSuspended(entry.did()));
  // The company may come again, or its successor take the number over.
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::WithNumber("leaver-2", "7000012050002")), IsOk());
}

TEST_F(LeavingTest, AKeyThatEndedBeforeItsHolderLeftKeepsItsEnd) {
  registrar_.Register("leaver");
  const std::string origin = LogOrigin("node", "leaver", kFederation);
  for (int i = 0; i < 2; ++i) {
    v1::ListKeysRequest keys;
    RegistrarForTest::AddKey(crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519),
                             v1::KEY_PURPOSE_LOG, origin, RegistrarForTest::DidOf("leaver"), keys);
    ASSERT_THAT(registrar_.ListKeys(RegistrarForTest::CallerOf("leaver"), keys), IsOk());
  }
  const absl::Time ended = registrar_.clock.Now();
  registrar_.clock.Advance(absl::Hours(1));

  ASSERT_THAT(registrar_.Leave("leaver"), IsOk());

  EXPECT_EQ(FromProto(registrar_.Entry("leaver").keys(0).valid_until()).value(), ended);
  EXPECT_EQ(FromProto(registrar_.Entry("leaver").keys(1).valid_until()).value(), registrar_.clock.Now());
}

TEST_F(LeavingTest, LeavingIsNotTakenBack) {
  registrar_.Register("leaver");
  ASSERT_THAT(registrar_.Leave("leaver"), IsOk());

  EXPECT_THAT(registrar_.SetSuspended("leaver", false), StatusIs(kFailedPrecondition, HasSubstr("has left")));
  EXPECT_THAT(registrar_.Update(RegistrarForTest::Named("leaver")), StatusIs(kFailedPrecondition));
  EXPECT_THAT(registrar_.Leave("leaver"), StatusIs(kFailedPrecondition));
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::Named("leaver")), StatusIs(kAlreadyExists));
}

TEST_F(LeavingTest, AnHeirIsAnotherActiveMember) {
  for (const char* label : {"leaver", "gone", "late"}) registrar_.Register(label);
  ASSERT_THAT(registrar_.Leave("gone"), IsOk());
  ASSERT_THAT(registrar_.SetSuspended("late", true), IsOk());

  EXPECT_THAT(registrar_.Leave("leaver", "leaver"), StatusIs(kInvalidArgument, HasSubstr("successor")));
  EXPECT_THAT(registrar_.Leave("leaver", "gone"), StatusIs(kFailedPrecondition, HasSubstr("successor")));
  EXPECT_THAT(registrar_.Leave("leaver", "", "late"), StatusIs(kFailedPrecondition, HasSubstr("custodian")));
  EXPECT_THAT(registrar_.Leave("leaver", "nobody"), StatusIs(kNotFound, HasSubstr("nobody")));
  EXPECT_THAT(registrar_.Leave("registrar"), StatusIs(kFailedPrecondition));
  EXPECT_EQ(registrar_.Entry("leaver").state(), v1::PARTICIPANT_STATE_APPROVED);
}

}  // namespace
}  // namespace tsunagi::identity
