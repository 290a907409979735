// Two-person approval (二者承認).
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/membership.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

crypto::PrivateKey NewKey() { return crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256); }

class TwoPersonTest : public ::testing::Test {
 protected:
  v1::CreateInvitationRequest Invitation(const std::string& person) {
    v1::CreateInvitationRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_label("registrar");
    request.add_processes("operator");
    request.set_person(person);
    return request;
  }
  static std::string RequestFor(const crypto::PrivateKey& key) {
    return RegistrarForTest::RequestFor(key, "registrar", "operator");
  }
  crypto::Certificate Enrolled(const std::string& person) {
    const std::string code = registrar_.TryInvite(Invitation(person))->code();
    return registrar_.Enrol("registrar", code, RequestFor(NewKey())).value();
  }
  static Caller CallerWith(const crypto::Certificate& certificate) {
    return CallerForTest::WithCertificate(RegistrarForTest::Operator(), certificate.sha256);
  }
  std::string Apply(const Caller& by, const std::string& label = "maker") {
    return registrar_.Apply(registrar_.Application(RegistrarForTest::Named(label), false), by)->pending_id();
  }
  void Register(const std::string& label) {
    ASSERT_THAT(registrar_.Approve(Apply(tanaka_, label), "", suzuki_), IsOk());
  }

  RegistrarForTest registrar_;
  const Caller tanaka_ = [this] {
    registrar_.options.two_person_approval = true;
    registrar_.Restart();
    return CallerWith(Enrolled("Tanaka"));
  }();
  const Caller suzuki_ = CallerWith(Enrolled("Suzuki"));
};

TEST_F(TwoPersonTest, AnotherPersonApproves) {
  const std::string id = Apply(tanaka_);

  EXPECT_THAT(registrar_.Approve(id, "", tanaka_),
              StatusIs(kFailedPrecondition, HasSubstr("another person")));
  EXPECT_THAT(registrar_.Approve(id, "", suzuki_), IsOk());
}

TEST_F(TwoPersonTest, OnePersonWithTwoCertificatesIsOne) {
  const std::string id = Apply(tanaka_);

  EXPECT_THAT(registrar_.Approve(id, "", CallerWith(Enrolled("Tanaka"))), StatusIs(kFailedPrecondition));
  EXPECT_THAT(registrar_.Approve(id, "", CallerWith(Enrolled("ｔａｎａｋａ"))),
              StatusIs(kFailedPrecondition));
}

TEST_F(TwoPersonTest, ARenewalWithANewKeyKeepsThePerson) {
  const crypto::Certificate first = Enrolled("Sato");
  const auto renewed = registrar_.Renew(first, RequestFor(NewKey()));
  ASSERT_THAT(renewed, IsOk());
  const std::string id = Apply(CallerWith(first));

  EXPECT_THAT(registrar_.Approve(id, "", CallerWith(*renewed)),
              StatusIs(kFailedPrecondition, HasSubstr("another person")));
  EXPECT_THAT(registrar_.Approve(Apply(tanaka_, "other"), "", CallerWith(*renewed)), IsOk());
}

TEST_F(TwoPersonTest, ACertificateThatNamesNoPersonNeitherEntersNorApproves) {
  const Caller nobody = RegistrarForTest::Operator();
  const std::string id = Apply(tanaka_);

  EXPECT_THAT(registrar_.Approve(id, "", nobody), StatusIs(kFailedPrecondition, HasSubstr("--person")));
  EXPECT_THAT(registrar_.Apply(registrar_.Application(RegistrarForTest::Named("oem"), false), nobody),
              StatusIs(kFailedPrecondition, HasSubstr("--person")));
}

TEST_F(TwoPersonTest, WhatWasEnteredByNobodyIsNotApproved) {
  registrar_.options.two_person_approval = false;
  registrar_.Restart();
  const std::string id = Apply(RegistrarForTest::Operator());
  registrar_.options.two_person_approval = true;
  registrar_.Restart();

  EXPECT_THAT(registrar_.Approve(id, "", suzuki_), StatusIs(kFailedPrecondition, HasSubstr("nobody")));
}

TEST_F(TwoPersonTest, NothingIsApprovedInTheSameAct) {
  EXPECT_THAT(registrar_.Apply(registrar_.Application(RegistrarForTest::Named("maker"), true), tanaka_),
              StatusIs(kFailedPrecondition, HasSubstr("another person")));
}

