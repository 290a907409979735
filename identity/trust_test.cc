#include "identity/trust.h"

#include <functional>

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

class TrustTest : public ::testing::Test {
 protected:
  v1::Participant Member(const std::string& label) {
    v1::Participant participant = RegistrarForTest::Named(label);
    participant.set_did(RegistrarForTest::DidOf(label));
    participant.set_version(1);
    return participant;
  }
  v1::Directory Directory(uint64_t version, const std::vector<v1::Participant>& members) {
    v1::Directory directory;
    directory.set_version(version);
    directory.set_federation(kFederation);
    *directory.mutable_issued_at() = ToProto(clock_.Now());
    for (const v1::Participant& member : members) {
      *directory.add_entries() = crypto::Sign(authority_.directory.key, kParticipantPayload, Encode(member));
    }
    return directory;
  }
  v1::SignedDirectory Signed(const v1::Directory& directory) {
    return SignedBy(authority_.directory, directory);
  }
  static v1::SignedDirectory SignedBy(const CertifiedKey& signer, const v1::Directory& directory) {
    v1::SignedDirectory result;
    *result.mutable_directory() = crypto::Sign(signer.key, kDirectoryPayload, Encode(directory));
    result.add_chain(signer.certificate.der);
    return result;
  }
  v1::SignedStatusList Status(uint64_t version, absl::Time issued_at,
                              const std::string& federation = kFederation) {
    v1::StatusList list;
    list.set_version(version);
    list.set_federation(federation);
    *list.mutable_issued_at() = ToProto(issued_at);
    list.add_suspended(RegistrarForTest::DidOf("late"));
    v1::SignedStatusList result;
    *result.mutable_status_list() = crypto::Sign(authority_.status.key, kStatusListPayload, Encode(list));
    result.add_chain(authority_.status.certificate.der);
    return result;
  }

  testing::FakeClock clock_;
  const Authority& authority_ = AuthorityForTest(clock_.Now());
  TrustStore trust_{authority_.root.certificate, kFederation, clock_};
};

TEST_F(TrustTest, FindsMembersOfAnAcceptedDirectoryByDidAndLabel) {
  ASSERT_THAT(trust_.AcceptDirectory(Signed(Directory(3, {Member("maker"), Member("oem")}))), IsOk());

  EXPECT_EQ(trust_.View()->directory_version, 3u);
  EXPECT_EQ(trust_.View()->Find("maker").value()->participant.did(), RegistrarForTest::DidOf("maker"));
  EXPECT_EQ(trust_.View()->Find(RegistrarForTest::DidOf("oem")).value()->participant.label(), "oem");
  EXPECT_THAT(trust_.View()->Find("nobody"), StatusIs(kNotFound, HasSubstr("nobody")));
}

TEST_F(TrustTest, NeverGoesBackToALowerDirectoryVersion) {
  ASSERT_THAT(trust_.AcceptDirectory(Signed(Directory(3, {Member("maker")}))), IsOk());

  EXPECT_THAT(trust_.AcceptDirectory(Signed(Directory(2, {}))), StatusIs(kAborted, HasSubstr("older")));
  EXPECT_EQ(trust_.View()->directory_version, 3u);
}

TEST_F(TrustTest, IgnoresAnotherDirectoryOfTheSameVersion) {
  ASSERT_THAT(trust_.AcceptDirectory(Signed(Directory(3, {Member("maker")}))), IsOk());

  EXPECT_THAT(trust_.AcceptDirectory(Signed(Directory(3, {}))), IsOk());
  EXPECT_THAT(trust_.View()->Find("maker"), IsOk());
}

TEST_F(TrustTest, ViewsThatWereTakenStayAsTheyWere) {
  ASSERT_THAT(trust_.AcceptDirectory(Signed(Directory(1, {Member("maker")}))), IsOk());
  const auto before = trust_.View();

  ASSERT_THAT(trust_.AcceptDirectory(Signed(Directory(2, {}))), IsOk());

  EXPECT_THAT(before->Find("maker"), IsOk());
  EXPECT_THAT(trust_.View()->Find("maker"), StatusIs(kNotFound));
}

