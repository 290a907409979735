#include "identity/membership.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

class MembershipTest : public ::testing::Test {
 protected:
  Membership& membership() { return registrar_.registrar->membership(); }
  absl::StatusOr<v1::DeclineResponse> Decline(const std::string& id, const std::string& reason = "unknown") {
    v1::DeclineRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_id(id);
    request.set_reason(reason);
    return WaitFor<v1::DeclineResponse>(
        [&](auto done) { membership().Decline(RegistrarForTest::Operator(), request, std::move(done)); });
  }

  RegistrarForTest registrar_;
};

TEST(ByOfTest, NamesTheAccountOfWhoeverActs) {
  const Caller caller = CallerForTest::WithAccount(RegistrarForTest::Operator(), "a-0123456789");

  EXPECT_EQ(ByOf(caller), "did:web:did.example:participants:registrar operator a-0123456789");
  EXPECT_EQ(ByOf(RegistrarForTest::Operator()), "did:web:did.example:participants:registrar operator");
}

TEST_F(MembershipTest, AnApplicantIsNoMemberBeforeItIsApproved) {
  const auto applied = registrar_.Apply(registrar_.Application(RegistrarForTest::Named("maker"), false));

  ASSERT_THAT(applied, IsOk());
  EXPECT_EQ(applied->participant().did(), RegistrarForTest::DidOf("maker"));
  EXPECT_EQ(applied->participant().state(), v1::PARTICIPANT_STATE_APPLIED);
  EXPECT_THAT(registrar_.registrar->trust().View()->Find("maker"), StatusIs(kNotFound));
  const auto pending = membership().ListPending({}).value();
  ASSERT_EQ(pending.pending_size(), 1);
  EXPECT_EQ(pending.pending(0).kind(), v1::PENDING_KIND_APPLICATION);
  EXPECT_EQ(pending.pending(0).entered_by(), "did:web:did.example:participants:registrar operator");

  const auto approved = registrar_.Approve(applied->pending_id());

  ASSERT_THAT(approved, IsOk());
  EXPECT_EQ(approved->participant().state(), v1::PARTICIPANT_STATE_APPROVED);
  EXPECT_THAT(registrar_.registrar->trust().View()->Find("maker"), IsOk());
  EXPECT_THAT(membership().ListPending({}).value().pending(), IsEmpty());
  EXPECT_THAT(registrar_.Acts(), ElementsAre("registered", "applied", "approved"));
}

TEST_F(MembershipTest, ADeclinedApplicationLeavesTheLabelFree) {
  const auto applied = registrar_.Apply(registrar_.Application(RegistrarForTest::Named("maker"), false));
  EXPECT_THAT(Decline(applied->pending_id(), ""), StatusIs(kInvalidArgument, HasSubstr("reason")));

  ASSERT_THAT(Decline(applied->pending_id()), IsOk());

  EXPECT_THAT(registrar_.Approve(applied->pending_id()),
              StatusIs(kNotFound, HasSubstr("participant pending")));
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::Named("maker")), IsOk());
  EXPECT_THAT(registrar_.Acts(), ElementsAre("registered", "applied", "declined", "approved"));
}

TEST_F(MembershipTest, WhatAParticipantListsItselfIsNotTakenFromTheOperator) {
  v1::Participant requested = RegistrarForTest::Named("maker");
  requested.set_version(99);
  requested.add_endpoints()->set_process("node");
  requested.add_keys()->set_key_id("00");
  requested.set_state(v1::PARTICIPANT_STATE_ACTIVE);
  requested.set_successor("did:web:other.example");
  requested.add_mandates();

  const v1::Participant listed = registrar_.TryRegister(requested)->participant();

  EXPECT_EQ(listed.version(), 1u);
  EXPECT_TRUE(listed.endpoints().empty());
  EXPECT_TRUE(listed.keys().empty());
  EXPECT_EQ(listed.state(), v1::PARTICIPANT_STATE_APPROVED);
  EXPECT_EQ(listed.successor(), "");
  EXPECT_TRUE(listed.mandates().empty());
}

