// Two-person approval (二者承認) of acts on keys.
#include "identity/proposals.h"

#include "core/base/bytes.h"
#include "core/store/key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/anchors.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

constexpr absl::Time kStart = absl::FromUnixSeconds(1795219200);

class ProposalsTest : public ::testing::Test {
 protected:
  ProposalsTest()
      : authority_(LoadOrCreateAuthority(keys_.File("keys"), kFederation, kStart).value()),
        registrar_(kStart, authority_, keys_.File("keys")),
        tanaka_([this] {
          registrar_.Register("maker");
          registrar_.options.two_person_approval = true;
          registrar_.Restart();
          return registrar_.OperatorNamed("Tanaka");
        }()),
        suzuki_(registrar_.OperatorNamed("Suzuki")) {}

  Anchors& anchors() { return registrar_.registrar->anchors(); }
  uint64_t BundleVersion() const { return registrar_.registrar->trust().View()->bundle->version; }

  v1::RotateKeyRequest Rotation(v1::AuthorityKey key = v1::AUTHORITY_KEY_ISSUING) {
    v1::RotateKeyRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_key(key);
    request.set_reason("ceremony");
    return request;
  }
  std::string ProposeRotation(v1::AuthorityKey key = v1::AUTHORITY_KEY_ISSUING) {
    return anchors().Rotate(tanaka_, Rotation(key)).value().pending_id();
  }
  absl::StatusOr<v1::ApproveProposalResponse> Approve(const std::string& id, const Caller& by) {
    v1::ApproveProposalRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_id(id);
    return anchors().Approve(by, request);
  }
  absl::Status Decline(const std::string& id, const Caller& by) {
    v1::DeclineProposalRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_id(id);
    request.set_reason("not now");
    return anchors().Decline(by, request).status();
  }
  // A key that the maker lists.
  std::string ListedKey() {
    const crypto::PrivateKey key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
    v1::ListKeysRequest request;
    RegistrarForTest::AddKey(key, v1::KEY_PURPOSE_SIGNING, "", RegistrarForTest::DidOf("maker"), request);
    EXPECT_THAT(registrar_.ListKeys(RegistrarForTest::CallerOf("maker"), request), IsOk());
    registrar_.clock.Advance(absl::Minutes(1));
    return key.id();
  }
  absl::StatusOr<v1::EndKeyResponse> EndKey(const std::string& key_id) {
    v1::EndKeyRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_participant("maker");
    request.set_key_id(key_id);
    request.set_reason("lost");
    return WaitFor<v1::EndKeyResponse>(
        [&](auto done) { registrar_.registrar->keys().EndKey(tanaka_, request, std::move(done)); });
  }
  std::vector<v1::Proposal> Listed() {
    const v1::ListProposalsResponse response = ListProposals(registrar_.registrar->context()).value();
    return {response.proposals().begin(), response.proposals().end()};
  }

  testing::TempDir keys_;
  Authority authority_;
  RegistrarForTest registrar_;
  const Caller tanaka_;
  const Caller suzuki_;
};

TEST_F(ProposalsTest, ARotationWaitsForAnotherPerson) {
  const uint64_t before = BundleVersion();
  const std::string id = ProposeRotation();
  ASSERT_THAT(id, Not(IsEmpty()));
  EXPECT_EQ(BundleVersion(), before);

  EXPECT_THAT(Approve(id, tanaka_), StatusIs(kFailedPrecondition, HasSubstr("another person")));
  EXPECT_EQ(BundleVersion(), before);
  const auto approved = Approve(id, suzuki_);

  ASSERT_THAT(approved, IsOk());
  EXPECT_EQ(approved->rotate_key().bundle_version(), before + 1);
  EXPECT_EQ(BundleVersion(), before + 1);
  EXPECT_THAT(Approve(id, suzuki_), StatusIs(kNotFound));
}

TEST_F(ProposalsTest, OnePersonWithTwoCertificatesIsOne) {
  EXPECT_THAT(Approve(ProposeRotation(), registrar_.OperatorNamed("ｔａｎａｋａ")),
              StatusIs(kFailedPrecondition, HasSubstr("another person")));
}

TEST_F(ProposalsTest, ACertificateThatNamesNoPersonNeitherProposesNorApproves) {
  EXPECT_THAT(anchors().Rotate(RegistrarForTest::Operator(), Rotation()),
              StatusIs(kFailedPrecondition, HasSubstr("--person")));
  EXPECT_THAT(Approve(ProposeRotation(), RegistrarForTest::Operator()),
              StatusIs(kFailedPrecondition, HasSubstr("--person")));
}

TEST_F(ProposalsTest, ARemovalWaitsToo) {
  ASSERT_THAT(Approve(ProposeRotation(), suzuki_), IsOk());
  v1::RemoveAuthorityRequest request;
  request.set_request_id(NewUuid(registrar_.random));
  request.set_certificate_sha256(ToHex(registrar_.in_use.Get()->issuing.certificate.sha256));
  request.set_reason("copied");
  const auto proposed = anchors().Remove(tanaka_, request);
  ASSERT_THAT(proposed, IsOk());
  const uint64_t before = BundleVersion();

  EXPECT_THAT(Approve(proposed->pending_id(), tanaka_), StatusIs(kFailedPrecondition));
  EXPECT_EQ(BundleVersion(), before);
  ASSERT_THAT(Approve(proposed->pending_id(), suzuki_), IsOk());
  EXPECT_EQ(BundleVersion(), before + 1);
}

