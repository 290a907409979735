// Namespaces that several members hold: consents and rulings.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/membership.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

v1::Participant With(const std::string& label, const std::string& chassis_type) {
  v1::Participant participant = RegistrarForTest::Named(label);
  participant.add_namespaces()->set_chassis_type(chassis_type);
  return participant;
}

class NamespacesTest : public ::testing::Test {
 protected:
  NamespacesTest() { EXPECT_THAT(registrar_.TryRegister(With("oem", "ZE1")), IsOk()); }

  absl::StatusOr<v1::ConsentToNamespaceResponse> Consent(const Caller& caller,
                                                         const std::string& chassis_type,
                                                         const std::string& label, bool consent = true) {
    v1::ConsentToNamespaceRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.mutable_namespace_()->set_chassis_type(chassis_type);
    request.set_label(label);
    request.set_consent(consent);
    return WaitFor<v1::ConsentToNamespaceResponse>([&](auto done) {
      registrar_.registrar->membership().ConsentToNamespace(caller, request, std::move(done));
    });
  }
  bool Holds(const std::string& label) { return registrar_.Entry(label).namespaces_size() == 1; }

  RegistrarForTest registrar_;
  const Caller oem_ = RegistrarForTest::CallerOf("oem", "operator");
};

TEST_F(NamespacesTest, AnOverlapIsNotApprovedInTheSameAct) {
  EXPECT_THAT(registrar_.TryRegister(With("copy", "ZE1")),
              StatusIs(kFailedPrecondition, HasSubstr("chassis-type:ZE1 held by oem")));
  EXPECT_THAT(registrar_.TryRegister(With("other", "ZE2")), IsOk());
}

TEST_F(NamespacesTest, AnOverlapNeedsAReasonToBeApproved) {
  const auto applied = registrar_.Apply(registrar_.Application(With("trucks", "ZE1"), false));
  ASSERT_THAT(applied, IsOk());
  const auto pending = registrar_.registrar->membership().ListPending({}).value();
  EXPECT_THAT(pending.pending(0).overlaps(), ElementsAre("chassis-type:ZE1 held by oem"));

  EXPECT_THAT(registrar_.Approve(applied->pending_id()), StatusIs(kFailedPrecondition, HasSubstr("reason")));
  ASSERT_THAT(registrar_.Approve(applied->pending_id(), "spun off from oem"), IsOk());

  EXPECT_TRUE(Holds("trucks"));
  EXPECT_TRUE(Holds("oem"));
  EXPECT_EQ(registrar_.Records().back().reason(), "spun off from oem");
}

TEST_F(NamespacesTest, AMembersOverlapWaitsForARulingAndNothingChangesMeanwhile) {
  registrar_.Register("trucks");
  v1::Participant change = With("trucks", "ZE1");
  change.add_roles("oem");

  const auto waiting = registrar_.Update(change);

  ASSERT_THAT(waiting, IsOk());
  EXPECT_FALSE(Holds("trucks"));
  EXPECT_TRUE(waiting->participant().roles().empty());
  const auto pending = registrar_.registrar->membership().ListPending({}).value();
  ASSERT_EQ(pending.pending_size(), 1);
  EXPECT_EQ(pending.pending(0).kind(), v1::PENDING_KIND_NAMESPACE_RULING);
  EXPECT_THAT(registrar_.Update(change), StatusIs(kFailedPrecondition, HasSubstr(waiting->pending_id())));

  EXPECT_THAT(registrar_.Approve(waiting->pending_id()), StatusIs(kFailedPrecondition));
  ASSERT_THAT(registrar_.Approve(waiting->pending_id(), "they share the type"), IsOk());
  EXPECT_TRUE(Holds("trucks"));
  EXPECT_EQ(registrar_.Entry("trucks").roles(0), "oem");
  EXPECT_THAT(registrar_.Acts(),
              ElementsAre("registered", "approved", "approved", "change-entered", "changed"));
}

TEST_F(NamespacesTest, KeysThatWereListedWhileAChangeWaitedStay) {
  registrar_.Register("trucks");
  const auto waiting = registrar_.Update(With("trucks", "ZE1"));
  v1::ListKeysRequest keys;
  RegistrarForTest::AddKey(crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256),
                           v1::KEY_PURPOSE_SIGNING, "", RegistrarForTest::DidOf("trucks"), keys);
  ASSERT_THAT(registrar_.ListKeys(RegistrarForTest::CallerOf("trucks"), keys), IsOk());

  ASSERT_THAT(registrar_.Approve(waiting->pending_id(), "they share the type"), IsOk());

  EXPECT_EQ(registrar_.Entry("trucks").keys_size(), 1);
}

TEST_F(NamespacesTest, TheHoldersConsentNeedsNoRuling) {
  registrar_.Register("trucks");
  ASSERT_THAT(Consent(oem_, "ZE1", "trucks"), IsOk());
  EXPECT_EQ(registrar_.Records().back().reason(), "chassis-type:ZE1 for trucks");

  const auto changed = registrar_.Update(With("trucks", "ZE1"));

  ASSERT_THAT(changed, IsOk());
  EXPECT_EQ(changed->pending_id(), "");
  EXPECT_TRUE(Holds("trucks"));
}

