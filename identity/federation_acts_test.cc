#include "identity/federation_acts.h"

#include <chrono>
#include <functional>
#include <future>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/crypto/jwt.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/entries.h"
#include "identity/registrar_for_test.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::IsOkAndHolds;
using tsunagi::testing::StatusIs;
using tsunagi::testing::TestFederation;
using enum absl::StatusCode;

using TrustReply = absl::StatusOr<v1::TrustFederationResponse>;

// The registrar of battery.example, and what other.example publishes.
class FederationActsTest : public ::testing::Test {
 protected:
  FederationActsTest() {
    registrar_.Register("maker");
    other_.Add("dealer", {"dealer"});
  }

  v1::TrustFederationRequest RequestFor(TestFederation& federation) {
    v1::TrustFederationRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_federation(federation.name());
    request.set_bundle(Encode(federation.MakeBundle()));
    request.set_root_sha256(ToHex(federation.root().sha256));
    request.set_url(absl::StrCat("https://registrar.", federation.name(), ":8443"));
    request.add_did_hosts(federation.name());
    v1::RoleMapping& role = *request.add_roles();
    role.set_theirs("dealer");
    role.set_ours("dealer");
    request.set_reason("agreement of 2026-11-30");
    return request;
  }
  TrustReply Trust(const v1::TrustFederationRequest& request) {
    return WaitFor<v1::TrustFederationResponse>([&](auto done) {
      registrar_.registrar->federations().Trust(RegistrarForTest::Operator(), request, std::move(done));
    });
  }
  TrustReply TrustOther() { return Trust(RequestFor(other_)); }
  absl::StatusOr<v1::RevokeFederationResponse> Revoke(const std::string& federation,
                                                      const std::string& reason = "they let anybody in") {
    v1::RevokeFederationRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_federation(federation);
    request.set_reason(reason);
    return WaitFor<v1::RevokeFederationResponse>([&](auto done) {
      registrar_.registrar->federations().Revoke(RegistrarForTest::Operator(), request, std::move(done));
    });
  }
  absl::StatusOr<bool> Follow(const v1::SignedTrustBundle& bundle,
                              const std::string& federation = "other.example") {
    return WaitFor<bool>(
        [&](auto done) { registrar_.registrar->federations().Follow(federation, bundle, std::move(done)); });
  }
  std::shared_ptr<const TrustView> View() const { return registrar_.registrar->trust().View(); }
  v1::FederationTrust Stored() const { return LoadFederationTrust(*registrar_.store).value(); }
  v1::SignedFederationTrust Signed() {
    return *WaitFor<SignedLists::FederationTrust>([&](auto done) {
              registrar_.registrar->lists().GetFederationTrust(std::move(done));
            }).value();
  }
  v1::SignedRoster Roster() {
    return *WaitFor<SignedLists::Roster>([&](auto done) {
              registrar_.registrar->lists().GetRoster(std::move(done));
            }).value();
  }
  absl::StatusOr<v1::IssueTokenResponse> TokenFor(const std::string& audience) {
    const CertifiedProcess node = {"maker", "node", std::string(32, 'c'),
                                   registrar_.clock.Now() + absl::Hours(2)};
    return WaitFor<v1::IssueTokenResponse>(
        [&](auto done) { registrar_.registrar->tokens().Issue(node, std::move(done), audience); });
  }

  RegistrarForTest registrar_;
  TestFederation other_{registrar_.clock, "other.example"};
};

TEST_F(FederationActsTest, TrustAFederationWithTheRolesThatAreStated) {
  const TrustReply trusted = TrustOther();

  ASSERT_THAT(trusted, IsOk());
  EXPECT_EQ(trusted->version(), 1);
  EXPECT_EQ(View()->federations_required, 1);
  const auto federation = View()->FindFederation("other.example");
  ASSERT_THAT(federation, IsOk());
  EXPECT_THAT((*federation)->RolesHere({"dealer", "oem"}), ElementsAre("dealer"));
  const audit::v1::RegistrarRecord record = registrar_.Records().back();
  EXPECT_EQ(record.act(), "federation-trust-signed");
  EXPECT_THAT(registrar_.Acts(), Contains("federation-trusted"));
}

TEST_F(FederationActsTest, LeaveALeafWithWhoAndWhy) {
  ASSERT_THAT(TrustOther(), IsOk());
  ASSERT_THAT(Revoke("other.example"), IsOk());

  int found = 0;
  for (const audit::v1::RegistrarRecord& record : registrar_.Records()) {
    if (record.act() != "federation-trusted" && record.act() != "federation-revoked") continue;
    ++found;
    EXPECT_EQ(record.participant(), "other.example");
    EXPECT_EQ(record.by(), absl::StrCat(RegistrarForTest::DidOf("registrar"), " operator"));
    EXPECT_EQ(record.digest().size(), 32);
    EXPECT_EQ(record.reason(),
              record.act() == "federation-trusted" ? "agreement of 2026-11-30" : "they let anybody in");
  }
  EXPECT_EQ(found, 2);
}