TEST_F(TrustTest, RefusesADirectoryOfAnotherRootWithTheSameNames) {
  testing::TempDir other_folder;
  const Authority other = LoadOrCreateAuthority(other_folder.path(), kFederation, clock_.Now()).value();

  EXPECT_THAT(trust_.AcceptDirectory(SignedBy(other.directory, Directory(1, {}))),
              StatusIs(kUnauthenticated));
}

TEST_F(TrustTest, RefusesADirectoryThatTheStatusKeySigned) {
  EXPECT_THAT(trust_.AcceptDirectory(SignedBy(authority_.status, Directory(1, {}))),
              StatusIs(kUnauthenticated, HasSubstr("registrar/directory")));
}

TEST_F(TrustTest, RefusesADirectoryKeyThatTheIssuingAuthorityCertified) {
  const auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  crypto::CertificateTemplate forged;
  forged.name = "forged";
  forged.uris = {DirectoryUri(kFederation)};
  forged.not_before = clock_.Now() - absl::Hours(1);
  forged.not_after = clock_.Now() + absl::Hours(1);
  const auto certificate = crypto::IssueCertificate(forged, key.public_key(), authority_.issuing.key,
                                                    authority_.issuing.certificate)
                               .value();
  v1::SignedDirectory directory = SignedBy({key, certificate}, Directory(1, {}));
  EXPECT_THAT(trust_.AcceptDirectory(directory), StatusIs(kUnauthenticated));

  directory.add_chain(authority_.issuing.certificate.der);
  EXPECT_THAT(trust_.AcceptDirectory(directory), StatusIs(kUnauthenticated, HasSubstr("expected one")));
}

TEST_F(TrustTest, RefusesADirectoryWhoseCertificateHasExpired) {
  const v1::SignedDirectory directory = Signed(Directory(1, {}));
  clock_.Set(authority_.directory.certificate.not_after + absl::Seconds(1));

  EXPECT_THAT(trust_.AcceptDirectory(directory), StatusIs(kUnauthenticated));
}

// What an attacker on the way, or a careless registrar, may do to a directory.
struct Tampering {
  const char* name;
  std::function<void(v1::Directory&, const Authority&)> change;
};

class TamperedDirectoryTest : public TrustTest, public ::testing::WithParamInterface<Tampering> {};

TEST_P(TamperedDirectoryTest, IsRefusedAndTheOldViewStays) {
  ASSERT_THAT(trust_.AcceptDirectory(Signed(Directory(1, {Member("maker")}))), IsOk());
  v1::Directory directory = Directory(2, {Member("maker"), Member("oem")});
  GetParam().change(directory, authority_);

  EXPECT_THAT(trust_.AcceptDirectory(Signed(directory)), StatusIs(kUnauthenticated));
  EXPECT_EQ(trust_.View()->directory_version, 1u);
}

void ReplaceEntry(v1::Directory& directory, const Authority& authority,
                  const std::function<void(v1::Participant&)>& change) {
  v1::Participant participant;
  ASSERT_TRUE(participant.ParseFromString(directory.entries(1).payload()));
  change(participant);
  *directory.mutable_entries(1) =
      crypto::Sign(authority.directory.key, kParticipantPayload, Encode(participant));
}

v1::ParticipantKey KeyEntry(const crypto::PrivateKey& key) {
  v1::ParticipantKey entry;
  entry.set_key_id(key.id());
  entry.set_purpose(v1::KEY_PURPOSE_SIGNING);
  entry.set_algorithm(key.algorithm());
  entry.set_public_key(key.public_key().der());
  entry.mutable_valid_from();
  return entry;
}

