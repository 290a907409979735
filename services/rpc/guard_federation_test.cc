// Participants of another federation before the guard.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/rpc/guard.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_connection.h"
#include "tests/support/federation.h"
#include "tests/support/mandates.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::rpc {
namespace {

using ::testing::ElementsAre;
using testing::FakeClock;
using testing::FakeConnection;
using testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;
using testing::TestCredential;
using testing::TestFederation;
using enum absl::StatusCode;
using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

constexpr char kHome[] = "battery.example";
constexpr char kOpen[] = "/t.S/Open";

// The guard of a process of `oem` of battery.example, which trusts other.example.
class GuardFederationTest : public ::testing::Test {
 protected:
  GuardFederationTest() {
    home_.Add("oem", {"oem"});
    other_.Add("dealer", {"car-dealer", "scrap-dealer"});
    other_.Add("oem", {"oem"});
    EXPECT_THAT(home_.PublishBundle(), IsOk());
    EXPECT_THAT(Trust({other_.AsTrusted({{"car-dealer", "dealer"}})}), IsOk());
    EXPECT_THAT(home_.trust().AcceptRoster(other_.MakeRoster()), IsOk());
  }

  absl::Status Trust(const std::vector<identity::v1::TrustedFederation>& trusted) {
    return home_.PublishFederationTrust(trusted);
  }
  absl::StatusOr<Caller> Check(absl::string_view method, const TestCredential& credential,
                               const std::string& token) {
    const FakeConnection connection({credential.leaf_pem});
    const std::string bearer = absl::StrCat("Bearer ", token);
    return guard_.Check(method, Metadata{{"authorization", bearer}}, connection);
  }
  // The dealer of the other federation, with everything right.
  absl::StatusOr<Caller> CheckDealer(absl::string_view method = kOpen) {
    return Check(method, dealer_, other_.TokenFor(kHome, "dealer", dealer_));
  }