TEST_F(TwoPersonTest, AChangeAndALeavingWaitToo) {
  Register("maker");
  v1::Participant change = RegistrarForTest::Named("maker");
  change.add_roles("authority");
  const auto changed = registrar_.Update(change, tanaka_);
  ASSERT_THAT(changed, IsOk());
  EXPECT_THAT(registrar_.Entry("maker").roles(), IsEmpty());
  EXPECT_THAT(registrar_.Approve(changed->pending_id(), "", tanaka_), StatusIs(kFailedPrecondition));
  ASSERT_THAT(registrar_.Approve(changed->pending_id(), "", suzuki_), IsOk());
  EXPECT_THAT(registrar_.Entry("maker").roles(), ElementsAre("authority"));

  Register("heir");
  const auto leaving = registrar_.Leave("maker", "heir", "", tanaka_);
  ASSERT_THAT(leaving, IsOk());
  EXPECT_EQ(registrar_.Entry("maker").state(), v1::PARTICIPANT_STATE_APPROVED);
  EXPECT_THAT(registrar_.Approve(leaving->pending_id(), "", tanaka_), StatusIs(kFailedPrecondition));
  ASSERT_THAT(registrar_.Approve(leaving->pending_id(), "", suzuki_), IsOk());
  EXPECT_EQ(registrar_.Entry("maker").state(), v1::PARTICIPANT_STATE_LEFT);
  EXPECT_EQ(registrar_.Entry("maker").successor(), RegistrarForTest::DidOf("heir"));
}

TEST_F(TwoPersonTest, AnHeirThatLeftMeanwhileIsRefusedAtTheApproval) {
  for (const char* label : {"maker", "heir"}) Register(label);
  const std::string leaving = registrar_.Leave("maker", "heir", "", tanaka_)->pending_id();
  ASSERT_THAT(registrar_.Approve(registrar_.Leave("heir", "", "", tanaka_)->pending_id(), "", suzuki_),
              IsOk());

  EXPECT_THAT(registrar_.Approve(leaving, "", suzuki_), StatusIs(kFailedPrecondition, HasSubstr("heir")));
}

// It must be quick.
TEST_F(TwoPersonTest, ASuspensionNeedsOnePerson) {
  Register("maker");

  EXPECT_THAT(registrar_.SetSuspended("maker", true), IsOk());
}

TEST_F(TwoPersonTest, AnOperatorsInvitationNamesAPerson) {
  EXPECT_THAT(registrar_.TryInvite(Invitation("")), StatusIs(kInvalidArgument, HasSubstr("person")));
}

TEST_F(TwoPersonTest, RefusesAPersonForAnythingButTheRegistrarsOperator) {
  v1::CreateInvitationRequest request = Invitation("Tanaka");
  request.set_processes(0, "node");
  EXPECT_THAT(registrar_.TryInvite(request), StatusIs(kInvalidArgument, Not(HasSubstr("Tanaka"))));
  Register("maker");
  request.set_label("maker");
  request.set_processes(0, "operator");
  EXPECT_THAT(registrar_.TryInvite(request), StatusIs(kInvalidArgument));
  request.set_label("registrar");
  request.set_person("Ta\nnaka");
  EXPECT_THAT(registrar_.TryInvite(request), StatusIs(kInvalidArgument, Not(HasSubstr("naka"))));
  request.set_person("Tanaka");
  EXPECT_THAT(registrar_.TryInvite(request), IsOk());
}

TEST_F(TwoPersonTest, TheRegistrarsOperatorsSeeWhoEnteredIt) {
  Apply(tanaka_);

  const auto pending = registrar_.registrar->membership().ListPending({}).value();
  EXPECT_THAT(pending.pending(0).entered_by(), HasSubstr("(Tanaka)"));
}

TEST_F(TwoPersonTest, LeavesTellPersonsApartAndNameNone) {
  Register("maker");

  std::vector<std::string> by;
  for (const audit::v1::RegistrarRecord& record : registrar_.Records()) {
    EXPECT_THAT(Encode(record), Not(HasSubstr("Tanaka")));
    if (record.act() == "applied" || record.act() == "approved") by.push_back(record.by());
  }
  ASSERT_EQ(by.size(), 2u);
  EXPECT_THAT(by, Each(HasSubstr(" operator person:")));
  EXPECT_NE(by[0], by[1]);
}

}  // namespace
}  // namespace tsunagi::identity
