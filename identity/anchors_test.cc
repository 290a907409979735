#include "identity/anchors.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/escaping.h"
#include "core/base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/entries.h"
#include "identity/registrar_for_test.h"
#include "identity/token.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

constexpr absl::Time kStart = absl::FromUnixSeconds(1795219200);

// A registrar with key files of its own, and a process that follows it from the pinned root.
class AnchorsTest : public ::testing::Test {
 protected:
  AnchorsTest()
      : authority_(LoadOrCreateAuthority(keys_.File("keys"), kFederation, kStart).value()),
        registrar_(kStart, authority_, keys_.File("keys")),
        process_(authority_.root.certificate, kFederation, registrar_.clock) {
    registrar_.Register("maker");
    Follow();
  }

  v1::RotateKeyRequest Request(v1::AuthorityKey key, bool put_into_use) {
    v1::RotateKeyRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_key(key);
    request.set_reason("yearly ceremony");
    request.set_put_into_use(put_into_use);
    return request;
  }
  absl::StatusOr<v1::RotateKeyResponse> Rotate(v1::AuthorityKey key, bool put_into_use = false) {
    return Anchored().Rotate(RegistrarForTest::Operator(), Request(key, put_into_use));
  }
  absl::StatusOr<v1::RemoveAuthorityResponse> Remove(const crypto::Certificate& certificate) {
    v1::RemoveAuthorityRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_certificate_sha256(ToHex(certificate.sha256));
    request.set_reason("the key was copied");
    return Anchored().Remove(RegistrarForTest::Operator(), request);
  }
  Anchors& Anchored() { return registrar_.registrar->anchors(); }
  std::shared_ptr<const Authority> InUse() const { return registrar_.in_use.Get(); }
  std::shared_ptr<const Bundle> OwnBundle() const { return registrar_.registrar->trust().View()->bundle; }

  // What a process does every few seconds.
  absl::Status TryFollow(TrustStore& process) {
    absl::Status status = process.AcceptBundle(OwnBundle()->signed_bundle);
    status.Update(process.AcceptDirectory(registrar_.Directory()));
    status.Update(process.AcceptStatusList(registrar_.StatusList()));
    return status;
  }
  void Follow() { ASSERT_THAT(TryFollow(process_), IsOk()); }

  crypto::Certificate Enrolled() {
    return registrar_
        .Enrol("maker", registrar_.Invite("maker"), RegistrarForTest::RequestFor(key_, "maker", "node"))
        .value();
  }
  absl::Status Counts(const crypto::Certificate& leaf) {
    return CountsUntil(leaf, *process_.View()->bundle, registrar_.clock.Now()).status();
  }
  absl::StatusOr<TokenClaims> VerifyToken(const std::string& token) {
    return TokenVerifier(process_, registrar_.clock).Verify(token);
  }
  std::string NewToken() {
    const Caller caller = CallerForTest::WithNotAfter(RegistrarForTest::CallerOf("maker"),
                                                      registrar_.clock.Now() + absl::Hours(100));
    return WaitFor<v1::IssueTokenResponse>(
               [&](auto done) { registrar_.registrar->tokens().Issue(ProcessOf(caller), std::move(done)); })
        ->token();
  }

  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  testing::TempDir keys_;
  const Authority authority_;
  RegistrarForTest registrar_;
  TrustStore process_;
};

TEST_F(AnchorsTest, TheFirstBundleListsRootAndIssuingCa) {
  const auto bundle = process_.View()->bundle;

  EXPECT_EQ(bundle->version, 1u);
  ASSERT_EQ(bundle->anchors.size(), 2u);
  EXPECT_EQ(bundle->anchors[0].certificate.der, authority_.root.certificate.der);
  EXPECT_EQ(bundle->anchors[1].certificate.der, authority_.issuing.certificate.der);
  EXPECT_THAT(Counts(Enrolled()), IsOk());
}

TEST_F(AnchorsTest, AnIssuingCaIsKnownBeforeItIsUsedAndTheFormerEndsWithItsLastCertificate) {
  const crypto::Certificate before = Enrolled();
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ISSUING), IsOk());
  EXPECT_EQ(InUse()->issuing.key.id(), authority_.issuing.key.id());
  Follow();

  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ISSUING, true), IsOk());
  // Whoever has not fetched the bundle since knows the new CA all the same.
  const crypto::Certificate after = Enrolled();
  EXPECT_THAT(Counts(after), IsOk());
  EXPECT_NE(InUse()->issuing.key.id(), authority_.issuing.key.id());
  Follow();

  EXPECT_THAT(Counts(before), IsOk());
  EXPECT_THAT(Counts(after), IsOk());
  registrar_.clock.Set(before.not_after);
  EXPECT_THAT(Counts(before), StatusIs(kUnauthenticated));
  EXPECT_EQ(process_.View()->bundle->anchors[1].until, before.not_after);
  EXPECT_THAT(registrar_.Acts(), ElementsAre("registered", "approved", "invited", "enrolled",
                                             "key-made-known", "key-put-into-use", "invited", "enrolled"));
}

