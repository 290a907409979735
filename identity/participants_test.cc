#include "identity/participants.h"

#include <optional>

#include "core/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

constexpr auto kEs256 = common::v1::SIGNATURE_ALGORITHM_ES256;
constexpr auto kEd25519 = common::v1::SIGNATURE_ALGORITHM_ED25519;

class ParticipantsTest : public ::testing::Test {
 protected:
  v1::ListedParticipant Listed(const std::string& label) {
    const auto page = registrar_.registrar->participants().List({}).value();
    for (const v1::ListedParticipant& row : page.participants()) {
      if (row.participant().label() == label) return row;
    }
    return {};
  }

  RegistrarForTest registrar_;
};

TEST_F(ParticipantsTest, ARegisteredParticipantIsInTheSignedDirectoryAtOnce) {
  const auto reply = registrar_.TryRegister(RegistrarForTest::Named("maker"));

  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->participant().did(), "did:web:did.example:participants:maker");
  EXPECT_THAT(registrar_.registrar->trust().View()->Find("maker"), IsOk());
  EXPECT_THAT(registrar_.Acts(), ElementsAre("registered", "registered"));
}

TEST_F(ParticipantsTest, WhatTheParticipantListsItselfIsNotTakenFromTheOperator) {
  v1::Participant requested = RegistrarForTest::Named("maker");
  requested.set_version(99);
  requested.add_endpoints()->set_process("node");
  requested.add_keys()->set_key_id("00");

  const v1::Participant listed = registrar_.TryRegister(requested)->participant();

  EXPECT_EQ(listed.version(), 1u);
  EXPECT_TRUE(listed.endpoints().empty());
  EXPECT_TRUE(listed.keys().empty());
}

TEST_F(ParticipantsTest, TheSameRequestGivesTheSameResultOnce) {
  const std::string id = NewUuid(registrar_.random);
  const auto first = registrar_.TryRegister(RegistrarForTest::Named("maker"), id);
  const auto second = registrar_.TryRegister(RegistrarForTest::Named("maker"), id);

  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(Encode(*first), Encode(*second));
  EXPECT_EQ(registrar_.Acts().size(), 2u);
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::Named("oem"), id), StatusIs(kAlreadyExists));
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::Named("oem"), "not-a-uuid"),
              StatusIs(kInvalidArgument));
}

TEST_F(ParticipantsTest, RefusesATakenLabelAndTheRegistrars) {
  registrar_.Register("maker");

  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::Named("maker")),
              StatusIs(kAlreadyExists, HasSubstr("maker")));
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::Named("registrar")), StatusIs(kAlreadyExists));
  EXPECT_THAT(registrar_.TryRegister(RegistrarForTest::Named("Maker")), StatusIs(kInvalidArgument));
}

