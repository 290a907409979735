#include "identity/mandate_registry.h"

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/entries.h"
#include "identity/mandates.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

class MandateRegistryTest : public ::testing::Test {
 protected:
  MandateRegistryTest() {
    for (const char* label : {"maker", "agency", "other"}) registrar_.Register(label);
    ListSigningKey("maker", key_);
    registrar_.clock.Advance(absl::Minutes(1));
  }

  void ListSigningKey(const std::string& label, const crypto::PrivateKey& key) {
    v1::ListKeysRequest request;
    RegistrarForTest::AddKey(key, v1::KEY_PURPOSE_SIGNING, "", RegistrarForTest::DidOf(label), request);
    ASSERT_THAT(registrar_.ListKeys(RegistrarForTest::CallerOf(label), request), IsOk());
  }
  v1::Mandate Make(int number = 1) {
    v1::Mandate mandate;
    mandate.set_id(absl::StrFormat("00000000-0000-4000-8000-%012x", number));
    mandate.set_grantor(RegistrarForTest::DidOf("maker"));
    mandate.set_holder(RegistrarForTest::DidOf("agency"));
    mandate.add_scopes(std::string(kScopePolicy));
    *mandate.mutable_valid_from() = ToProto(registrar_.clock.Now());
    *mandate.mutable_valid_until() = ToProto(registrar_.clock.Now() + absl::Hours(24));
    return mandate;
  }
  absl::StatusOr<v1::FileMandateResponse> File(const v1::Mandate& mandate, const crypto::PrivateKey& key,
                                               const std::string& caller = "maker") {
    v1::FileMandateRequest request;
    *request.mutable_mandate() = crypto::Sign(key, kMandatePayload, Encode(mandate));
    return WaitFor<v1::FileMandateResponse>([&](auto done) {
      registrar_.registrar->mandates().FileMandate(RegistrarForTest::CallerOf(caller), request,
                                                   std::move(done));
    });
  }
  absl::StatusOr<v1::FileMandateResponse> File(const v1::Mandate& mandate) { return File(mandate, key_); }
  absl::StatusOr<v1::FileRevocationResponse> Revoke(const std::string& id, const crypto::PrivateKey& key,
                                                    const std::string& caller = "maker",
                                                    const std::string& grantor = "maker") {
    v1::MandateRevocation revocation;
    revocation.set_id(id);
    revocation.set_grantor(RegistrarForTest::DidOf(grantor));
    *revocation.mutable_revoked_at() = ToProto(registrar_.clock.Now());
    v1::FileRevocationRequest request;
    *request.mutable_revocation() = crypto::Sign(key, kMandateRevocationPayload, Encode(revocation));
    return WaitFor<v1::FileRevocationResponse>([&](auto done) {
      registrar_.registrar->mandates().FileRevocation(RegistrarForTest::CallerOf(caller), request,
                                                      std::move(done));
    });
  }
  std::shared_ptr<const Party> Maker() { return registrar_.registrar->trust().View()->Find("maker").value(); }

  RegistrarForTest registrar_;
  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const crypto::PrivateKey stranger_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
};

TEST_F(MandateRegistryTest, ListsAMandateInTheGrantorsEntryWithOneLeaf) {
  const size_t before = registrar_.Acts().size();
  const auto filed = File(Make());

  ASSERT_THAT(filed, IsOk());
  EXPECT_EQ(registrar_.registrar->trust().View()->directory_version, filed->directory_version());
  ASSERT_THAT(Maker()->mandates, SizeIs(1));
  EXPECT_EQ(Maker()->mandates[0].mandate.holder(), RegistrarForTest::DidOf("agency"));
  ASSERT_THAT(registrar_.Acts(), SizeIs(before + 1));
  EXPECT_EQ(registrar_.Acts().back(), "mandate-filed");
}

TEST_F(MandateRegistryTest, ChangesNothingWhenTheSameMandateComesAgain) {
  const auto first = File(Make());
  const size_t acts = registrar_.Acts().size();
  const auto again = File(Make());

  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->directory_version(), first->directory_version());
  EXPECT_THAT(Maker()->mandates, SizeIs(1));
  EXPECT_EQ(registrar_.Acts().size(), acts);
}

TEST_F(MandateRegistryTest, RefusesOtherContentUnderAKnownId) {
  ASSERT_THAT(File(Make()), IsOk());
  v1::Mandate wider = Make();
  wider.add_scopes(std::string(kScopeErase));

  EXPECT_THAT(File(wider), StatusIs(kAlreadyExists, HasSubstr(wider.id())));
}

TEST_F(MandateRegistryTest, RefusesAMandateOfAnotherGrantor) {
  ListSigningKey("other", stranger_);

  EXPECT_THAT(File(Make(), stranger_, "other"), StatusIs(kInvalidArgument, HasSubstr("grantor")));
}

TEST_F(MandateRegistryTest, RefusesAMandateThatNoListedKeySigned) {
  EXPECT_THAT(File(Make(), stranger_), StatusIs(kUnauthenticated));
}

TEST_F(MandateRegistryTest, RefusesAKeyThatDidNotCountAtTheMandatesStart) {
  v1::Mandate early = Make();
  *early.mutable_valid_from() = ToProto(registrar_.clock.Now() - absl::Hours(1));

  EXPECT_THAT(File(early), StatusIs(kUnauthenticated, HasSubstr("did not count")));
}