TEST_F(ProposalsTest, TheEndOfAMembersKeyWaitsToo) {
  const std::string key_id = ListedKey();
  const auto proposed = EndKey(key_id);
  ASSERT_THAT(proposed, IsOk());
  EXPECT_FALSE(registrar_.Entry("maker").keys(0).has_valid_until());
  registrar_.clock.Advance(absl::Hours(5));

  EXPECT_THAT(Approve(proposed->pending_id(), tanaka_), StatusIs(kFailedPrecondition));
  ASSERT_THAT(Approve(proposed->pending_id(), suzuki_), IsOk());

  const auto ended = FromProto(registrar_.Entry("maker").keys(0).valid_until());
  ASSERT_THAT(ended, IsOk());
  EXPECT_EQ(*ended, registrar_.clock.Now() - absl::Hours(5)) << "since it was proposed";
}

TEST_F(ProposalsTest, SaysAtOnceWhatCannotBeEnded) {
  EXPECT_THAT(EndKey("no such key"), StatusIs(kNotFound));
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_F(ProposalsTest, AProposalExpires) {
  const std::string id = ProposeRotation();
  registrar_.clock.Advance(kProposalLife - absl::Seconds(1));
  EXPECT_THAT(Listed(), SizeIs(1));
  registrar_.clock.Advance(absl::Seconds(1));

  EXPECT_THAT(Approve(id, suzuki_), StatusIs(kFailedPrecondition, HasSubstr("expired")));
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_F(ProposalsTest, IsNotApprovedOnceTheKeysHaveChanged) {
  const std::string first = ProposeRotation();
  ASSERT_THAT(Approve(ProposeRotation(v1::AUTHORITY_KEY_DIRECTORY), suzuki_), IsOk());
  const uint64_t before = BundleVersion();

  EXPECT_THAT(Approve(first, suzuki_), StatusIs(kFailedPrecondition, HasSubstr("not any more")));
  EXPECT_EQ(BundleVersion(), before);
  EXPECT_THAT(Listed(), SizeIs(1)) << "it can be declined";
}

TEST_F(ProposalsTest, AKeyIsNotEndedOnceItsEntryHasChanged) {
  const std::string key_id = ListedKey();
  const std::string first = EndKey(key_id)->pending_id();
  registrar_.clock.Advance(absl::Minutes(1));
  const std::string second = EndKey(key_id)->pending_id();
  ASSERT_THAT(Approve(second, suzuki_), IsOk());

  EXPECT_THAT(Approve(first, suzuki_), StatusIs(kFailedPrecondition, HasSubstr("not any more")));
}

TEST_F(ProposalsTest, WhatIsApprovedIsWhatItsIdSays) {
  const std::string id = ProposeRotation();
  const std::string key = store::Key("proposal").Str("authority").Str(id);
  internal::v1::StoredProposal stored;
  ASSERT_TRUE(stored.ParseFromString(registrar_.store->Get(store::Table::kState, key).value()));
  stored.mutable_proposal()->mutable_rotate_key()->set_key(v1::AUTHORITY_KEY_ROOT);
  ASSERT_THAT(registrar_.store->Apply({store::Put(store::Table::kState, key, Encode(stored))}), IsOk());

  EXPECT_THAT(Approve(id, suzuki_), StatusIs(kDataLoss));
}

TEST_F(ProposalsTest, ADeclinedOneIsGone) {
  const std::string id = ProposeRotation();

  ASSERT_THAT(Decline(id, tanaka_), IsOk()) << "who proposed it may";

  EXPECT_THAT(Approve(id, suzuki_), StatusIs(kNotFound));
  EXPECT_THAT(Decline(id, suzuki_), StatusIs(kNotFound));
  EXPECT_EQ(registrar_.Acts().back(), "proposal-declined");
}

TEST_F(ProposalsTest, TheSameRequestIsOneProposal) {
  const v1::RotateKeyRequest request = Rotation();

  const auto first = anchors().Rotate(tanaka_, request);
  const auto again = anchors().Rotate(tanaka_, request);

  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->pending_id(), first->pending_id());
  EXPECT_THAT(Listed(), SizeIs(1));
}

TEST_F(ProposalsTest, AHundredWaitAtMost) {
  for (int i = 0; i < kMaxProposals; ++i) ProposeRotation();

  EXPECT_THAT(anchors().Rotate(tanaka_, Rotation()), StatusIs(kFailedPrecondition, HasSubstr("100")));
  registrar_.clock.Advance(kProposalLife);
  EXPECT_THAT(anchors().Rotate(tanaka_, Rotation()), IsOk());
}

TEST_F(ProposalsTest, LeavesTellPersonsApartAndNameNone) {
  ASSERT_THAT(Approve(ProposeRotation(), suzuki_), IsOk());

  const std::vector<audit::v1::RegistrarRecord> records = registrar_.Records();
  const audit::v1::RegistrarRecord& proposed = records[records.size() - 2];
  EXPECT_EQ(proposed.act(), "proposed");
  EXPECT_EQ(records.back().act(), "key-made-known");
  EXPECT_EQ(records.back().reason(), "ceremony");
  EXPECT_THAT(proposed.by(), HasSubstr("person:"));
  EXPECT_THAT(records.back().by(), HasSubstr("person:"));
  EXPECT_NE(proposed.by(), records.back().by());
  EXPECT_THAT(Encode(proposed) + Encode(records.back()), Not(HasSubstr("Tanaka")));
}

TEST_F(ProposalsTest, TheRegistrarsOperatorsSeeWhoProposedWhat) {
  ProposeRotation();

  ASSERT_THAT(Listed(), SizeIs(1));
  EXPECT_THAT(Listed()[0].entered_by(), HasSubstr("(Tanaka)"));
  EXPECT_EQ(Listed()[0].rotate_key().key(), v1::AUTHORITY_KEY_ISSUING);
}

}  // namespace
}  // namespace tsunagi::identity