TEST_F(MembershipTest, TheSameRequestGivesTheSameResultOnce) {
  v1::ApplyRequest request = registrar_.Application(RegistrarForTest::Named("maker"), true);
  const auto first = registrar_.Apply(request);
  const auto second = registrar_.Apply(request);

  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(Encode(*first), Encode(*second));
  EXPECT_EQ(registrar_.Acts().size(), 2u);
  *request.mutable_participant() = RegistrarForTest::Named("oem");
  EXPECT_THAT(registrar_.Apply(request), StatusIs(kAlreadyExists));
  request.set_request_id("not-a-uuid");
  EXPECT_THAT(registrar_.Apply(request), StatusIs(kInvalidArgument));
}

TEST_F(MembershipTest, RefusesATakenLabelAndTheRegistrars) {
  registrar_.Register("maker");

  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::Named("maker")),
              StatusIs(kAlreadyExists, HasSubstr("maker")));
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::Named("registrar")), StatusIs(kAlreadyExists));
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::Named("Maker")), StatusIs(kInvalidArgument));
}

TEST_F(MembershipTest, RefusesATakenDidAndOneThatIsHostedForAnother) {
  v1::Participant first = RegistrarForTest::Named("maker");
  first.set_did("did:web:maker.example");
  ASSERT_THAT(registrar_.TryRegister(first), IsOk());

  v1::Participant second = RegistrarForTest::Named("copy");
  second.set_did("did:web:maker.example");
  EXPECT_THAT(registrar_.TryRegister(second), StatusIs(kAlreadyExists, HasSubstr("maker")));
  second.set_did("did:web:did.example:participants:other");
  EXPECT_THAT(registrar_.TryRegister(second), StatusIs(kInvalidArgument, HasSubstr("participants:copy")));
  second.set_did("did:key:abc");
  EXPECT_THAT(registrar_.TryRegister(second), StatusIs(kInvalidArgument));
}

TEST_F(MembershipTest, RefusesAnIdentifierOfAnotherParticipant) {
  ASSERT_THAT(registrar_.TryRegister(RegistrarForTest::WithNumber("maker", "7000012050002")), IsOk());

  EXPECT_THAT(
      registrar_.Apply(registrar_.Application(RegistrarForTest::WithNumber("copy", "7000012050002"), false)),
      StatusIs(kAlreadyExists, HasSubstr("houjin-bangou:7000012050002")));
}

TEST_F(MembershipTest, AnIdentifierThatWasTakenSinceTheApplicationIsRefusedAtItsApproval) {
  const auto applied =
      registrar_.Apply(registrar_.Application(RegistrarForTest::WithNumber("copy", "7000012050002"), false));
  ASSERT_THAT(registrar_.TryRegister(RegistrarForTest::WithNumber("maker", "7000012050002")), IsOk());

  EXPECT_THAT(registrar_.Approve(applied->pending_id()), StatusIs(kAlreadyExists));
  EXPECT_EQ(membership().ListPending({}).value().pending_size(), 1);
}

TEST_F(MembershipTest, TellsWhatTheRegistrarShouldLookAt) {
  v1::Participant participant = RegistrarForTest::Named("maker");
  participant.add_identifiers()->set_scheme("duns");
  participant.mutable_identifiers(0)->set_value("123456789");

  EXPECT_THAT(registrar_.TryRegister(participant)->warnings(), ElementsAre(HasSubstr("123456789")));
}

TEST_F(MembershipTest, OneOfManyAtOnceGetsTheLabel) {
  std::vector<std::future<absl::StatusOr<v1::ApplyResponse>>> replies;
  for (int i = 0; i < 8; ++i) {
    const v1::ApplyRequest request = registrar_.Application(RegistrarForTest::Named("maker"), i % 2 == 0);
    auto promise = std::make_shared<std::promise<absl::StatusOr<v1::ApplyResponse>>>();
    replies.push_back(promise->get_future());
    membership().Apply(RegistrarForTest::Operator(), request,
                       [promise](auto reply) { promise->set_value(std::move(reply)); });
  }

  int taken = 0;
  for (auto& reply : replies) taken += reply.get().ok();
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(registrar_.Acts().size(), 2u);
}