INSTANTIATE_TEST_SUITE_P(
    Directories, TamperedDirectoryTest,
    ::testing::Values(
        Tampering{"OtherFederation", [](auto& d, auto&) { d.set_federation("other.example"); }},
        Tampering{"ChangedEntry",
                  [](auto& d, auto&) { d.mutable_entries(1)->mutable_payload()->back() ^= 1; }},
        Tampering{"EntryOfAnotherKey",
                  [](auto& d, auto& a) {
                    *d.mutable_entries(1) =
                        crypto::Sign(a.token, kParticipantPayload, d.entries(1).payload());
                  }},
        Tampering{"EntryOfAnotherType",
                  [](auto& d, auto& a) {
                    *d.mutable_entries(1) =
                        crypto::Sign(a.directory.key, kDirectoryPayload, d.entries(1).payload());
                  }},
        Tampering{"MemberTwice", [](auto& d, auto&) { *d.add_entries() = d.entries(0); }},
        Tampering{"LabelTwice",
                  [](auto& d, auto& a) { ReplaceEntry(d, a, [](auto& p) { p.set_label("maker"); }); }},
        Tampering{"BadDid",
                  [](auto& d, auto& a) { ReplaceEntry(d, a, [](auto& p) { p.set_did("did:web:"); }); }},
        Tampering{"BadLabel",
                  [](auto& d, auto& a) { ReplaceEntry(d, a, [](auto& p) { p.set_label("../x"); }); }},
        Tampering{"KeyIdOfAnotherKey",
                  [](auto& d, auto& a) {
                    ReplaceEntry(d, a, [&](auto& p) {
                      *p.add_keys() = KeyEntry(a.token);
                      p.mutable_keys(0)->set_key_id(a.approval.id());
                    });
                  }},
        Tampering{"KeyTwice",
                  [](auto& d, auto& a) {
                    ReplaceEntry(d, a, [&](auto& p) { *p.add_keys() = *p.add_keys() = KeyEntry(a.token); });
                  }},
        Tampering{
            "LogKeyForSigning",
            [](auto& d, auto& a) { ReplaceEntry(d, a, [&](auto& p) { *p.add_keys() = KeyEntry(a.log); }); }}),
    [](const auto& test) { return test.param.name; });

class BundleTest : public TrustTest {
 protected:
  static void List(const CertifiedKey& ca, v1::AnchorKind kind, v1::TrustBundle& bundle) {
    v1::TrustAnchor& anchor = *bundle.add_anchors();
    anchor.set_certificate(ca.certificate.der);
    anchor.set_kind(kind);
    *anchor.mutable_valid_from() = ToProto(absl::FromUnixSeconds(0));
  }
  v1::TrustBundle Bundle(uint64_t version) {
    v1::TrustBundle bundle;
    bundle.set_version(version);
    bundle.set_federation(kFederation);
    *bundle.mutable_issued_at() = ToProto(clock_.Now());
    List(authority_.root, v1::ANCHOR_KIND_ROOT, bundle);
    List(authority_.issuing, v1::ANCHOR_KIND_ISSUING, bundle);
    return bundle;
  }
  static v1::SignedTrustBundle SignedBundle(const v1::TrustBundle& bundle,
                                            const std::vector<const CertifiedKey*>& roots) {
    v1::SignedTrustBundle result;
    result.set_bundle(Encode(bundle));
    for (const CertifiedKey* root : roots) {
      *result.add_signatures() = crypto::Sign(root->key, kTrustBundlePayload, result.bundle());
      result.mutable_signatures()->rbegin()->clear_payload();
    }
    return result;
  }

  testing::TempDir keys_;
  const CertifiedKey next_ = LoadOrMakeRoot(keys_.path(), kFederation, 2, clock_.Now()).value();
};

TEST_F(BundleTest, StartsWithThePinnedRootAlone) {
  EXPECT_EQ(trust_.View()->bundle->version, 0u);
  EXPECT_EQ(trust_.RootsPem(), crypto::ToPem(authority_.root.certificate));
}

TEST_F(BundleTest, TakesARootOnTheWordOfOneThatCounts) {
  v1::TrustBundle bundle = Bundle(1);
  List(next_, v1::ANCHOR_KIND_ROOT, bundle);

  EXPECT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&next_})),
              StatusIs(kUnauthenticated, HasSubstr("new invitation")));
  EXPECT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&next_, &authority_.root})), IsOk());
  EXPECT_EQ(trust_.RootsPem(), crypto::ToPem(authority_.root.certificate) + crypto::ToPem(next_.certificate));
  bundle.set_version(2);
  EXPECT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&next_})), IsOk());
}