TEST_F(FederationActsTest, TakeABundleOfTheRootThatTheOperatorNamesOnly) {
  v1::TrustFederationRequest request = RequestFor(other_);
  TestFederation impostor(registrar_.clock, "other.example");
  request.set_root_sha256(ToHex(impostor.root().sha256));
  EXPECT_THAT(Trust(request), StatusIs(kUnauthenticated, HasSubstr(ToHex(other_.root().sha256))));

  request.set_root_sha256("0123");
  EXPECT_THAT(Trust(request), StatusIs(kInvalidArgument, HasSubstr("root_sha256")));

  // The root is listed, but did not sign.
  request = RequestFor(other_);
  v1::SignedTrustBundle bundle = other_.MakeBundle();
  bundle.clear_signatures();
  request.set_bundle(Encode(bundle));
  EXPECT_THAT(Trust(request), StatusIs(kUnauthenticated));

  // An issuing CA is no root.
  request = RequestFor(other_);
  v1::TrustBundle listed;
  ASSERT_TRUE(listed.ParseFromString(other_.MakeBundle().bundle()));
  request.set_root_sha256(ToHex(crypto::ParseCertificateDer(listed.anchors(1).certificate())->sha256));
  EXPECT_THAT(Trust(request), StatusIs(kUnauthenticated, HasSubstr("the bundle has no root")));

  EXPECT_EQ(Stored().version(), 0);
}

struct BadRequest {
  const char* name;
  std::function<void(v1::TrustFederationRequest&)> change;
  const char* expected;
};

class BadRequestTest : public FederationActsTest, public ::testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequestTest, ChangesNothing) {
  v1::TrustFederationRequest request = RequestFor(other_);
  GetParam().change(request);

  EXPECT_THAT(Trust(request), StatusIs(kInvalidArgument, HasSubstr(GetParam().expected)));
  EXPECT_EQ(Stored().version(), 0);
  EXPECT_EQ(View()->federations_required, 0);
}