TEST_F(AnchorsTest, ARootTakesItsIssuingCaAndTheListsWithIt) {
  const crypto::Certificate before = Enrolled();
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ROOT), IsOk());
  Follow();
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ROOT, true), IsOk());

  Follow();

  EXPECT_THAT(Counts(before), IsOk());
  EXPECT_THAT(Counts(Enrolled()), IsOk());
  EXPECT_THAT(process_.View()->Find("maker"), IsOk());
  registrar_.clock.Advance(absl::Hours(169));
  EXPECT_EQ(process_.View()->bundle->RootsAt(registrar_.clock.Now()).size(), 1u);
  TrustStore late(InUse()->root.certificate, kFederation, registrar_.clock);
  EXPECT_THAT(TryFollow(late), IsOk());  // who knows only the new root looks back
  EXPECT_THAT(late.View()->Find("maker"), IsOk());
}

TEST_F(AnchorsTest, WhoWasAwayDuringTheWholeRollFollowsFromTheOldRoot) {
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ROOT), IsOk());
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ROOT, true), IsOk());
  registrar_.clock.Advance(absl::Hours(1000));

  Follow();

  EXPECT_EQ(process_.View()->bundle->version, 3u);
}

TEST_F(AnchorsTest, EachStepIsRefusedOutOfOrder) {
  for (const v1::AuthorityKey key : {v1::AUTHORITY_KEY_ROOT, v1::AUTHORITY_KEY_ISSUING}) {
    EXPECT_THAT(Rotate(key, true), StatusIs(kFailedPrecondition, HasSubstr("without put_into_use first")));
    ASSERT_THAT(Rotate(key), IsOk());
    EXPECT_THAT(Rotate(key), StatusIs(kFailedPrecondition, HasSubstr("known already")));
  }
  EXPECT_THAT(Rotate(v1::AUTHORITY_KEY_TOKEN, true), StatusIs(kInvalidArgument, HasSubstr("at once")));
  EXPECT_THAT(Rotate(v1::AUTHORITY_KEY_UNSPECIFIED), StatusIs(kInvalidArgument));
}

TEST_F(AnchorsTest, DirectoryAndStatusKeysChangeAtOnceAndTheFormerOnesSignNothingNew) {
  const v1::SignedDirectory old_directory = registrar_.Directory();
  const std::shared_ptr<const Authority> former = InUse();
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_DIRECTORY), IsOk());
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_STATUS), IsOk());
  EXPECT_NE(InUse()->directory.key.id(), former->directory.key.id());
  EXPECT_NE(InUse()->status.key.id(), former->status.key.id());
  Follow();
  EXPECT_THAT(process_.View()->Find("maker"), IsOk());

  v1::Directory forged;
  forged.set_version(1000);
  forged.set_federation(kFederation);
  *forged.mutable_issued_at() = ToProto(registrar_.clock.Now());
  v1::SignedDirectory signed_directory;
  *signed_directory.mutable_directory() =
      crypto::Sign(former->directory.key, kDirectoryPayload, Encode(forged));
  signed_directory.add_chain(former->directory.certificate.der);
  v1::StatusList list;
  list.set_version(1000);
  list.set_federation(kFederation);
  *list.mutable_issued_at() = ToProto(registrar_.clock.Now());
  v1::SignedStatusList signed_list;
  *signed_list.mutable_status_list() = crypto::Sign(former->status.key, kStatusListPayload, Encode(list));
  signed_list.add_chain(former->status.certificate.der);

  // The clock has not moved since the first certificates: a rotation in the same second is no later.
  registrar_.clock.Advance(absl::Hours(1));
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_DIRECTORY), IsOk());
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_STATUS), IsOk());
  Follow();
  EXPECT_THAT(process_.AcceptDirectory(signed_directory), StatusIs(kUnauthenticated, HasSubstr("replaced")));
  EXPECT_THAT(process_.AcceptStatusList(signed_list), StatusIs(kUnauthenticated, HasSubstr("replaced")));
}