TEST_F(BundleTest, NeverGoesBackToALowerVersion) {
  ASSERT_THAT(trust_.AcceptBundle(SignedBundle(Bundle(3), {&authority_.root})), IsOk());

  EXPECT_THAT(trust_.AcceptBundle(SignedBundle(Bundle(2), {&authority_.root})), StatusIs(kAborted));
  EXPECT_THAT(trust_.AcceptBundle(SignedBundle(Bundle(3), {&authority_.root})), IsOk());
}

TEST_F(BundleTest, ARetiredRootVouchesForNothing) {
  v1::TrustBundle bundle = Bundle(1);
  List(next_, v1::ANCHOR_KIND_ROOT, bundle);
  *bundle.mutable_anchors(0)->mutable_valid_until() = ToProto(clock_.Now() + absl::Hours(1));
  ASSERT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&authority_.root})), IsOk());
  bundle.set_version(2);

  clock_.Advance(absl::Hours(1));

  EXPECT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&authority_.root})), StatusIs(kUnauthenticated));
  EXPECT_THAT(trust_.AcceptDirectory(Signed(Directory(1, {}))), StatusIs(kUnauthenticated));
  EXPECT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&next_})), IsOk());
}

TEST_F(BundleTest, ARemovedRootNeitherVouchesNorComesBack) {
  v1::TrustBundle bundle = Bundle(1);
  List(next_, v1::ANCHOR_KIND_ROOT, bundle);
  ASSERT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&authority_.root})), IsOk());
  bundle.set_version(2);
  bundle.mutable_anchors(0)->set_removed(true);
  // Nobody follows a key that is declared stolen, not even away from it.
  EXPECT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&authority_.root})), StatusIs(kUnauthenticated));
  ASSERT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&next_})), IsOk());
  EXPECT_EQ(trust_.RootsPem(), crypto::ToPem(next_.certificate));

  bundle.set_version(3);
  EXPECT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&authority_.root})), StatusIs(kUnauthenticated));
  bundle.mutable_anchors(0)->set_removed(false);
  EXPECT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&next_})),
              StatusIs(kUnauthenticated, HasSubstr("takes the removal of a CA back")));
}

TEST_F(BundleTest, AKeptBundleIsTakenOverWithoutThePinnedRoot) {
  v1::TrustBundle bundle = Bundle(7);
  List(next_, v1::ANCHOR_KIND_ROOT, bundle);
  bundle.mutable_anchors(0)->set_removed(true);

  EXPECT_THAT(trust_.RestoreBundle(SignedBundle(bundle, {})), StatusIs(kUnauthenticated));
  EXPECT_THAT(trust_.RestoreBundle(SignedBundle(bundle, {&next_})), IsOk());
  EXPECT_EQ(trust_.View()->bundle->version, 7u);
}

struct BundleTampering {
  const char* name;
  std::function<void(v1::TrustBundle&, const Authority&)> change;
};

class TamperedBundleTest : public BundleTest, public ::testing::WithParamInterface<BundleTampering> {};

