// Fifteen years on: the root was rolled twice, the maker has left, and what it stated and released still
// holds.
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/receipt_check.h"
#include "core/audit/receipt.h"
#include "core/audit/stamp.h"
#include "core/base/proto.h"
#include "core/crypto/digest.h"
#include "core/crypto/time_stamp_for_test.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/federation.h"
#include "tests/support/passport_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::cli {
namespace {

using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr absl::Duration kYear = absl::Hours(365 * 24);

class FifteenYearsTest : public ::testing::Test {
 protected:
  FifteenYearsTest() { EXPECT_THAT(maker_.Import({testing::Registered(battery_)}), IsOk()); }

  // A release of the battery, as its consumer keeps it.
  std::string Receipt() {
    EXPECT_THAT(maker_.Date(registrar_), IsOk());
    const auto read = maker_.Read(
        {testing::SubjectOf(battery_)},
        {common::v1::SECTION_IDENTITY, common::v1::SECTION_MATERIALS, common::v1::SECTION_CONDITION});
    EXPECT_THAT(read, IsOk());
    connector::v1::ReleasedContent content;
    *content.mutable_battery() = battery_;
    content.set_events(read->batteries(0).events());
    audit::v1::Record record;
    *record.mutable_time() = ToProto(clock_.Now());
    audit::v1::ReleaseRecord& release = *record.mutable_release();
    release.set_provider(maker_.did());
    *release.mutable_battery() = battery_;
    release.set_content_digest(crypto::Sha256(Encode(content)));
    audit::Commit commit;
    commit.record = Encode(record);
    audit::v1::Receipt receipt;
    *receipt.mutable_proof() = maker_.journal().SubmitAndWait(std::move(commit))->proof;
    receipt.mutable_proof()->set_checkpoint(registrar_.Cosign(receipt.proof().checkpoint()));
    receipt.set_content(Encode(content));
    const auto directory = federation_.MakeDirectory();
    identity::v1::Directory listed;
    EXPECT_THAT(Decode(directory.directory().payload(), "directory", listed), IsOk());
    *receipt.mutable_registrar_entry() = listed.entries(0);
    *receipt.mutable_provider_entry() = listed.entries(1);
    receipt.add_directory_chain(directory.chain(0));
    return audit::ArmorReceipt(receipt);
  }
  // Of the stamping authority's certificate.
  crypto::StampingAuthorityForTest::Options LifeOfTwoHours() const {
    crypto::StampingAuthorityForTest::Options life;
    life.not_before = start_ - absl::Hours(1);
    life.not_after = start_ + absl::Hours(1);
    return life;
  }
  // What stands below a receipt once the maker's log was stamped.
  std::string StampFor(const std::string& receipt, const crypto::StampingAuthorityForTest& authority) {
    audit::Journal& journal = maker_.journal();
    const auto size_of = [&](const std::string& note) {
      return audit::OpenCheckpoint(note, journal.origin(), journal.log_key())->size;
    };
    const std::string note = registrar_.Cosign(journal.LatestCheckpoint());
    audit::v1::ReceiptStamp stamp;
    stamp.mutable_stamp()->set_checkpoint(note);
    stamp.mutable_stamp()->set_token(authority.Token(note, clock_.Now()));
    const auto proof =
        journal.ConsistencyProof(size_of(audit::OpenReceipt(receipt)->proof().checkpoint()), size_of(note));
    for (const audit::Digest& digest : *proof) stamp.add_consistency(digest);
    return audit::ArmorStamp(stamp);
  }
  // The maker's signing key ends now.
  void EndSigningKey() {
    for (auto& key : *federation_.Entry("maker").mutable_keys()) {
      if (key.purpose() == identity::v1::KEY_PURPOSE_SIGNING)
        *key.mutable_valid_until() = ToProto(clock_.Now());
    }
    EXPECT_THAT(federation_.Publish(), IsOk());
  }

  crypto::Certificate NewRoot(const crypto::PrivateKey& key, const char* name) const {
    crypto::CertificateTemplate made;
    made.name = name;
    made.not_before = clock_.Now() - absl::Hours(1);
    made.not_after = clock_.Now() + 30 * kYear;
    made.is_ca = true;
    return crypto::IssueCertificate(made, key.public_key(), key, std::nullopt).value();
  }
  // The newest bundle, which only the third root signed, as who knows only that one opens it.
  identity::Bundle NewestBundle(bool first_removed = false) {
    const auto second_key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
    const auto third_key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
    const crypto::Certificate third = NewRoot(third_key, "third");
    identity::v1::SignedTrustBundle bundle = federation_.MakeBundle([&](identity::v1::TrustBundle& listed) {
      listed.mutable_anchors(0)->set_removed(first_removed);
      *listed.mutable_anchors(0)->mutable_valid_from() = ToProto(start_ - absl::Hours(1));
      *listed.mutable_anchors(0)->mutable_valid_until() = ToProto(start_ + 5 * kYear);
      for (const crypto::Certificate& root : {NewRoot(second_key, "second"), third}) {
        identity::v1::TrustAnchor& anchor = *listed.add_anchors();
        anchor.set_certificate(root.der);
        anchor.set_kind(identity::v1::ANCHOR_KIND_ROOT);
        *anchor.mutable_valid_from() = ToProto(clock_.Now() - absl::Hours(1));
      }
      *listed.mutable_anchors(2)->mutable_valid_until() = ToProto(clock_.Now());
    });
    *bundle.mutable_signatures(0) = crypto::Sign(third_key, identity::kTrustBundlePayload, bundle.bundle());
    bundle.mutable_signatures(0)->clear_payload();
    return identity::OpenVouchedBundle(bundle, identity::PinnedBundle(third), federation_.name(),
                                       clock_.Now())
        .value();
  }