TEST_F(ParticipantsTest, RefusesATakenDidAndOneThatIsHostedForAnother) {
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

TEST_F(ParticipantsTest, RefusesAnIdentifierOfAnotherParticipant) {
  v1::Participant first = RegistrarForTest::Named("maker");
  first.add_identifiers()->set_scheme("houjin-bangou");
  first.mutable_identifiers(0)->set_value("7000012050002");
  ASSERT_THAT(registrar_.TryRegister(first), IsOk());

  v1::Participant second = RegistrarForTest::Named("copy");
  *second.mutable_identifiers() = first.identifiers();
  EXPECT_THAT(registrar_.TryRegister(second),
              StatusIs(kAlreadyExists, HasSubstr("houjin-bangou:7000012050002")));
}

TEST_F(ParticipantsTest, RefusesANamespaceThatAnotherHolds) {
  v1::Participant first = RegistrarForTest::Named("oem");
  first.add_namespaces()->set_chassis_type("ZE1");
  ASSERT_THAT(registrar_.TryRegister(first), IsOk());

  v1::Participant second = RegistrarForTest::Named("copy");
  second.add_namespaces()->set_chassis_type("ZE1");
  EXPECT_THAT(registrar_.TryRegister(second), StatusIs(kAlreadyExists, HasSubstr("chassis-type:ZE1")));
  second.mutable_namespaces(0)->set_chassis_type("ZE2");
  EXPECT_THAT(registrar_.TryRegister(second), IsOk());
}

TEST_F(ParticipantsTest, OneOfTwoAtOnceGetsTheLabel) {
  std::vector<std::future<absl::StatusOr<v1::RegisterParticipantResponse>>> replies;
  for (int i = 0; i < 8; ++i) {
    v1::RegisterParticipantRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    *request.mutable_participant() = RegistrarForTest::Named("maker");
    auto promise = std::make_shared<std::promise<absl::StatusOr<v1::RegisterParticipantResponse>>>();
    replies.push_back(promise->get_future());
    registrar_.registrar->participants().Register(
        RegistrarForTest::Operator(), request,
        [promise](auto reply) { promise->set_value(std::move(reply)); });
  }

  int registered = 0;
  for (auto& reply : replies) registered += reply.get().ok();
  EXPECT_EQ(registered, 1);
  EXPECT_EQ(registrar_.Acts().size(), 2u);
}

TEST_F(ParticipantsTest, ListsParticipantsInPagesByLabel) {
  for (const char* label : {"c", "a", "b"}) registrar_.Register(label);
  v1::ListParticipantsRequest request;
  request.set_page_size(3);

  const auto first = registrar_.registrar->participants().List(request).value();
  request.set_page_token(first.next_page_token());
  const auto second = registrar_.registrar->participants().List(request).value();

  ASSERT_EQ(first.participants_size(), 3);
  EXPECT_EQ(first.participants(0).participant().label(), "a");
  ASSERT_EQ(second.participants_size(), 1);
  EXPECT_EQ(second.participants(0).participant().label(), "registrar");
  EXPECT_EQ(second.next_page_token(), "");
  request.set_page_size(1001);
  EXPECT_THAT(registrar_.registrar->participants().List(request), StatusIs(kInvalidArgument));
}

TEST_F(ParticipantsTest, SuspendsAndReinstates) {
  registrar_.Register("late");
  const std::string did = RegistrarForTest::DidOf("late");

  const auto suspended = registrar_.SetSuspended("late", true);
  ASSERT_THAT(suspended, IsOk());
  EXPECT_TRUE(registrar_.registrar->trust().View()->IsSuspended(did));
  EXPECT_GE(registrar_.registrar->trust().View()->status_version, suspended->status_version());
  EXPECT_TRUE(Listed("late").suspended());

  ASSERT_THAT(registrar_.SetSuspended(did, false), IsOk());
  EXPECT_FALSE(registrar_.registrar->trust().View()->IsSuspended(did));
  EXPECT_THAT(registrar_.Acts(), ElementsAre("registered", "registered", "suspended", "reinstated"));
}

TEST_F(ParticipantsTest, NeverSuspendsTheRegistrarOrAStranger) {
  EXPECT_THAT(registrar_.SetSuspended("registrar", true), StatusIs(kFailedPrecondition));
  EXPECT_THAT(registrar_.SetSuspended("nobody", true), StatusIs(kNotFound, HasSubstr("nobody")));
}

class KeysTest : public ParticipantsTest {
 protected:
  KeysTest() { registrar_.Register("maker"); }
  v1::ListKeysRequest Request(const crypto::PrivateKey& key, const std::string& origin = "") {
    v1::ListKeysRequest request;
    RegistrarForTest::AddKey(key, origin.empty() ? v1::KEY_PURPOSE_SIGNING : v1::KEY_PURPOSE_LOG, origin,
                             RegistrarForTest::DidOf("maker"), request);
    return request;
  }
  v1::Participant Entry() { return registrar_.registrar->trust().View()->Find("maker").value()->participant; }

  const crypto::PrivateKey signing_ = crypto::PrivateKey::Generate(kEs256);
  const crypto::PrivateKey log_ = crypto::PrivateKey::Generate(kEd25519);
  const std::string origin_ = LogOrigin("node", "maker", kFederation);
  const Caller maker_ = RegistrarForTest::CallerOf("maker");
};

TEST_F(KeysTest, ListsKeysFromNowOn) {
  const auto reply = registrar_.ListKeys(maker_, Request(signing_));

  ASSERT_THAT(reply, IsOk());
  ASSERT_EQ(Entry().keys_size(), 1);
  EXPECT_EQ(Entry().keys(0).key_id(), signing_.id());
  EXPECT_EQ(FromProto(Entry().keys(0).valid_from()).value(), registrar_.clock.Now());
  EXPECT_EQ(registrar_.registrar->trust().View()->directory_version, reply->directory_version());
}

TEST_F(KeysTest, ListingAgainChangesNothing) {
  const auto first = registrar_.ListKeys(maker_, Request(signing_));
  const size_t acts = registrar_.Acts().size();
  registrar_.clock.Advance(absl::Hours(1));

  const auto second = registrar_.ListKeys(maker_, Request(signing_));

  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(first->directory_version(), second->directory_version());
  EXPECT_EQ(registrar_.Acts().size(), acts);
}

TEST_F(KeysTest, RefusesAKeyWithoutProofOfPossession) {
  v1::ListKeysRequest stolen = Request(signing_);
  *stolen.mutable_proofs(0) =
      crypto::Sign(crypto::PrivateKey::Generate(kEs256), kKeyPossessionPayload, maker_.did());
  EXPECT_THAT(registrar_.ListKeys(maker_, stolen), StatusIs(kInvalidArgument, HasSubstr("proof")));

  v1::ListKeysRequest replayed = Request(signing_);
  *replayed.mutable_proofs(0) =
      crypto::Sign(signing_, kKeyPossessionPayload, RegistrarForTest::DidOf("other"));
  EXPECT_THAT(registrar_.ListKeys(maker_, replayed), StatusIs(kInvalidArgument, HasSubstr("proof")));

  v1::ListKeysRequest missing = Request(signing_);
  missing.clear_proofs();
  EXPECT_THAT(registrar_.ListKeys(maker_, missing), StatusIs(kInvalidArgument, HasSubstr("proof")));
}

TEST_F(KeysTest, RefusesAKeyThatAnotherParticipantLists) {
  ASSERT_THAT(registrar_.ListKeys(maker_, Request(signing_)), IsOk());
  registrar_.Register("other");
  v1::ListKeysRequest request;
  RegistrarForTest::AddKey(signing_, v1::KEY_PURPOSE_SIGNING, "", RegistrarForTest::DidOf("other"), request);

  EXPECT_THAT(registrar_.ListKeys(RegistrarForTest::CallerOf("other"), request), StatusIs(kAlreadyExists));
}

TEST_F(KeysTest, LogKeysAreOfTheCallingProcessOnly) {
  EXPECT_THAT(registrar_.ListKeys(maker_, Request(log_, LogOrigin("catalog", "maker", kFederation))),
              StatusIs(kInvalidArgument, HasSubstr(origin_)));
  EXPECT_THAT(registrar_.ListKeys(maker_, Request(log_, LogOrigin("node", "other", kFederation))),
              StatusIs(kInvalidArgument));
  EXPECT_THAT(registrar_.ListKeys(maker_, Request(log_, origin_)), IsOk());
}

TEST_F(KeysTest, RefusesAKeyOfTheWrongAlgorithmForItsPurpose) {
  EXPECT_THAT(registrar_.ListKeys(maker_, Request(log_)), StatusIs(kInvalidArgument));
  EXPECT_THAT(registrar_.ListKeys(maker_, Request(signing_, origin_)), StatusIs(kInvalidArgument));
}

TEST_F(KeysTest, ANewLogKeyEndsTheEarlierOne) {
  ASSERT_THAT(registrar_.ListKeys(maker_, Request(log_, origin_)), IsOk());
  registrar_.clock.Advance(absl::Hours(1));
  ASSERT_THAT(registrar_.ListKeys(maker_, Request(crypto::PrivateKey::Generate(kEd25519), origin_)), IsOk());

  ASSERT_EQ(Entry().keys_size(), 2);
  EXPECT_EQ(FromProto(Entry().keys(0).valid_until()).value(), registrar_.clock.Now());
  EXPECT_FALSE(Entry().keys(1).has_valid_until());
}

TEST_F(KeysTest, ListsTheCallingProcessesEndpointOnly) {
  v1::ListKeysRequest request;
  v1::Endpoint& endpoint = *request.add_endpoints();
  endpoint.set_process("node");
  endpoint.set_address("127.0.0.1:7443");
  ASSERT_THAT(registrar_.ListKeys(maker_, request), IsOk());
  endpoint.set_address("127.0.0.1:7444");
  ASSERT_THAT(registrar_.ListKeys(maker_, request), IsOk());
  ASSERT_EQ(Entry().endpoints_size(), 1);
  EXPECT_EQ(Entry().endpoints(0).address(), "127.0.0.1:7444");

  endpoint.set_process("catalog");
  EXPECT_THAT(registrar_.ListKeys(maker_, request), StatusIs(kInvalidArgument, HasSubstr("node")));
  endpoint.set_process("node");
  endpoint.set_address("nowhere");
  EXPECT_THAT(registrar_.ListKeys(maker_, request), StatusIs(kInvalidArgument, HasSubstr("host:port")));
}

TEST_F(KeysTest, ASuspendedParticipantListsNothing) {
  ASSERT_THAT(registrar_.SetSuspended("maker", true), IsOk());

  EXPECT_THAT(registrar_.ListKeys(maker_, Request(signing_)), StatusIs(kPermissionDenied));
}

}  // namespace
}  // namespace tsunagi::identity