TEST_P(TamperedBundleTest, IsRefusedAndTheOldOneStays) {
  v1::TrustBundle bundle = Bundle(1);
  ASSERT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&authority_.root})), IsOk());
  bundle.set_version(2);
  GetParam().change(bundle, authority_);

  EXPECT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&authority_.root})), StatusIs(kUnauthenticated));
  EXPECT_EQ(trust_.View()->bundle->version, 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Bundles, TamperedBundleTest,
    ::testing::Values(
        BundleTampering{"OtherFederation", [](auto& b, auto&) { b.set_federation("other.example"); }},
        BundleTampering{"NoAnchors", [](auto& b, auto&) { b.clear_anchors(); }},
        BundleTampering{"NoCertificate", [](auto& b, auto&) { b.mutable_anchors(1)->set_certificate("x"); }},
        BundleTampering{"NoKind", [](auto& b, auto&) { b.mutable_anchors(1)->clear_kind(); }},
        BundleTampering{"NoStart", [](auto& b, auto&) { b.mutable_anchors(1)->clear_valid_from(); }},
        BundleTampering{"AnchorTwice", [](auto& b, auto&) { *b.add_anchors() = b.anchors(1); }},
        BundleTampering{"IssuingWithoutItsRoot",
                        [](auto& b, auto&) { b.mutable_anchors()->SwapElements(0, 1); }},
        BundleTampering{"IssuingAsRoot",
                        [](auto& b, auto&) { b.mutable_anchors(1)->set_kind(v1::ANCHOR_KIND_ROOT); }},
        BundleTampering{
            "NoCa",
            [](auto& b, auto& a) { b.mutable_anchors(1)->set_certificate(a.directory.certificate.der); }},
        BundleTampering{"NoRootThatCounts",
                        [](auto& b, auto&) {
                          *b.mutable_anchors(0)->mutable_valid_until() = ToProto(absl::FromUnixSeconds(1));
                        }}),
    [](const auto& test) { return test.param.name; });

TEST_F(BundleTest, NoCertificateCountsUnderARemovedRoot) {
  v1::TrustBundle bundle = Bundle(1);
  List(next_, v1::ANCHOR_KIND_ROOT, bundle);
  const auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const crypto::Certificate leaf = IssueProcessCertificate(authority_, {kFederation, "maker", "node"},
                                                           key.public_key(), clock_.Now(), absl::Hours(1))
                                       .value();
  ASSERT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&authority_.root})), IsOk());
  EXPECT_THAT(CountsUntil(leaf, *trust_.View()->bundle, clock_.Now()), IsOk());
  bundle.set_version(2);
  bundle.mutable_anchors(0)->set_removed(true);  // the issuing CA is not marked

  ASSERT_THAT(trust_.AcceptBundle(SignedBundle(bundle, {&next_})), IsOk());

  EXPECT_THAT(CountsUntil(leaf, *trust_.View()->bundle, clock_.Now()), StatusIs(kUnauthenticated));
}

TEST_F(BundleTest, RefusesMoreSignaturesOrBytesThanAFederationHas) {
  v1::SignedTrustBundle bundle = SignedBundle(Bundle(1), {&authority_.root});
  while (bundle.signatures_size() < 65) *bundle.add_signatures() = bundle.signatures(0);
  EXPECT_THAT(trust_.AcceptBundle(bundle), StatusIs(kUnauthenticated, HasSubstr("64 signatures")));

  bundle = SignedBundle(Bundle(1), {&authority_.root});
  bundle.mutable_bundle()->resize(kMaxBundleBytes + 1);
  EXPECT_THAT(trust_.AcceptBundle(bundle), StatusIs(kUnauthenticated, HasSubstr("1 MiB")));
}

TEST_F(BundleTest, RefusesASignatureOverOtherBytes) {
  v1::SignedTrustBundle bundle = SignedBundle(Bundle(1), {&authority_.root});
  bundle.set_bundle(Encode(Bundle(2)));
  EXPECT_THAT(trust_.AcceptBundle(bundle), StatusIs(kUnauthenticated));

  bundle = SignedBundle(Bundle(1), {&authority_.root});
  bundle.mutable_signatures(0)->set_payload_type(std::string(kDirectoryPayload));
  EXPECT_THAT(trust_.AcceptBundle(bundle), StatusIs(kUnauthenticated));
}