TEST_F(AnchorsTest, TokensOfTheFormerKeyVerifyUntilTheyExpire) {
  const std::string before = NewToken();
  const std::string former = InUse()->token.id();
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_TOKEN), IsOk());
  EXPECT_THAT(VerifyToken(NewToken()), IsOk());  // not yet by the new key: nobody knows it
  EXPECT_THAT(Rotate(v1::AUTHORITY_KEY_TOKEN), StatusIs(kFailedPrecondition, HasSubstr("rotate after that")));
  registrar_.clock.Advance(Anchors::kTokenLead);
  Follow();

  const std::string after = NewToken();

  EXPECT_THAT(VerifyToken(before), IsOk());
  EXPECT_THAT(VerifyToken(after), IsOk());
  EXPECT_NE(InUse()->TokenKeyAt(registrar_.clock.Now()).id(), former);
  // The former key, in other hands, after its end.
  registrar_.clock.Advance(absl::Hours(24) + kClockSkew);
  const TokenClaims claims = {RegistrarForTest::DidOf("maker"),
                              std::string(32, '#'),
                              registrar_.clock.Now(),
                              registrar_.clock.Now() + absl::Hours(1),
                              {}};
  const std::string forged = IssueToken(authority_.token, kFederation, claims).value();
  EXPECT_THAT(VerifyToken(forged), StatusIs(kUnauthenticated, HasSubstr("does not count any more")));
}

TEST_F(AnchorsTest, TheOnlyRootAndTheOnlyIssuingCaAreNotRemoved) {
  EXPECT_THAT(Remove(authority_.root.certificate),
              StatusIs(kFailedPrecondition, HasSubstr("rotate `root` first")));
  EXPECT_THAT(Remove(authority_.issuing.certificate),
              StatusIs(kFailedPrecondition, HasSubstr("rotate `issuing` first")));
  EXPECT_THAT(Remove(Enrolled()), StatusIs(kNotFound, HasSubstr("authority list")));
}

TEST_F(AnchorsTest, ARemovedIssuingCaCountsAtNoTimeAndTheNextOneIsUsed) {
  const crypto::Certificate before = Enrolled();
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ISSUING), IsOk());

  ASSERT_THAT(Remove(authority_.issuing.certificate), IsOk());
  Follow();

  EXPECT_THAT(Counts(before), StatusIs(kUnauthenticated, HasSubstr("no issuing CA that counts")));
  EXPECT_THAT(Counts(Enrolled()), IsOk());
  EXPECT_THAT(registrar_.Renew(before, RegistrarForTest::RequestFor(key_, "maker", "node")),
              StatusIs(kUnauthenticated));
  EXPECT_THAT(Remove(authority_.issuing.certificate), StatusIs(kFailedPrecondition, HasSubstr("before")));
}

TEST_F(AnchorsTest, ARemovedRootTakesEverythingUnderItAlong) {
  const crypto::Certificate before = Enrolled();
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ROOT), IsOk());
  Follow();
  const v1::SignedDirectory under_removed = registrar_.Directory();

  ASSERT_THAT(Remove(authority_.root.certificate), IsOk());
  ASSERT_THAT(process_.AcceptBundle(OwnBundle()->signed_bundle), IsOk());

  EXPECT_TRUE(process_.View()->bundle->anchors[1].removed);  // its issuing CA
  EXPECT_EQ(process_.View()->directory_version, 0u);         // a thief's, as far as anyone knows
  EXPECT_EQ(process_.StatusAge(), absl::InfiniteDuration());
  EXPECT_THAT(process_.AcceptDirectory(under_removed), StatusIs(kUnauthenticated));
  Follow();
  EXPECT_THAT(process_.View()->Find("maker"), IsOk());
  EXPECT_THAT(Counts(before), StatusIs(kUnauthenticated));
  EXPECT_THAT(Counts(Enrolled()), IsOk());
  TrustStore stranger(authority_.root.certificate, kFederation, registrar_.clock);
  EXPECT_THAT(TryFollow(stranger), StatusIs(kUnauthenticated, HasSubstr("new invitation")));
}

TEST_F(AnchorsTest, TheSameRequestIsDoneOnce) {
  const v1::RotateKeyRequest request = Request(v1::AUTHORITY_KEY_ISSUING, false);
  const auto first = Anchored().Rotate(RegistrarForTest::Operator(), request);
  ASSERT_THAT(first, IsOk());

  const auto second = Anchored().Rotate(RegistrarForTest::Operator(), request);

  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->key_id(), first->key_id());
  EXPECT_EQ(OwnBundle()->anchors.size(), 3u);
}

TEST_F(AnchorsTest, ARestartGoesOnWithTheKeysThatAreInUse) {
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ROOT), IsOk());
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ROOT, true), IsOk());
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_TOKEN), IsOk());
  const auto before = InUse();

  registrar_.Restart();

  EXPECT_EQ(InUse()->root.key.id(), before->root.key.id());
  EXPECT_EQ(InUse()->issuing.key.id(), before->issuing.key.id());
  EXPECT_EQ(InUse()->directory.key.id(), before->directory.key.id());
  EXPECT_EQ(InUse()->TokenKeyAt(kStart).id(), authority_.token.id());
  EXPECT_EQ(InUse()->TokenKeyAt(kStart + Anchors::kTokenLead).id(), before->token.id());
  Follow();
}