// A key that was stolen after it ended cannot be used with an earlier start.
TEST_F(MandateRegistryTest, RefusesAKeyThatHasEnded) {
  audit::Commit commit;
  commit.version = registrar_.journal->Version();
  StoredParticipant entry = LoadEntry(*registrar_.store, "maker").value();
  *entry.mutable_participant()->mutable_keys(0)->mutable_valid_until() = ToProto(registrar_.clock.Now());
  ASSERT_THAT(AddEntryChange(registrar_.registrar->context(), entry, commit), IsOk());
  ASSERT_THAT(registrar_.journal->SubmitAndWait(std::move(commit)), IsOk());
  v1::Mandate mandate = Make();
  *mandate.mutable_valid_from() = ToProto(registrar_.clock.Now() - absl::Seconds(1));
  registrar_.clock.Advance(absl::Seconds(1));

  EXPECT_THAT(File(mandate), StatusIs(kUnauthenticated, HasSubstr("did not count")));
}

TEST_F(MandateRegistryTest, RefusesAMandateThatIsOver) {
  const v1::Mandate mandate = Make();
  registrar_.clock.Advance(absl::Hours(24));

  EXPECT_THAT(File(mandate), StatusIs(kInvalidArgument, HasSubstr("still to come")));
}

TEST_F(MandateRegistryTest, RefusesAHolderThatIsNoMember) {
  v1::Mandate mandate = Make();
  mandate.set_holder(RegistrarForTest::DidOf("nobody"));

  EXPECT_THAT(File(mandate), StatusIs(kInvalidArgument, HasSubstr("nobody")));
}

TEST_F(MandateRegistryTest, RefusesASuspendedHolder) {
  ASSERT_THAT(registrar_.SetSuspended("agency", true), IsOk());

  EXPECT_THAT(File(Make()), StatusIs(kFailedPrecondition, HasSubstr("suspended")));
}

TEST_F(MandateRegistryTest, KeepsAtMostAHundredThatAreNotOver) {
  for (int i = 1; i <= kMaxMandates; ++i) ASSERT_THAT(File(Make(i)), IsOk());
  EXPECT_THAT(File(Make(kMaxMandates + 1)), StatusIs(kFailedPrecondition, HasSubstr("100")));
  ASSERT_THAT(Revoke(Make(1).id(), key_), IsOk());
  EXPECT_THAT(File(Make(kMaxMandates + 1)), StatusIs(kFailedPrecondition));

  registrar_.clock.Advance(absl::Hours(25));

  ASSERT_THAT(File(Make(kMaxMandates + 1)), IsOk());
  EXPECT_THAT(Maker()->mandates, SizeIs(1));
  EXPECT_EQ(Maker()->participant.revocations_size(), 0);
}

TEST_F(MandateRegistryTest, ListsARevocationOnceWithOneLeaf) {
  ASSERT_THAT(File(Make()), IsOk());
  const auto revoked = Revoke(Make().id(), key_);

  ASSERT_THAT(revoked, IsOk());
  EXPECT_TRUE(Maker()->mandates.at(0).revoked_at.has_value());
  EXPECT_EQ(registrar_.Acts().back(), "mandate-revoked");
  const size_t acts = registrar_.Acts().size();
  registrar_.clock.Advance(absl::Minutes(1));
  EXPECT_EQ(Revoke(Make().id(), key_)->directory_version(), revoked->directory_version());
  EXPECT_EQ(registrar_.Acts().size(), acts);
}

TEST_F(MandateRegistryTest, FilesNoRevokedMandateAnew) {
  ASSERT_THAT(File(Make()), IsOk());
  ASSERT_THAT(Revoke(Make().id(), key_), IsOk());
  ASSERT_THAT(File(Make()), IsOk());

  EXPECT_TRUE(Maker()->mandates.at(0).revoked_at.has_value());
}

TEST_F(MandateRegistryTest, RefusesWrongRevocations) {
  ASSERT_THAT(File(Make()), IsOk());
  ListSigningKey("other", stranger_);

  EXPECT_THAT(Revoke(Make(2).id(), key_), StatusIs(kNotFound, HasSubstr(Make(2).id())));
  EXPECT_THAT(Revoke(Make().id(), stranger_), StatusIs(kUnauthenticated));
  EXPECT_THAT(Revoke(Make().id(), stranger_, "other"), StatusIs(kInvalidArgument, HasSubstr("grantor")));
  EXPECT_THAT(Revoke(Make().id(), stranger_, "other", "other"), StatusIs(kNotFound));
  EXPECT_FALSE(Maker()->mandates.at(0).revoked_at.has_value());
}

TEST_F(MandateRegistryTest, NewParticipantsBringNoMandates) {
  v1::Participant participant = RegistrarForTest::Named("bold");
  *participant.add_mandates() = crypto::Sign(key_, kMandatePayload, Encode(Make()));
  *participant.add_revocations() = crypto::Sign(key_, kMandateRevocationPayload, "");
  const auto registered = registrar_.TryRegister(participant);

  ASSERT_THAT(registered, IsOk());
  EXPECT_EQ(registered->participant().mandates_size(), 0);
  EXPECT_EQ(registered->participant().revocations_size(), 0);
}

}  // namespace
}  // namespace tsunagi::identity