INSTANTIATE_TEST_SUITE_P(
    FederationActs, BadRequestTest,
    ::testing::Values(
        BadRequest{"NoReason", [](auto& r) { r.clear_reason(); }, "reason"},
        BadRequest{"NoBundle", [](auto& r) { r.clear_bundle(); }, "trust bundle"},
        BadRequest{"BundleIsNone", [](auto& r) { r.set_bundle("\xff\xff"); }, "trust bundle"},
        BadRequest{"AnotherName", [](auto& r) { r.set_federation("third.example"); }, "third.example"},
        BadRequest{"OurName", [](auto& r) { r.set_federation(kFederation); }, "another federation"},
        BadRequest{"OurHost", [](auto& r) { r.add_did_hosts("did.example"); }, "did_hosts"},
        BadRequest{"RoleRegistrar", [](auto& r) { r.mutable_roles(0)->set_ours("registrar"); }, "roles.ours"},
        BadRequest{"RoleAuthority", [](auto& r) { r.mutable_roles(0)->set_ours("authority"); }, "roles.ours"},
        BadRequest{"PlainHttp", [](auto& r) { r.set_url("http://other.example:80"); }, "https"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(FederationActsTest, TakeNoBundleThatNamesOurOwnFederation) {
  TestFederation impostor(registrar_.clock, kFederation);
  v1::TrustFederationRequest request = RequestFor(impostor);
  EXPECT_THAT(Trust(request), StatusIs(kInvalidArgument, HasSubstr("another federation")));

  request.set_federation("other.example");
  EXPECT_THAT(Trust(request), StatusIs(kInvalidArgument, HasSubstr("expected `other.example`")));
}

TEST_F(FederationActsTest, KeepHostsOfFederationsApart) {
  TestFederation third(registrar_.clock, "third.example");
  ASSERT_THAT(TrustOther(), IsOk());
  v1::TrustFederationRequest request = RequestFor(third);
  request.add_did_hosts("other.example");

  EXPECT_THAT(Trust(request), StatusIs(kInvalidArgument, HasSubstr("`other.example`")));

  // Of a revoked one, too: who is meant must not change.
  ASSERT_THAT(Revoke("other.example"), IsOk());
  request.set_request_id(NewUuid(registrar_.random));
  EXPECT_THAT(Trust(request), StatusIs(kInvalidArgument, HasSubstr("`other.example`")));
}

TEST_F(FederationActsTest, AreDoneOnceByTheirRequestId) {
  const v1::TrustFederationRequest request = RequestFor(other_);
  ASSERT_THAT(Trust(request), IsOk());

  const TrustReply again = Trust(request);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->version(), 1);

  v1::TrustFederationRequest other = request;
  other.clear_roles();
  EXPECT_THAT(Trust(other), StatusIs(kAlreadyExists));
}

TEST_F(FederationActsTest, StateAnewHowAFederationIsTrusted) {
  ASSERT_THAT(TrustOther(), IsOk());
  const absl::Time since = registrar_.clock.Now();
  registrar_.clock.Advance(absl::Hours(1));
  v1::TrustFederationRequest request = RequestFor(other_);
  request.clear_roles();

  const TrustReply stated = Trust(request);

  ASSERT_THAT(stated, IsOk());
  EXPECT_EQ(stated->version(), 2);
  EXPECT_EQ(FromProto(stated->trusted().since()).value(), since);
  EXPECT_TRUE(View()->FindFederation("other.example").value()->RolesHere({"dealer"}).empty());
}

TEST_F(FederationActsTest, RevokeForWhoeverHasTheNextStatusList) {
  ASSERT_THAT(TrustOther(), IsOk());

  ASSERT_THAT(Revoke("other.example"), IsOk());

  EXPECT_THAT(View()->FindFederation("other.example"), StatusIs(kPermissionDenied));
  EXPECT_THAT(Revoke("other.example"), StatusIs(kNotFound));
  EXPECT_THAT(Revoke("third.example"), StatusIs(kNotFound));
  EXPECT_THAT(Revoke("other.example", ""), StatusIs(kInvalidArgument, HasSubstr("reason")));
  v1::StatusList list;
  ASSERT_TRUE(list.ParseFromString(registrar_.StatusList().status_list().payload()));
  EXPECT_EQ(list.federation_trust_version(), 2);
}

TEST_F(FederationActsTest, AreToldToWhoeverWatchesTheStatusList) {
  for (const bool trust : {true, false}) {
    std::promise<void> told;
    registrar_.registrar->lists().OnStatusChange([&] { told.set_value(); });

    ASSERT_THAT(trust ? TrustOther().status() : Revoke("other.example").status(), IsOk());

    EXPECT_EQ(told.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
    registrar_.registrar->lists().OnStatusChange(nullptr);
  }
}

TEST_F(FederationActsTest, GoBackToNoOlderBundle) {
  const v1::TrustFederationRequest older = RequestFor(other_);
  ASSERT_THAT(TrustOther(), IsOk());
  EXPECT_THAT(Trust(older), StatusIs(kAborted, HasSubstr("older")));

  // Nor after a revocation.
  ASSERT_THAT(Revoke("other.example"), IsOk());
  EXPECT_THAT(Trust(older), StatusIs(kAborted, HasSubstr("older")));
  ASSERT_THAT(TrustOther(), IsOk());
  EXPECT_THAT(View()->FindFederation("other.example"), IsOk());
}

TEST_F(FederationActsTest, FollowABundleThatTheOneBeforeVouchesFor) {
  const v1::SignedTrustBundle older = other_.MakeBundle();
  ASSERT_THAT(TrustOther(), IsOk());

  EXPECT_THAT(Follow(other_.MakeBundle()), IsOkAndHolds(true));
  EXPECT_EQ(Stored().version(), 2);
  EXPECT_THAT(registrar_.Acts(), Contains("federation-followed"));
  // Not news.
  EXPECT_THAT(Follow(Stored().federations(0).bundle()), IsOkAndHolds(false));
  EXPECT_EQ(Stored().version(), 2);

  TestFederation impostor(registrar_.clock, "other.example");
  for (int i = 0; i < 5; ++i) (void)impostor.MakeBundle();
  EXPECT_THAT(Follow(impostor.MakeBundle()), StatusIs(kUnauthenticated));
  EXPECT_THAT(Follow(older), StatusIs(kAborted));
  EXPECT_THAT(Follow(other_.MakeBundle(), "third.example"), StatusIs(kNotFound));
  EXPECT_EQ(Stored().version(), 2);
}

TEST_F(FederationActsTest, FollowNothingThatTakesARemovalBack) {
  ASSERT_THAT(TrustOther(), IsOk());
  ASSERT_THAT(Follow(other_.MakeBundle(
                  [](v1::TrustBundle& bundle) { bundle.mutable_anchors(1)->set_removed(true); })),
              IsOkAndHolds(true));

  EXPECT_THAT(Follow(other_.MakeBundle()), StatusIs(kUnauthenticated, HasSubstr("removal")));
  EXPECT_THAT(TrustOther(), StatusIs(kUnauthenticated, HasSubstr("removal")));
}

TEST_F(FederationActsTest, FollowNothingAfterTheRevocation) {
  ASSERT_THAT(TrustOther(), IsOk());
  ASSERT_THAT(Revoke("other.example"), IsOk());

  EXPECT_THAT(Follow(other_.MakeBundle()), StatusIs(kNotFound));
}

TEST_F(FederationActsTest, TrustAtMostEightAtATime) {
  for (int i = 0; i < kMaxTrusted; ++i) {
    TestFederation one(registrar_.clock, absl::StrCat("f", i, ".example"));
    ASSERT_THAT(Trust(RequestFor(one)), IsOk());
  }
  EXPECT_THAT(TrustOther(), StatusIs(kResourceExhausted));

  ASSERT_THAT(Revoke("f0.example"), IsOk());
  EXPECT_THAT(TrustOther(), IsOk());
}

TEST_F(FederationActsTest, GoOnAfterARestart) {
  ASSERT_THAT(TrustOther(), IsOk());

  registrar_.Restart();

  EXPECT_THAT(View()->FindFederation("other.example"), IsOk());
}

TEST_F(FederationActsTest, AreSignedAnewWithTheNextDirectoryKey) {
  const testing::TempDir keys;
  const Authority first =
      LoadOrCreateAuthority(keys.File("keys"), kFederation, registrar_.clock.Now()).value();
  RegistrarForTest rotated(registrar_.clock.Now(), first, keys.File("keys"));
  const v1::TrustFederationRequest request = RequestFor(other_);
  ASSERT_THAT(WaitFor<v1::TrustFederationResponse>([&](auto done) {
                rotated.registrar->federations().Trust(RegistrarForTest::Operator(), request,
                                                       std::move(done));
              }),
              IsOk());
  v1::RotateKeyRequest rotation;
  rotation.set_request_id(NewUuid(rotated.random));
  rotation.set_key(v1::AUTHORITY_KEY_DIRECTORY);
  rotation.set_reason("yearly");

  ASSERT_THAT(rotated.registrar->anchors().Rotate(RegistrarForTest::Operator(), rotation), IsOk());

  const std::shared_ptr<const TrustView> view = rotated.registrar->trust().View();
  ASSERT_THAT(view->FindFederation("other.example"), IsOk());
  EXPECT_EQ(view->federations->signed_trust->trust().key_id(), rotated.in_use.Get()->directory.key.id());
}

// What the other side does with this registrar's roster.
class RosterTest : public FederationActsTest {
 protected:
  TrustedFederation Us() {
    TrustedFederation us;
    us.record.set_federation(kFederation);
    us.record.add_did_hosts("did.example");
    us.bundle = View()->bundle;
    return us;
  }
  class Roster Opened() {
    return OpenRoster(Roster(), Us(), registrar_.clock.Now()).value();
  }
};

TEST_F(RosterTest, HasWhoMayActAndNobodyElse) {
  v1::Participant dealer = RegistrarForTest::Named("dealer");
  dealer.add_roles("dealer");
  ASSERT_THAT(registrar_.TryRegister(dealer), IsOk());

  EXPECT_THAT(Opened().by_label.at("dealer").roles, ElementsAre("dealer"));
  EXPECT_EQ(Opened().by_label.size(), 2);

  ASSERT_THAT(registrar_.SetSuspended("dealer", true), IsOk());
  registrar_.clock.Advance(absl::Seconds(6));
  EXPECT_FALSE(Opened().by_label.contains("dealer"));
  EXPECT_TRUE(Opened().by_label.contains("maker"));
}

TEST_F(RosterTest, HasTheTokenKeysAndNoOtherKey) {
  const class Roster roster = Opened();

  EXPECT_EQ(roster.token_keys.size(), 1);
  EXPECT_TRUE(roster.token_keys.contains(registrar_.authority.token.id()));
}

TEST_F(RosterTest, IsSignedAtMostEveryFewSecondsWithAHigherVersion) {
  const uint64_t first = Opened().version;
  EXPECT_EQ(Opened().version, first);

  registrar_.clock.Advance(absl::Seconds(6));
  EXPECT_EQ(Opened().version, first + 1);

  registrar_.Restart();
  EXPECT_EQ(Opened().version, first + 2);
}

TEST_F(FederationActsTest, IssueTokensForFederationsThatAreTrustedOnly) {
  EXPECT_THAT(TokenFor("other.example"), StatusIs(kNotFound, HasSubstr("audience")));
  ASSERT_THAT(TrustOther(), IsOk());
  const auto token = TokenFor("other.example");
  ASSERT_THAT(token, IsOk());
  // It is none for home.
  TokenVerifier verifier(registrar_.registrar->trust(), registrar_.clock);
  EXPECT_THAT(verifier.Verify(token->token()), StatusIs(kUnauthenticated, HasSubstr("aud")));
  EXPECT_THAT(verifier.Verify(TokenFor("")->token()), IsOk());

  ASSERT_THAT(Revoke("other.example"), IsOk());
  EXPECT_THAT(TokenFor("other.example"), StatusIs(kNotFound, HasSubstr("audience")));
}

}  // namespace
}  // namespace tsunagi::identity