TEST_F(NamespacesTest, AConsentIsForOneLabelOneNamespaceAndOneUse) {
  ASSERT_THAT(Consent(oem_, "ZE1", "trucks"), IsOk());
  EXPECT_THAT(registrar_.TryRegister(With("copy", "ZE1")), StatusIs(kFailedPrecondition));
  ASSERT_THAT(registrar_.TryRegister(With("trucks", "ZE1")), IsOk());
  ASSERT_THAT(registrar_.Update(RegistrarForTest::Named("trucks")), IsOk());

  EXPECT_NE(registrar_.Update(With("trucks", "ZE1"))->pending_id(), "");
}

TEST_F(NamespacesTest, EveryHolderMustConsent) {
  ASSERT_THAT(Consent(oem_, "ZE1", "trucks"), IsOk());
  ASSERT_THAT(registrar_.TryRegister(With("trucks", "ZE1")), IsOk());
  ASSERT_THAT(Consent(oem_, "ZE1", "third"), IsOk());

  EXPECT_THAT(registrar_.TryRegister(With("third", "ZE1")),
              StatusIs(kFailedPrecondition, HasSubstr("held by trucks")));
  ASSERT_THAT(Consent(RegistrarForTest::CallerOf("trucks", "operator"), "ZE1", "third"), IsOk());
  EXPECT_THAT(registrar_.TryRegister(With("third", "ZE1")), IsOk());
}

TEST_F(NamespacesTest, AWithdrawnConsentDoesNotCount) {
  ASSERT_THAT(Consent(oem_, "ZE1", "trucks"), IsOk());
  ASSERT_THAT(Consent(oem_, "ZE1", "trucks", false), IsOk());
  ASSERT_THAT(Consent(oem_, "ZE1", "trucks", false), IsOk());

  EXPECT_THAT(registrar_.TryRegister(With("trucks", "ZE1")), StatusIs(kFailedPrecondition));
  EXPECT_THAT(registrar_.Acts(), ElementsAre("registered", "approved", "consented", "consent-withdrawn"));
}

TEST_F(NamespacesTest, OnlyTheHoldersOperatorConsents) {
  registrar_.Register("trucks");

  EXPECT_THAT(Consent(RegistrarForTest::CallerOf("oem", "node"), "ZE1", "trucks"),
              StatusIs(kPermissionDenied));
  EXPECT_THAT(Consent(RegistrarForTest::CallerOf("trucks", "operator"), "ZE1", "trucks"),
              StatusIs(kFailedPrecondition, Not(HasSubstr("oem"))));
  EXPECT_THAT(Consent(oem_, "ZE2", "trucks"), StatusIs(kFailedPrecondition));
  EXPECT_THAT(Consent(oem_, "ze1", "trucks"), StatusIs(kInvalidArgument));
  EXPECT_THAT(Consent(oem_, "ZE1", "Trucks"), StatusIs(kInvalidArgument));
  ASSERT_THAT(registrar_.SetSuspended("oem", true), IsOk());
  EXPECT_THAT(Consent(oem_, "ZE1", "trucks"), StatusIs(kPermissionDenied));
}

TEST_F(NamespacesTest, BoundsTheConsentsThatWereNotUsed) {
  for (int i = 0; i < 100; ++i) ASSERT_THAT(Consent(oem_, "ZE1", absl::StrCat("m", i)), IsOk());

  EXPECT_THAT(Consent(oem_, "ZE1", "one-more"), StatusIs(kFailedPrecondition, HasSubstr("withdraw")));
}

TEST_F(NamespacesTest, WhoHasLeftSharesWithItsSuccessorOnly) {
  registrar_.Register("heir");
  ASSERT_THAT(registrar_.Leave("oem", "heir"), IsOk());

  EXPECT_TRUE(Holds("oem"));
  EXPECT_THAT(registrar_.TryRegister(With("copy", "ZE1")), StatusIs(kFailedPrecondition));
  ASSERT_THAT(registrar_.Update(With("heir", "ZE1")), IsOk());
  EXPECT_TRUE(Holds("heir"));
}

TEST_F(NamespacesTest, OneOfTwoAtOnceTakesANamespaceThatWasFree) {
  std::vector<std::future<absl::StatusOr<v1::ApplyResponse>>> replies;
  for (const char* label : {"a", "b", "c", "d"}) {
    auto promise = std::make_shared<std::promise<absl::StatusOr<v1::ApplyResponse>>>();
    replies.push_back(promise->get_future());
    registrar_.registrar->membership().Apply(RegistrarForTest::Operator(),
                                             registrar_.Application(With(label, "ZE9"), true),
                                             [promise](auto reply) { promise->set_value(std::move(reply)); });
  }

  int taken = 0;
  for (auto& reply : replies) taken += reply.get().ok();
  EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace tsunagi::identity
