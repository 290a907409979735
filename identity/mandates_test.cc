#include "identity/mandates.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/trust.h"
#include "tests/support/fake_clock.h"
#include "tests/support/federation.h"
#include "tests/support/mandates.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using tsunagi::testing::TestFederation;
using enum absl::StatusCode;

// `maker` lets `agency` act for it.
class MandatesTest : public ::testing::Test {
 protected:
  struct Members {
    explicit Members(TestFederation& federation) {
      federation.Add("maker");
      federation.Add("agency");
      federation.Add("other");
    }
  };

  std::shared_ptr<const Party> Maker() { return federation_.trust().View()->Find("maker").value(); }
  // Whether the holder may do `scope` for the maker now.
  bool Acts(absl::string_view scope = kScopePolicy, absl::string_view holder = "agency") {
    return FindMandate(*Maker(), federation_.DidOf(holder), scope, clock_.Now()) != nullptr;
  }
  v1::Mandate Policy() { return maker_.Make("agency", {kScopePolicy}); }

  testing::FakeClock clock_;
  TestFederation federation_{clock_};
  const Members members_{federation_};
  testing::TestGrantor maker_{federation_, clock_, "maker"};
  const crypto::PrivateKey stranger_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
};

TEST_F(MandatesTest, LetTheirHolderActInTheirScopesAlone) {
  const v1::Mandate mandate = maker_.Make("agency", {kScopePolicy, kScopeErase});
  EXPECT_FALSE(Acts());
  ASSERT_THAT(maker_.List(mandate), IsOk());

  EXPECT_TRUE(Acts(kScopePolicy));
  EXPECT_TRUE(Acts(kScopeErase));
  EXPECT_FALSE(Acts(kScopePassportImport));
  EXPECT_FALSE(Acts(""));
  EXPECT_FALSE(Acts(kScopePolicy, "other"));
  EXPECT_EQ(FindMandate(*Maker(), mandate.holder(), kScopePolicy, clock_.Now())->mandate.id(), mandate.id());
}

TEST_F(MandatesTest, CountFromTheirStartToTheirEnd) {
  v1::Mandate mandate = Policy();
  *mandate.mutable_valid_from() = ToProto(clock_.Now() + absl::Hours(1));
  *mandate.mutable_valid_until() = ToProto(clock_.Now() + absl::Hours(2));
  ASSERT_THAT(maker_.List(mandate), IsOk());

  clock_.Advance(absl::Hours(1) - absl::Seconds(1));
  EXPECT_FALSE(Acts());
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Acts());
  clock_.Advance(absl::Hours(1) - absl::Seconds(1));
  EXPECT_TRUE(Acts());
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(Acts());
}

TEST_F(MandatesTest, EndWithTheirRevocation) {
  const v1::Mandate mandate = Policy();
  ASSERT_THAT(maker_.List(mandate), IsOk());
  ASSERT_THAT(maker_.Revoke(mandate), IsOk());

  EXPECT_FALSE(Acts());
  EXPECT_EQ(Maker()->mandates.at(0).revoked_at, absl::FromUnixSeconds(absl::ToUnixSeconds(clock_.Now())));
}

TEST_F(MandatesTest, AreNotRevokedByAnotherKey) {
  const v1::Mandate mandate = Policy();
  ASSERT_THAT(maker_.List(mandate), IsOk());
  ASSERT_THAT(maker_.Revoke(mandate, stranger_), IsOk());

  EXPECT_TRUE(Acts());
}

TEST_F(MandatesTest, AreNotRevokedByAChangedRevocation) {
  const v1::Mandate mandate = Policy();
  const v1::Mandate other = Policy();
  ASSERT_THAT(maker_.List(mandate), IsOk());
  ASSERT_THAT(maker_.Revoke(other), IsOk());
  v1::MandateRevocation changed;
  ASSERT_TRUE(changed.ParseFromString(federation_.Entry("maker").revocations(0).payload()));
  changed.set_id(mandate.id());
  federation_.Entry("maker").mutable_revocations(0)->set_payload(Encode(changed));
  ASSERT_THAT(federation_.Publish(), IsOk());

  EXPECT_TRUE(Acts());
}

TEST_F(MandatesTest, AreNotRevokedInTheNameOfAnotherGrantor) {
  v1::Mandate mandate = Policy();
  ASSERT_THAT(maker_.List(mandate), IsOk());
  mandate.set_grantor(federation_.DidOf("other"));
  ASSERT_THAT(maker_.Revoke(mandate), IsOk());

  EXPECT_TRUE(Acts());
}

TEST_F(MandatesTest, AreRevokedByAKeyThatHasEnded) {
  const v1::Mandate mandate = Policy();
  ASSERT_THAT(maker_.List(mandate), IsOk());
  *federation_.Entry("maker").mutable_keys(0)->mutable_valid_until() = ToProto(clock_.Now());
  clock_.Advance(absl::Hours(1));
  ASSERT_THAT(maker_.Revoke(mandate), IsOk());

  EXPECT_FALSE(Acts());
}

TEST_F(MandatesTest, AreIgnoredWithAnotherKeysSignatureWhileTheEntryStays) {
  ASSERT_THAT(maker_.List(Policy(), stranger_), IsOk());

  EXPECT_FALSE(Acts());
  EXPECT_THAT(Maker()->mandates, IsEmpty());
  EXPECT_TRUE(federation_.trust().View()->Find("maker").ok());
}

TEST_F(MandatesTest, AreIgnoredWhenChangedAfterTheyWereSigned) {
  const v1::Mandate mandate = Policy();
  ASSERT_THAT(maker_.List(mandate), IsOk());
  v1::Mandate wider = mandate;
  wider.set_scopes(0, std::string(kScopeErase));
  federation_.Entry("maker").mutable_mandates(0)->set_payload(Encode(wider));
  ASSERT_THAT(federation_.Publish(), IsOk());

  EXPECT_FALSE(Acts(kScopeErase));
}