TEST_F(TrustTest, NamesTheSuccessorsOfWhoHasLeftInTheirOrder) {
  v1::Participant maker = Member("maker");
  maker.set_state(v1::PARTICIPANT_STATE_LEFT);
  maker.set_successor(RegistrarForTest::DidOf("second"));
  v1::Participant second = Member("second");
  second.set_state(v1::PARTICIPANT_STATE_LEFT);
  second.set_successor(RegistrarForTest::DidOf("third"));
  v1::Participant third = Member("third");  // is there, and says beforehand who would follow it
  third.set_state(v1::PARTICIPANT_STATE_ACTIVE);
  third.set_successor(RegistrarForTest::DidOf("oem"));
  ASSERT_THAT(trust_.AcceptDirectory(Signed(Directory(1, {maker, second, third, Member("oem")}))), IsOk());

  const auto view = trust_.View();
  EXPECT_THAT(view->SuccessorsOf(maker.did()), ElementsAre(second.did(), third.did()));
  EXPECT_THAT(view->SuccessorsOf(third.did()), IsEmpty());
  EXPECT_THAT(view->SuccessorsOf("did:web:elsewhere.example"), IsEmpty());
}

TEST_F(TrustTest, KnowsWhoIsSuspended) {
  ASSERT_THAT(trust_.AcceptStatusList(Status(1, clock_.Now())), IsOk());

  EXPECT_TRUE(trust_.View()->IsSuspended(RegistrarForTest::DidOf("late")));
  EXPECT_FALSE(trust_.View()->IsSuspended(RegistrarForTest::DidOf("maker")));
}

TEST_F(TrustTest, NeverGoesBackToALowerStatusVersion) {
  ASSERT_THAT(trust_.AcceptStatusList(Status(5, clock_.Now())), IsOk());

  EXPECT_THAT(trust_.AcceptStatusList(Status(4, clock_.Now())), StatusIs(kAborted));
}

TEST_F(TrustTest, RefusesAStatusListOfAnotherFederation) {
  EXPECT_THAT(trust_.AcceptStatusList(Status(1, clock_.Now(), "other.example")),
              StatusIs(kUnauthenticated, HasSubstr("other.example")));
}

TEST_F(TrustTest, RefusesAStatusListFromTheFutureBeyondTheClockSkew) {
  EXPECT_THAT(trust_.AcceptStatusList(Status(1, clock_.Now() + absl::Seconds(59))), IsOk());
  EXPECT_THAT(trust_.AcceptStatusList(Status(2, clock_.Now() + absl::Seconds(61))),
              StatusIs(kUnauthenticated, HasSubstr("clock")));
}

TEST_F(TrustTest, TellsTheAgeOfTheStatusList) {
  EXPECT_EQ(trust_.StatusAge(), absl::InfiniteDuration());

  ASSERT_THAT(trust_.AcceptStatusList(Status(1, clock_.Now())), IsOk());
  clock_.Advance(absl::Minutes(7));

  EXPECT_EQ(trust_.StatusAge(), absl::Minutes(7));
}

TEST_F(TrustTest, KeysCountFromTheirStartUntilTheirEnd) {
  v1::Participant member = Member("maker");
  *member.add_keys() = KeyEntry(authority_.token);
  *member.mutable_keys(0)->mutable_valid_from() = ToProto(absl::FromUnixSeconds(1000));
  *member.mutable_keys(0)->mutable_valid_until() = ToProto(absl::FromUnixSeconds(2000));
  ASSERT_THAT(trust_.AcceptDirectory(Signed(Directory(1, {member}))), IsOk());
  const auto party = trust_.View()->Find("maker").value();
  const std::string& id = authority_.token.id();

  EXPECT_THAT(party->KeyCountsAt(id, absl::FromUnixSeconds(999)), StatusIs(kFailedPrecondition));
  EXPECT_THAT(party->KeyCountsAt(id, absl::FromUnixSeconds(1000)), IsOk());
  EXPECT_THAT(party->KeyCountsAt(id, absl::FromUnixSeconds(1999)), IsOk());
  EXPECT_THAT(party->KeyCountsAt(id, absl::FromUnixSeconds(2000)), StatusIs(kFailedPrecondition));
  EXPECT_THAT(party->KeyCountsAt("0", absl::FromUnixSeconds(1000)), StatusIs(kNotFound));
  EXPECT_THAT(party->FindKey(id, v1::KEY_PURPOSE_SIGNING), IsOk());
  EXPECT_THAT(party->FindKey(id, v1::KEY_PURPOSE_LOG), StatusIs(kNotFound));
}

}  // namespace
}  // namespace tsunagi::identity