TEST_F(AnchorsTest, AKeyFileThatACrashLeftBehindIsUsed) {
  const std::string keys = keys_.File("keys");
  const CertifiedKey left =
      LoadOrMakeIssuing(keys, kFederation, 2, authority_.root, registrar_.clock.Now()).value();

  registrar_.Restart();  // before the commit: nothing has changed
  EXPECT_EQ(InUse()->issuing.key.id(), authority_.issuing.key.id());
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ISSUING), IsOk());
  EXPECT_EQ(OwnBundle()->anchors.back().certificate.der, left.certificate.der);
}

TEST_F(AnchorsTest, ARetiredRootsKeyMayLieInASafe) {
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ROOT), IsOk());
  ASSERT_THAT(Rotate(v1::AUTHORITY_KEY_ROOT, true), IsOk());
  Follow();
  std::filesystem::remove(keys_.File("keys/root.key"));

  EXPECT_THAT(Rotate(v1::AUTHORITY_KEY_ISSUING), IsOk());
  Follow();
}

// A participant's signing keys over the years.
class SigningKeyTest : public ::testing::Test {
 protected:
  SigningKeyTest() {
    registrar_.Register("maker");
    List(first_);
  }
  void List(const crypto::PrivateKey& key) {
    v1::ListKeysRequest request;
    RegistrarForTest::AddKey(key, v1::KEY_PURPOSE_SIGNING, "", RegistrarForTest::DidOf("maker"), request);
    ASSERT_THAT(registrar_.ListKeys(RegistrarForTest::CallerOf("maker"), request), IsOk());
  }
  absl::StatusOr<v1::EndKeyResponse> End(const std::string& participant, const std::string& key_id,
                                         std::optional<absl::Time> since = std::nullopt) {
    v1::EndKeyRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_participant(participant);
    request.set_key_id(key_id);
    request.set_reason("the laptop was stolen");
    if (since.has_value()) *request.mutable_end_time() = ToProto(*since);
    return WaitFor<v1::EndKeyResponse>([&](auto done) {
      registrar_.registrar->keys().EndKey(RegistrarForTest::Operator(), request, std::move(done));
    });
  }
  absl::Status Counts(const crypto::PrivateKey& key, absl::Time at) {
    return registrar_.registrar->trust().View()->Find("maker").value()->KeyCountsAt(key.id(), at);
  }

  RegistrarForTest registrar_;
  const crypto::PrivateKey first_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const crypto::PrivateKey next_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
};

TEST_F(SigningKeyTest, ANewOneEndsTheFormerAfterADayInWhichWhatItSignedIsDated) {
  const absl::Time now = registrar_.clock.Now();

  List(next_);

  EXPECT_THAT(Counts(next_, now), IsOk());
  EXPECT_THAT(Counts(first_, now + absl::Hours(24) - absl::Seconds(1)), IsOk());
  EXPECT_THAT(Counts(first_, now + absl::Hours(24)), StatusIs(kFailedPrecondition));
}

TEST_F(SigningKeyTest, ALostOneEndsWhenItWasLost) {
  const absl::Time listed = registrar_.clock.Now();
  registrar_.clock.Advance(absl::Hours(48));

  ASSERT_THAT(End("maker", first_.id(), listed + absl::Hours(1)), IsOk());

  EXPECT_THAT(Counts(first_, listed + absl::Minutes(59)), IsOk());
  EXPECT_THAT(Counts(first_, listed + absl::Hours(1)), StatusIs(kFailedPrecondition));
  EXPECT_THAT(End("maker", first_.id()), StatusIs(kFailedPrecondition, HasSubstr("already")));
  EXPECT_EQ(registrar_.Acts().back(), "key-ended");
}

TEST_F(SigningKeyTest, NoOtherKeyIsEndedNorAtAnotherTime) {
  const absl::Time now = registrar_.clock.Now();

  EXPECT_THAT(End("maker", next_.id()), StatusIs(kNotFound, HasSubstr("lists no key")));
  EXPECT_THAT(End("nobody", first_.id()), StatusIs(kNotFound));
  EXPECT_THAT(End("maker", first_.id(), now + absl::Hours(1)), StatusIs(kInvalidArgument, HasSubstr("past")));
  EXPECT_THAT(End("maker", first_.id(), now - absl::Hours(1)),
              StatusIs(kInvalidArgument, HasSubstr("began")));
  EXPECT_THAT(End("registrar", registrar_.authority.token.id()),
              StatusIs(kFailedPrecondition, HasSubstr("authority rotate")));
}

}  // namespace
}  // namespace tsunagi::identity
