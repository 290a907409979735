// Other federations as a process of this one verifies them.
#include "identity/federations.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/trust.h"
#include "tests/support/fake_clock.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using testing::FakeClock;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TestFederation;
using enum absl::StatusCode;

class FederationsTest : public ::testing::Test {
 protected:
  FederationsTest() {
    other_.Add("dealer", {"dealer"});
    EXPECT_THAT(home_.PublishBundle(), IsOk());
    record_ = other_.AsTrusted({{"dealer", "dealer"}});
  }

  TrustStore& trust() { return home_.trust(); }
  std::shared_ptr<const TrustedFederation> Other() {
    return trust().View()->FindFederation("other.example").value();
  }
  absl::Status Accept(const v1::TrustedFederation& record) {
    return trust().AcceptFederationTrust(home_.MakeFederationTrust({record}));
  }

  FakeClock clock_;
  TestFederation home_{clock_, "battery.example"};
  TestFederation other_{clock_, "other.example"};
  v1::TrustedFederation record_;
};

TEST_F(FederationsTest, AreKnownFromASignedList) {
  ASSERT_THAT(Accept(record_), IsOk());

  EXPECT_EQ(Other()->name(), "other.example");
  EXPECT_EQ(Other()->roster, nullptr);
  EXPECT_THAT(trust().View()->FindFederation("third.example"), StatusIs(kPermissionDenied));
}

TEST_F(FederationsTest, NeedTheTrustBundleFirst) {
  // Until then TLS alone judges certificates, and would take another federation's for ours.
  TrustStore fresh(home_.root(), home_.name(), clock_);

  EXPECT_THAT(fresh.AcceptFederationTrust(home_.MakeFederationTrust({record_})),
              StatusIs(kFailedPrecondition, HasSubstr("trust bundle")));
}

TEST_F(FederationsTest, AreRefusedWhenAnotherKeySignedTheList) {
  TestFederation impostor(clock_, "battery.example");

  EXPECT_THAT(trust().AcceptFederationTrust(impostor.MakeFederationTrust({record_})),
              StatusIs(kUnauthenticated));
}

TEST_F(FederationsTest, AreNeverThoseOfAnOlderList) {
  const v1::SignedFederationTrust older = home_.MakeFederationTrust({record_});
  ASSERT_THAT(Accept(record_), IsOk());

  EXPECT_THAT(trust().AcceptFederationTrust(older), StatusIs(kAborted, HasSubstr("older")));
}

TEST_F(FederationsTest, LeaveTheDirectoryAndTheStatusListAlone) {
  ASSERT_THAT(home_.PublishFederationTrust({record_}), IsOk());
  ASSERT_THAT(trust().AcceptRoster(other_.MakeRoster()), IsOk());

  home_.Add("oem");
  ASSERT_THAT(home_.PublishStatus(), IsOk());
  ASSERT_THAT(home_.PublishBundle(), IsOk());

  EXPECT_THAT(trust().View()->Find("oem"), IsOk());
  ASSERT_THAT(trust().View()->FindFederation("other.example"), IsOk());
  EXPECT_NE(Other()->roster, nullptr);
}

TEST_F(FederationsTest, HaveTheirRootsAmongThoseOfClientsWhileTheyAreTrusted) {
  EXPECT_EQ(trust().ClientRootsPem(), home_.root_pem());
  ASSERT_THAT(Accept(record_), IsOk());
  EXPECT_EQ(trust().ClientRootsPem(), home_.root_pem() + other_.root_pem());
  EXPECT_EQ(trust().RootsPem(), home_.root_pem());

  *record_.mutable_until() = ToProto(clock_.Now());
  ASSERT_THAT(Accept(record_), IsOk());
  EXPECT_EQ(trust().ClientRootsPem(), home_.root_pem());
}

struct BadRecord {
  const char* name;
  std::function<void(v1::TrustedFederation&)> change;
  const char* expected;
};

class BadRecordTest : public FederationsTest, public ::testing::WithParamInterface<BadRecord> {};

TEST_P(BadRecordTest, IsRefusedAndNothingIsTaken) {
  GetParam().change(record_);

  EXPECT_THAT(Accept(record_), StatusIs(kUnauthenticated, HasSubstr(GetParam().expected)));
  EXPECT_EQ(trust().View()->federations->version, 0);
}

void MapTo(v1::TrustedFederation& record, const std::string& ours) {
  record.mutable_roles(0)->set_ours(ours);
}