TEST_F(MandatesTest, AreIgnoredWhenTheKeyDidNotCountAtTheirStart) {
  v1::Mandate mandate = Policy();
  *mandate.mutable_valid_from() = ToProto(clock_.Now() - absl::Hours(2));
  ASSERT_THAT(maker_.List(mandate), IsOk());

  EXPECT_FALSE(Acts());
}

TEST_F(MandatesTest, AreIgnoredWhenAKeyOfALogSignedThem) {
  federation_.Entry("maker").mutable_keys(0)->set_purpose(v1::KEY_PURPOSE_LOG);
  Party party;
  party.participant = federation_.Entry("maker");
  *party.participant.add_mandates() = crypto::Sign(maker_.key(), kMandatePayload, Encode(Policy()));

  EXPECT_THAT(BelieveMandates(party), IsEmpty());
}

TEST_F(MandatesTest, OfAnotherGrantorInAnEntryAreIgnored) {
  v1::Mandate mandate = Policy();
  mandate.set_grantor(federation_.DidOf("other"));
  ASSERT_THAT(maker_.List(mandate), IsOk());

  EXPECT_FALSE(Acts());
}

TEST_F(MandatesTest, WithOneIdCountOnce) {
  const v1::Mandate mandate = Policy();
  v1::Mandate again = mandate;
  again.set_scopes(0, std::string(kScopeErase));
  ASSERT_THAT(maker_.List(mandate), IsOk());
  ASSERT_THAT(maker_.List(again), IsOk());

  EXPECT_THAT(Maker()->mandates, SizeIs(1));
  EXPECT_FALSE(Acts(kScopeErase));
}

TEST_F(MandatesTest, OneThatIsIgnoredLeavesTheOthers) {
  ASSERT_THAT(maker_.List(Policy(), stranger_), IsOk());
  ASSERT_THAT(maker_.List(Policy()), IsOk());

  EXPECT_TRUE(Acts());
}

struct Mistake {
  const char* name;
  std::function<void(v1::Mandate&)> make;
  const char* says;
};

class MandateForm : public MandatesTest, public ::testing::WithParamInterface<Mistake> {};

TEST_P(MandateForm, IsRefusedNamingTheMistake) {
  v1::Mandate mandate = Policy();
  ASSERT_THAT(ReadMandate(Encode(mandate)), IsOk());
  GetParam().make(mandate);

  EXPECT_THAT(ReadMandate(Encode(mandate)), StatusIs(kInvalidArgument, HasSubstr(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    MandatesTest, MandateForm,
    ::testing::Values(
        Mistake{"NoId", [](auto& m) { m.clear_id(); }, "UUID"},
        Mistake{"IdInUpperCase", [](auto& m) { m.set_id("00000000-0000-4000-8000-00000000000A"); }, "UUID"},
        Mistake{"GrantorIsNoDid", [](auto& m) { m.set_grantor("maker"); }, "grantor"},
        Mistake{"HolderIsNoDid", [](auto& m) { m.set_holder("agency"); }, "holder"},
        Mistake{"ToItself", [](auto& m) { m.set_holder(m.grantor()); }, "another participant"},
        Mistake{"NoScope", [](auto& m) { m.clear_scopes(); }, "passport-import"},
        Mistake{"UnknownScope", [](auto& m) { m.add_scopes("mandates"); }, "mandates"},
        Mistake{"ScopeTwice", [](auto& m) { m.add_scopes(m.scopes(0)); }, "once"},
        Mistake{"NoStart", [](auto& m) { m.clear_valid_from(); }, "valid_until"},
        Mistake{"EndsAtItsStart", [](auto& m) { *m.mutable_valid_until() = m.valid_from(); },
                "after valid_from"},
        Mistake{"TimeOutOfRange", [](auto& m) { m.mutable_valid_until()->set_nanos(-1); }, "time"},
        Mistake{"LongerThanFiveYears",
                [](auto& m) {
                  m.mutable_valid_until()->set_seconds(m.valid_from().seconds() + 1827 * 86400 + 1);
                },
                "5 years"},
        Mistake{"UnknownField",
                [](auto& m) { m.GetReflection()->MutableUnknownFields(&m)->AddVarint(99, 1); }, "mandate"}),
    [](const auto& param) { return param.param.name; });

TEST_F(MandatesTest, MayLastExactlyFiveYears) {
  v1::Mandate mandate = Policy();
  mandate.mutable_valid_until()->set_seconds(mandate.valid_from().seconds() + 1827 * 86400);

  EXPECT_THAT(ReadMandate(Encode(mandate)), IsOk());
}

TEST(RevocationTest, IsRefusedInAWrongForm) {
  v1::MandateRevocation revocation;
  revocation.set_id("00000000-0000-4000-8000-000000000001");
  revocation.set_grantor("did:web:battery.example:participants:maker");
  revocation.mutable_revoked_at()->set_seconds(1);
  EXPECT_THAT(ReadRevocation(Encode(revocation)), IsOk());

  revocation.set_id("1");
  EXPECT_THAT(ReadRevocation(Encode(revocation)), StatusIs(kInvalidArgument, HasSubstr("UUID")));
  revocation.set_id("00000000-0000-4000-8000-000000000001");
  revocation.set_grantor("maker");
  EXPECT_THAT(ReadRevocation(Encode(revocation)), StatusIs(kInvalidArgument, HasSubstr("grantor")));
}

}  // namespace
}  // namespace tsunagi::identity