  FakeClock clock_;
  TestFederation home_{clock_, kHome};
  TestFederation other_{clock_, "other.example"};
  TestFederation third_{clock_, "third.example"};
  TestCredential dealer_ = other_.Enrol("dealer", "node");
  Guard guard_{{"oem", kHome, absl::Hours(24)},
               {{kOpen, Who::kAnyFederation},
                {"/t.S/Certificate", Who::kCertificate},
                {"/t.S/Participant", Who::kParticipant},
                {"/t.S/OwnOperator", Who::kOwnOperator},
                {"/t.S/InScope", Who::kOwnOperator, "", people::kAdministrator, identity::kScopePolicy},
                {"/t.S/OwnProcess", Who::kOwnProcess},
                {"/t.S/OwnParticipant", Who::kOwnParticipant}},
               home_.tokens(),
               home_.trust(),
               clock_};
};

TEST_F(GuardFederationTest, SaysWhoCallsAndFromWhere) {
  const absl::StatusOr<Caller> caller = CheckDealer();

  ASSERT_THAT(caller, IsOk());
  EXPECT_EQ(caller->did(), other_.DidOf("dealer"));
  EXPECT_EQ(caller->federation(), "other.example");
  EXPECT_EQ(caller->label(), "dealer.other.example");
  EXPECT_EQ(caller->certificate_sha256(), dealer_.sha256);
}

TEST_F(GuardFederationTest, GivesMappedRolesAndNoOthers) {
  EXPECT_THAT(CheckDealer()->roles(), ElementsAre("dealer"));

  ASSERT_THAT(Trust({other_.AsTrusted({})}), IsOk());
  EXPECT_THAT(CheckDealer()->roles(), IsEmpty());

  // A role that is not held is not mapped either.
  ASSERT_THAT(Trust({other_.AsTrusted({{"recycler", "recycler"}, {"scrap-dealer", "recycler"}})}), IsOk());
  EXPECT_THAT(CheckDealer()->roles(), ElementsAre("recycler"));
}

TEST_F(GuardFederationTest, OpensNothingButWhatIsOpenToOtherFederations) {
  const TestCredential oem = other_.Enrol("oem", "operator");
  for (const char* method : {"/t.S/Certificate", "/t.S/Participant", "/t.S/OwnOperator", "/t.S/OwnProcess",
                             "/t.S/OwnParticipant"}) {
    EXPECT_THAT(CheckDealer(method), StatusIs(kPermissionDenied)) << method;
    // Whose label is the own participant's.
    EXPECT_THAT(Check(method, oem, other_.TokenFor(kHome, "oem", oem)), StatusIs(kPermissionDenied))
        << method;
  }
}

TEST_F(GuardFederationTest, TakesNoMandateOfAnotherFederationsParticipant) {
  testing::TestGrantor oem(home_, clock_, "oem");
  identity::v1::Mandate mandate = oem.Make("dealer", {identity::kScopePolicy});
  mandate.set_holder(other_.DidOf("dealer"));
  ASSERT_THAT(oem.List(mandate), IsOk());
  const TestCredential person = other_.Enrol("dealer", "operator");

  EXPECT_THAT(Check("/t.S/InScope", person, other_.TokenFor(kHome, "dealer", person)),
              StatusIs(kPermissionDenied));
}

TEST_F(GuardFederationTest, BelievesNoCaAboutAnotherFederationsNames) {
  // Ours, by their CA.
  const TestCredential ours =
      other_.Issue({"spiffe://battery.example/participant/oem/node"}, {"node.oem.battery.example.internal"});
  EXPECT_THAT(Check(kOpen, ours, home_.Token("oem", ours)),
              StatusIs(kUnauthenticated, HasSubstr("no issuing CA")));

  // A third one's, which is trusted too, by theirs.
  third_.Add("dealer", {"car-dealer"});
  ASSERT_THAT(Trust({other_.AsTrusted({}), third_.AsTrusted({})}), IsOk());
  ASSERT_THAT(home_.trust().AcceptRoster(third_.MakeRoster()), IsOk());
  const TestCredential thirds = other_.Issue({"spiffe://third.example/participant/dealer/node"},
                                             {"node.dealer.third.example.internal"});
  EXPECT_THAT(Check(kOpen, thirds, third_.TokenFor(kHome, "dealer", thirds)),
              StatusIs(kUnauthenticated, HasSubstr("no issuing CA")));

  // Theirs, by our own CA.
  const TestCredential theirs =
      home_.Issue({"spiffe://other.example/participant/dealer/node"}, {"node.dealer.other.example.internal"});
  EXPECT_THAT(Check(kOpen, theirs, other_.TokenFor(kHome, "dealer", theirs)),
              StatusIs(kUnauthenticated, HasSubstr("no issuing CA")));
}

TEST_F(GuardFederationTest, RefusesAFederationThatNobodyTrusts) {
  third_.Add("dealer");
  const TestCredential stranger = third_.Enrol("dealer", "node");

  EXPECT_THAT(Check(kOpen, stranger, third_.TokenFor(kHome, "dealer", stranger)),
              StatusIs(kUnauthenticated, HasSubstr("federation")));
}

TEST_F(GuardFederationTest, RefusesADidOfOurOwnParticipant) {
  const identity::v1::TrustedFederation record = [&] {
    identity::v1::TrustedFederation trusted = other_.AsTrusted({{"car-dealer", "dealer"}});
    trusted.add_did_hosts(kHome);
    return trusted;
  }();
  ASSERT_THAT(Trust({record}), IsOk());
  ASSERT_THAT(home_.trust().AcceptRoster(other_.MakeRoster([&](identity::v1::Roster& roster) {
    roster.mutable_members(0)->set_did(home_.DidOf("oem"));
  })),
              IsOk());

  EXPECT_THAT(CheckDealer(), StatusIs(kPermissionDenied, HasSubstr("participant of this federation")));
}

TEST_F(GuardFederationTest, RefusesADidThatIsNotUnderTheFederationsHosts) {
  ASSERT_THAT(home_.trust().AcceptRoster(other_.MakeRoster([&](identity::v1::Roster& roster) {
    roster.mutable_members(0)->set_did(third_.DidOf("dealer"));
  })),
              IsOk());

  EXPECT_THAT(CheckDealer(), StatusIs(kPermissionDenied, HasSubstr("roster")));
}

TEST_F(GuardFederationTest, RefusesATokenForAnotherAudienceOrOfAnotherIssuer) {
  // For home, as its registrar issues it.
  EXPECT_THAT(Check(kOpen, dealer_, other_.Token("dealer", dealer_)),
              StatusIs(kUnauthenticated, HasSubstr("aud")));
  EXPECT_THAT(Check(kOpen, dealer_, other_.TokenFor("third.example", "dealer", dealer_)),
              StatusIs(kUnauthenticated, HasSubstr("aud")));
  EXPECT_THAT(Check(kOpen, dealer_, other_.TokenFor(kHome, "dealer", dealer_, "third.example")),
              StatusIs(kUnauthenticated, HasSubstr("iss")));
  // Signed by our own registrar, and by a third one.
  EXPECT_THAT(Check(kOpen, dealer_, home_.Token("dealer", dealer_)),
              StatusIs(kUnauthenticated, HasSubstr("token key of its federation")));
  EXPECT_THAT(Check(kOpen, dealer_, third_.TokenFor(kHome, "dealer", dealer_)),
              StatusIs(kUnauthenticated, HasSubstr("token key of its federation")));
}

TEST_F(GuardFederationTest, RefusesATokenForAbroadAtHome) {
  const TestCredential oem = home_.Enrol("oem", "node");

  ASSERT_THAT(Check(kOpen, oem, home_.Token("oem", oem)), IsOk());
  EXPECT_THAT(Check(kOpen, oem, home_.TokenFor("other.example", "oem", oem)),
              StatusIs(kUnauthenticated, HasSubstr("aud")));
}

TEST_F(GuardFederationTest, RefusesAMembersTokenOfTheirs) {
  // A participant of ours with a token that the other registrar made about it.
  const TestCredential oem = home_.Enrol("oem", "node");

  EXPECT_THAT(Check(kOpen, oem, other_.TokenFor(kHome, "oem", oem)), StatusIs(kUnauthenticated));
}

TEST_F(GuardFederationTest, KeepsTokensAndTheirCertificatesTogether) {
  const TestCredential again = other_.Enrol("dealer", "node");
  ASSERT_THAT(CheckDealer(), IsOk());

  EXPECT_THAT(Check(kOpen, again, other_.TokenFor(kHome, "dealer", dealer_)),
              StatusIs(kUnauthenticated, HasSubstr("another certificate")));
  EXPECT_THAT(Check(kOpen, dealer_, other_.TokenFor(kHome, "oem", dealer_)),
              StatusIs(kUnauthenticated, HasSubstr("another participant")));
}

TEST_F(GuardFederationTest, RefusesATokenWhoseKeyTheNextRosterEnds) {
  const std::string token = other_.TokenFor(kHome, "dealer", dealer_);
  ASSERT_THAT(Check(kOpen, dealer_, token), IsOk());

  ASSERT_THAT(home_.trust().AcceptRoster(other_.MakeRoster([&](identity::v1::Roster& roster) {
    *roster.mutable_token_keys(0)->mutable_valid_until() = ToProto(clock_.Now());
  })),
              IsOk());

  EXPECT_THAT(Check(kOpen, dealer_, token), StatusIs(kUnauthenticated, HasSubstr("does not count any more")));
}

TEST_F(GuardFederationTest, RefusesWhoIsSuspendedThere) {
  ASSERT_THAT(CheckDealer(), IsOk());

  ASSERT_THAT(other_.Suspend("dealer"), IsOk());
  ASSERT_THAT(home_.trust().AcceptRoster(other_.MakeRoster()), IsOk());

  EXPECT_THAT(CheckDealer(), StatusIs(kPermissionDenied));
  EXPECT_TRUE(home_.trust().View()->IsSuspended(other_.DidOf("dealer")));
  EXPECT_FALSE(home_.trust().View()->IsSuspended(other_.DidOf("oem")));
}

TEST_F(GuardFederationTest, RefusesEveryoneOfARosterThatIsTooOld) {
  clock_.Advance(absl::Hours(24));
  ASSERT_THAT(home_.PublishStatus(), IsOk());
  EXPECT_THAT(CheckDealer(), IsOk());

  clock_.Advance(absl::Seconds(1));
  ASSERT_THAT(home_.PublishStatus(), IsOk());
  EXPECT_THAT(CheckDealer(), StatusIs(kUnavailable, HasSubstr("roster")));

  ASSERT_THAT(home_.trust().AcceptRoster(other_.MakeRoster()), IsOk());
  EXPECT_THAT(CheckDealer(), IsOk());
}

TEST_F(GuardFederationTest, RefusesEveryoneBeforeTheFirstRoster) {
  third_.Add("dealer");
  ASSERT_THAT(Trust({third_.AsTrusted({})}), IsOk());
  const TestCredential dealer = third_.Enrol("dealer", "node");

  EXPECT_THAT(Check(kOpen, dealer, third_.TokenFor(kHome, "dealer", dealer)),
              StatusIs(kUnavailable, HasSubstr("roster")));
}

TEST_F(GuardFederationTest, RefusesOnALiveConnectionFromTheRevocationOn) {
  ASSERT_THAT(CheckDealer(), IsOk());
  identity::v1::TrustedFederation revoked = other_.AsTrusted({});
  *revoked.mutable_until() = ToProto(clock_.Now());

  ASSERT_THAT(Trust({revoked}), IsOk());

  EXPECT_THAT(CheckDealer(), StatusIs(kPermissionDenied, HasSubstr("trusted no more")));
  EXPECT_TRUE(home_.trust().View()->IsSuspended(other_.DidOf("dealer")));
}

TEST_F(GuardFederationTest, LetsNobodyInByAListThatTheStatusListSaysIsOld) {
  ASSERT_THAT(CheckDealer(), IsOk());

  // The list itself is held back.
  (void)home_.MakeFederationTrust({});
  ASSERT_THAT(home_.PublishStatus(), IsOk());

  EXPECT_THAT(CheckDealer(), StatusIs(kUnavailable, HasSubstr("try again")));
  EXPECT_TRUE(home_.trust().View()->IsSuspended(other_.DidOf("dealer")));
}

TEST_F(GuardFederationTest, JudgesALiveConnectionByTheBundleThatIsFollowed) {
  ASSERT_THAT(CheckDealer(), IsOk());
  identity::v1::TrustedFederation followed = other_.AsTrusted({});
  *followed.mutable_bundle() = other_.MakeBundle(
      [](identity::v1::TrustBundle& bundle) { bundle.mutable_anchors(1)->set_removed(true); });

  ASSERT_THAT(Trust({followed}), IsOk());

  EXPECT_THAT(CheckDealer(), StatusIs(kUnauthenticated, HasSubstr("no issuing CA")));
}

TEST_F(GuardFederationTest, RefusesACertificateFromTheMomentItExpires) {
  const TestCredential brief = other_.Enrol("dealer", "node", absl::Minutes(10));
  const std::string token = other_.TokenFor(kHome, "dealer", brief);
  ASSERT_THAT(Check(kOpen, brief, token), IsOk());

  clock_.Advance(absl::Minutes(10));

  EXPECT_THAT(Check(kOpen, brief, token), StatusIs(kUnauthenticated, HasSubstr("expired")));
}

}  // namespace
}  // namespace tsunagi::rpc