INSTANTIATE_TEST_SUITE_P(
    Federations, BadRecordTest,
    ::testing::Values(
        BadRecord{"OurOwnFederation", [](auto& r) { r.set_federation("battery.example"); },
                  "another federation"},
        BadRecord{"BundleOfAnotherName", [](auto& r) { r.set_federation("third.example"); }, "third.example"},
        BadRecord{"NoName", [](auto& r) { r.clear_federation(); }, "federation"},
        BadRecord{"NoHost", [](auto& r) { r.clear_did_hosts(); }, "did_hosts"},
        BadRecord{"HostWithPath", [](auto& r) { r.set_did_hosts(0, "a.example:participants"); }, "did_hosts"},
        BadRecord{"HostTwice", [](auto& r) { r.add_did_hosts(r.did_hosts(0)); }, "did_hosts"},
        BadRecord{"RoleRegistrar", [](auto& r) { MapTo(r, "registrar"); }, "roles.ours"},
        BadRecord{"RoleAuthority", [](auto& r) { MapTo(r, "authority"); }, "roles.ours"},
        BadRecord{"RoleVerifier", [](auto& r) { MapTo(r, "verifier"); }, "roles.ours"},
        BadRecord{"RoleGateway", [](auto& r) { MapTo(r, "gateway"); }, "roles.ours"},
        BadRecord{"RoleNoWord", [](auto& r) { MapTo(r, "Dealer!"); }, "roles.ours"},
        BadRecord{"TheirRegistrar", [](auto& r) { r.mutable_roles(0)->set_theirs("registrar"); },
                  "roles.theirs"},
        BadRecord{"RoleTwice", [](auto& r) { *r.add_roles() = r.roles(0); }, "roles"},
        BadRecord{"TooManyRoles",
                  [](auto& r) {
                    for (int i = 0; i < 64; ++i) {
                      *r.add_roles() = r.roles(0);
                      r.mutable_roles()->rbegin()->set_theirs(absl::StrCat("role-", i));
                    }
                  },
                  "roles"},
        BadRecord{"PlainHttp", [](auto& r) { r.set_url("http://registrar.other.example:80"); }, "url"},
        BadRecord{"UrlWithPath", [](auto& r) { r.set_url("https://registrar.other.example:8443/x"); }, "url"},
        BadRecord{"NoBundle", [](auto& r) { r.clear_bundle(); }, "trust bundle"},
        BadRecord{"NoTime", [](auto& r) { r.mutable_since()->set_seconds(1LL << 60); }, "time"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(FederationsTest, AreRefusedWhenTwoHaveOneHostOrOneName) {
  TestFederation third(clock_, "third.example");
  v1::TrustedFederation record = third.AsTrusted({});
  record.set_did_hosts(0, "other.example");

  EXPECT_THAT(trust().AcceptFederationTrust(home_.MakeFederationTrust({record_, record})),
              StatusIs(kUnauthenticated, HasSubstr("did_hosts")));
  record = record_;
  record.set_did_hosts(0, "elsewhere.example");
  EXPECT_THAT(trust().AcceptFederationTrust(home_.MakeFederationTrust({record_, record})),
              StatusIs(kUnauthenticated, HasSubstr("each value once")));
}

TEST_F(FederationsTest, HostsAreWholeNames) {
  ASSERT_THAT(Accept(record_), IsOk());

  EXPECT_TRUE(Other()->Hosts("did:web:other.example"));
  EXPECT_TRUE(Other()->Hosts("did:web:other.example:participants:dealer"));
  EXPECT_FALSE(Other()->Hosts("did:web:other.example.evil.example:participants:dealer"));
  EXPECT_FALSE(Other()->Hosts("did:web:an.other.example"));
  EXPECT_FALSE(Other()->Hosts("did:key:other.example"));
}

TEST_F(FederationsTest, TakeARosterOfTheirDirectoryKeyOnly) {
  ASSERT_THAT(Accept(record_), IsOk());
  TestFederation impostor(clock_, "other.example");
  impostor.Add("dealer");

  EXPECT_THAT(trust().AcceptRoster(impostor.MakeRoster()), StatusIs(kUnauthenticated));
  EXPECT_THAT(trust().AcceptRoster(other_.MakeRoster()), IsOk());
}

TEST_F(FederationsTest, TakeNoOlderRosterAndNoneFromTheFuture) {
  ASSERT_THAT(Accept(record_), IsOk());
  const v1::SignedRoster older = other_.MakeRoster();
  ASSERT_THAT(trust().AcceptRoster(other_.MakeRoster()), IsOk());

  EXPECT_THAT(trust().AcceptRoster(older), StatusIs(kAborted, HasSubstr("older")));
  EXPECT_THAT(trust().AcceptRoster(other_.MakeRoster([&](v1::Roster& roster) {
    *roster.mutable_issued_at() = ToProto(clock_.Now() + absl::Seconds(61));
  })),
              StatusIs(kUnauthenticated, HasSubstr("future")));
  EXPECT_THAT(trust().AcceptRoster(other_.MakeRoster([&](v1::Roster& roster) {
    *roster.mutable_issued_at() = ToProto(clock_.Now() + absl::Seconds(59));
  })),
              IsOk());
}

TEST_F(FederationsTest, TakeNoRosterOfAFederationThatIsNotTrusted) {
  TestFederation third(clock_, "third.example");
  ASSERT_THAT(Accept(record_), IsOk());
  EXPECT_THAT(trust().AcceptRoster(third.MakeRoster()), StatusIs(kFailedPrecondition));

  *record_.mutable_until() = ToProto(clock_.Now());
  ASSERT_THAT(Accept(record_), IsOk());
  EXPECT_THAT(trust().AcceptRoster(other_.MakeRoster()), StatusIs(kFailedPrecondition));
}

struct BadRoster {
  const char* name;
  std::function<void(v1::Roster&)> change;
  const char* expected;
};

class BadRosterTest : public FederationsTest, public ::testing::WithParamInterface<BadRoster> {};

TEST_P(BadRosterTest, IsRefusedWhole) {
  ASSERT_THAT(Accept(record_), IsOk());

  EXPECT_THAT(trust().AcceptRoster(other_.MakeRoster(GetParam().change)),
              StatusIs(kUnauthenticated, HasSubstr(GetParam().expected)));
  EXPECT_EQ(Other()->roster, nullptr);
}

INSTANTIATE_TEST_SUITE_P(
    Federations, BadRosterTest,
    ::testing::Values(
        BadRoster{"NoVersion", [](auto& r) { r.clear_version(); }, "version"},
        BadRoster{"LabelTwice",
                  [](auto& r) {
                    *r.add_members() = r.members(0);
                    r.mutable_members(1)->set_did("did:web:other.example:participants:again");
                  },
                  "twice"},
        BadRoster{"DidTwice",
                  [](auto& r) {
                    *r.add_members() = r.members(0);
                    r.mutable_members(1)->set_label("again");
                  },
                  "twice"},
        BadRoster{"LabelWithDot", [](auto& r) { r.mutable_members(0)->set_label("a.b"); }, "label"},
        BadRoster{"NoDid", [](auto& r) { r.mutable_members(0)->clear_did(); }, "did"},
        BadRoster{"KeyOfAnotherId", [](auto& r) { r.mutable_token_keys(0)->set_key_id("00"); }, "key"},
        BadRoster{"LogKey", [](auto& r) { r.mutable_token_keys(0)->set_purpose(v1::KEY_PURPOSE_LOG); },
                  "key"},
        BadRoster{"KeyTwice", [](auto& r) { *r.add_token_keys() = r.token_keys(0); }, "twice"},
        BadRoster{"TooLarge", [](auto& r) { r.mutable_members(0)->add_roles(std::string(1 << 20, 'x')); },
                  "1 MiB"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(FederationsTest, LeaveOutMembersThatAreNobodyHere) {
  ASSERT_THAT(Accept(record_), IsOk());
  ASSERT_THAT(trust().AcceptRoster(other_.MakeRoster([](v1::Roster& roster) {
    v1::RosterMember& registrar = *roster.add_members();
    registrar.set_label("registrar");
    registrar.set_did("did:web:other.example:participants:registrar");
    v1::RosterMember& elsewhere = *roster.add_members();
    elsewhere.set_label("elsewhere");
    elsewhere.set_did("did:web:battery.example:participants:oem");
  })),
              IsOk());

  EXPECT_EQ(Other()->roster->by_label.size(), 1);
  EXPECT_TRUE(Other()->roster->by_label.contains("dealer"));
}

TEST_F(FederationsTest, ForgetARosterThatTheNextBundleVouchesForNoMore) {
  ASSERT_THAT(Accept(record_), IsOk());
  ASSERT_THAT(trust().AcceptRoster(other_.MakeRoster()), IsOk());
  // Another root, under which the other registrar goes on.
  TestFederation renewed(clock_, "other.example");
  *record_.mutable_bundle() = renewed.MakeBundle();

  ASSERT_THAT(Accept(record_), IsOk());

  EXPECT_EQ(Other()->roster, nullptr);
}

TEST_F(FederationsTest, AreForgottenWithTheRootThatSignedThem) {
  ASSERT_THAT(home_.PublishFederationTrust({record_}), IsOk());
  auto view = std::make_shared<TrustView>(*trust().View());
  ASSERT_NE(view->federations->version, 0);
  // A second root takes the place of the first.
  const auto next_key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  crypto::CertificateTemplate root;
  root.name = "next root";
  root.not_before = clock_.Now() - absl::Hours(1);
  root.not_after = clock_.Now() + absl::Hours(1000);
  root.is_ca = true;
  const crypto::Certificate next =
      crypto::IssueCertificate(root, next_key.public_key(), next_key, std::nullopt).value();
  const auto add_root = [&](v1::TrustBundle& bundle) {
    v1::TrustAnchor& anchor = *bundle.add_anchors();
    anchor.set_certificate(next.der);
    anchor.set_kind(v1::ANCHOR_KIND_ROOT);
    *anchor.mutable_valid_from() = ToProto(clock_.Now() - absl::Hours(1));
  };
  ASSERT_THAT(home_.PublishBundle(add_root), IsOk());
  v1::SignedTrustBundle removing = home_.MakeBundle([&](v1::TrustBundle& bundle) {
    add_root(bundle);
    bundle.mutable_anchors(0)->set_removed(true);
  });
  *removing.mutable_signatures(0) = crypto::Sign(next_key, kTrustBundlePayload, removing.bundle());
  removing.mutable_signatures(0)->clear_payload();

  ASSERT_THAT(trust().AcceptBundle(removing), IsOk());

  EXPECT_EQ(trust().View()->federations->version, 0);
  EXPECT_EQ(trust().ClientRootsPem(), crypto::ToPem(next));
}

}  // namespace
}  // namespace tsunagi::identity