  testing::FakeClock clock_{absl::FromUnixSeconds(1790000000)};
  const absl::Time start_ = clock_.Now();
  testing::TestFederation federation_{clock_};
  testing::TestRegistrar registrar_{federation_, clock_};
  testing::TestPassportNode maker_{federation_, clock_, "maker"};
  const common::v1::BatteryId battery_ = testing::Battery(maker_.did(), "A1");
};

TEST_F(FifteenYearsTest, AReceiptOfTodayHoldsUnderTheNewestBundle) {
  const std::string receipt = Receipt();
  clock_.Advance(15 * kYear);

  const auto checked = CheckReceipt(receipt, NewestBundle());

  ASSERT_THAT(checked, IsOk());
  EXPECT_EQ(checked->provider.label(), "maker");
  EXPECT_EQ(checked->cosigned_at, start_);
  EXPECT_FALSE(checked->parts.empty());
}

TEST_F(FifteenYearsTest, AStampHoldsThoughItsAuthoritysCertificateHasExpired) {
  const crypto::StampingAuthorityForTest authority(LifeOfTwoHours());
  std::string receipt = Receipt();
  EXPECT_THAT(maker_.Import({testing::Measured(battery_, "2026-01-01", "97.5")}), IsOk());
  receipt += StampFor(receipt, authority);
  clock_.Advance(15 * kYear);
  const auto stamping = crypto::TimeStampVerifier::FromPem(authority.root_pem());
  ASSERT_THAT(stamping, IsOk());

  const auto checked = CheckReceipt(receipt, NewestBundle(), *stamping);

  ASSERT_THAT(checked, IsOk());
  ASSERT_TRUE(checked->stamp.has_value());
  EXPECT_EQ(checked->stamp->time, start_);
  EXPECT_EQ(checked->stamp->authority, "CN=stamping unit");
}

TEST_F(FifteenYearsTest, AStampOfAnotherAuthorityIsNoStamp) {
  const crypto::StampingAuthorityForTest authority(LifeOfTwoHours());
  const crypto::StampingAuthorityForTest other(LifeOfTwoHours());
  std::string receipt = Receipt();
  receipt += StampFor(receipt, other);

  EXPECT_THAT(
      CheckReceipt(receipt, NewestBundle(), crypto::TimeStampVerifier::FromPem(authority.root_pem()).value()),
      StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("time stamp refused")));
  const auto unchecked = CheckReceipt(receipt, NewestBundle());
  ASSERT_THAT(unchecked, IsOk());
  EXPECT_TRUE(unchecked->has_stamp);
  EXPECT_FALSE(unchecked->stamp.has_value());
}

TEST_F(FifteenYearsTest, AStampOfACheckpointThatDoesNotCoverTheReceiptIsNoStamp) {
  const crypto::StampingAuthorityForTest authority(LifeOfTwoHours());
  const std::string earlier = Receipt();
  const std::string stamp_of_earlier = StampFor(earlier, authority);
  const std::string receipt = Receipt();

  EXPECT_THAT(CheckReceipt(absl::StrCat(receipt, stamp_of_earlier), NewestBundle()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("does not cover")));
  EXPECT_THAT(CheckReceipt(absl::StrCat(receipt, "tsunagi-stamp/v1\n\n"), NewestBundle()),
              ::testing::Not(IsOk()));
}

TEST_F(FifteenYearsTest, NothingUnderARemovedRootHoldsFromWheneverItIs) {
  const std::string receipt = Receipt();
  clock_.Advance(15 * kYear);

  EXPECT_THAT(CheckReceipt(receipt, NewestBundle(/*first_removed=*/true)),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(FifteenYearsTest, ARetiredRootProvesNothingThatCameAfterIt) {
  clock_.Advance(6 * kYear);
  const std::string receipt = Receipt();
  clock_.Advance(9 * kYear);

  EXPECT_THAT(CheckReceipt(receipt, NewestBundle()), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(FifteenYearsTest, WhatAKeySignedBeforeItsEndCountsAndWhatItSignedAfterDoesNot) {
  EXPECT_THAT(maker_.Date(registrar_), IsOk());
  clock_.Advance(kYear);
  EndSigningKey();
  const std::string before = Receipt();
  // Whoever has the old key signs on with it.
  clock_.Advance(kYear);
  EXPECT_THAT(maker_.Import({testing::Measured(battery_, "2026-01-01", "97.5")}), IsOk());
  const std::string after = Receipt();
  clock_.Advance(13 * kYear);
  const identity::Bundle bundle = NewestBundle();

  EXPECT_THAT(CheckReceipt(before, bundle), IsOk());
  EXPECT_THAT(CheckReceipt(after, bundle),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("did not count when the batch was dated")));
}

}  // namespace
}  // namespace tsunagi::cli
