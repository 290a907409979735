#include "identity/participant_keys.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

constexpr auto kEs256 = common::v1::SIGNATURE_ALGORITHM_ES256;
constexpr auto kEd25519 = common::v1::SIGNATURE_ALGORITHM_ED25519;

class KeysTest : public ::testing::Test {
 protected:
  KeysTest() { registrar_.Register("maker"); }
  v1::ListKeysRequest Request(const crypto::PrivateKey& key, const std::string& origin = "") {
    v1::ListKeysRequest request;
    RegistrarForTest::AddKey(key, origin.empty() ? v1::KEY_PURPOSE_SIGNING : v1::KEY_PURPOSE_LOG, origin,
                             RegistrarForTest::DidOf("maker"), request);
    return request;
  }
  v1::Participant Entry() { return registrar_.Entry("maker"); }

  RegistrarForTest registrar_;

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

TEST_F(KeysTest, WhoHasLeftListsNothing) {
  ASSERT_THAT(registrar_.Leave("maker"), IsOk());

  EXPECT_THAT(registrar_.ListKeys(maker_, Request(signing_)), StatusIs(kPermissionDenied, HasSubstr("left")));
}

}  // namespace
}  // namespace tsunagi::identity