TEST_F(MembershipTest, OneOfManyApprovalsAtOnceCounts) {
  const auto applied = registrar_.Apply(registrar_.Application(RegistrarForTest::Named("maker"), false));
  std::vector<std::future<absl::StatusOr<v1::ApproveResponse>>> replies;
  for (int i = 0; i < 8; ++i) {
    v1::ApproveRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_id(applied->pending_id());
    auto promise = std::make_shared<std::promise<absl::StatusOr<v1::ApproveResponse>>>();
    replies.push_back(promise->get_future());
    membership().Approve(RegistrarForTest::Operator(), request,
                         [promise](auto reply) { promise->set_value(std::move(reply)); });
  }

  int approved = 0;
  for (auto& reply : replies) approved += reply.get().ok();
  EXPECT_EQ(approved, 1);
}

TEST_F(MembershipTest, OneOfManyRefusalsAtOnceCounts) {
  const auto applied = registrar_.Apply(registrar_.Application(RegistrarForTest::Named("maker"), false));
  std::vector<std::future<absl::StatusOr<v1::DeclineResponse>>> replies;
  for (int i = 0; i < 8; ++i) {
    v1::DeclineRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_id(applied->pending_id());
    request.set_reason("unknown");
    auto promise = std::make_shared<std::promise<absl::StatusOr<v1::DeclineResponse>>>();
    replies.push_back(promise->get_future());
    membership().Decline(RegistrarForTest::Operator(), request,
                         [promise](auto reply) { promise->set_value(std::move(reply)); });
  }

  int declined = 0;
  for (auto& reply : replies) declined += reply.get().ok();
  EXPECT_EQ(declined, 1);
}

TEST_F(MembershipTest, ChangesWhatAMemberStatesAndNothingElse) {
  registrar_.Register("maker");
  registrar_.EnrolNode("maker");
  v1::Participant change = RegistrarForTest::WithNumber("maker", "7000012050002");
  change.set_name_ja("株式会社メーカー");
  change.add_roles("cell-maker");
  change.add_contacts()->set_function("security");
  change.mutable_contacts(0)->set_email("security@maker.example");
  change.set_state(v1::PARTICIPANT_STATE_LEFT);
  change.add_keys()->set_key_id("00");

  const auto changed = registrar_.Update(change);

  ASSERT_THAT(changed, IsOk());
  const v1::Participant entry = registrar_.Entry("maker");
  EXPECT_EQ(entry.name_ja(), "株式会社メーカー");
  EXPECT_EQ(entry.contacts(0).email(), "security@maker.example");
  EXPECT_EQ(entry.state(), v1::PARTICIPANT_STATE_ACTIVE);
  EXPECT_TRUE(entry.keys().empty());
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::WithNumber("copy", "7000012050002")),
              StatusIs(kAlreadyExists));
  ASSERT_THAT(registrar_.Update(RegistrarForTest::Named("maker")), IsOk());
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::WithNumber("copy", "7000012050002")), IsOk());
}

TEST_F(MembershipTest, ChangesNoDidNoStrangerAndNotTheRegistrar) {
  registrar_.Register("maker");
  v1::Participant change = RegistrarForTest::Named("maker");
  change.set_did("did:web:other.example");

  EXPECT_THAT(registrar_.Update(change), StatusIs(kInvalidArgument, HasSubstr("did")));
  EXPECT_THAT(registrar_.Update(RegistrarForTest::Named("nobody")), StatusIs(kNotFound, HasSubstr("nobody")));
  EXPECT_THAT(registrar_.Update(RegistrarForTest::Named("registrar")), StatusIs(kFailedPrecondition));
}

}  // namespace
}  // namespace tsunagi::identity
