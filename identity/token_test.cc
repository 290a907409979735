#include "identity/token.h"

#include <functional>

#include "core/base/bytes.h"
#include "core/crypto/jwt.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;
using nlohmann::json;

class TokenTest : public ::testing::Test {
 protected:
  json Claims() {
    const int64_t now = absl::ToUnixSeconds(registrar_.clock.Now());
    return {{"iss", kFederation},
            {"aud", kFederation},
            {"sub", RegistrarForTest::DidOf("maker")},
            {"iat", now},
            {"exp", now + 3600},
            {"cnf", {{"x5t#S256", ToBase64Url(std::string(32, 'c'))}}}};
  }
  std::string Sign(const json& claims) {
    return crypto::SignJwt(registrar_.authority.token, kTokenType, claims.dump()).value();
  }

  // The next directory, with the registrar's entry changed.
  v1::SignedDirectory WithRegistrar(const std::function<void(v1::Participant&)>& change) {
    v1::Directory directory;
    directory.ParseFromString(registrar_.Directory().directory().payload());
    v1::Participant entry;
    entry.ParseFromString(directory.entries(0).payload());
    change(entry);
    const CertifiedKey& signer = registrar_.authority.directory;
    *directory.mutable_entries(0) = crypto::Sign(signer.key, kParticipantPayload, Encode(entry));
    directory.set_version(directory.version() + 1);
    v1::SignedDirectory signed_directory;
    *signed_directory.mutable_directory() = crypto::Sign(signer.key, kDirectoryPayload, Encode(directory));
    signed_directory.add_chain(signer.certificate.der);
    return signed_directory;
  }

  RegistrarForTest registrar_;
  TokenVerifier verifier_{registrar_.registrar->trust(), registrar_.clock};
};

TEST_F(TokenTest, IssuedTokenSaysWhatItWasIssuedFor) {
  TokenClaims claims;
  claims.subject = RegistrarForTest::DidOf("maker");
  claims.certificate_sha256 = std::string(32, 'c');
  claims.issued_at = registrar_.clock.Now();
  claims.expires_at = registrar_.clock.Now() + absl::Hours(1);

  const auto read = verifier_.Verify(IssueToken(registrar_.authority.token, kFederation, claims).value());

  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->subject, claims.subject);
  EXPECT_EQ(read->certificate_sha256, claims.certificate_sha256);
  EXPECT_EQ(read->expires_at, claims.expires_at);
}

struct Attack {
  const char* name;
  std::function<void(json&)> change;
};
class TokenAttackTest : public TokenTest, public ::testing::WithParamInterface<Attack> {};

TEST_P(TokenAttackTest, IsRefused) {
  ASSERT_THAT(verifier_.Verify(Sign(Claims())), IsOk());
  json claims = Claims();
  GetParam().change(claims);

  EXPECT_THAT(verifier_.Verify(Sign(claims)), StatusIs(kUnauthenticated, HasSubstr("token refused")));
}

INSTANTIATE_TEST_SUITE_P(
    Claims, TokenAttackTest,
    ::testing::Values(
        Attack{"WrongIssuer", [](json& c) { c["iss"] = "other.example"; }},
        Attack{"WrongAudience", [](json& c) { c["aud"] = "other.example"; }},
        Attack{"SeveralAudiences",
               [](json& c) {
                 c["aud"] = {kFederation, "other.example"};
               }},
        Attack{"NoAudience", [](json& c) { c.erase("aud"); }},
        Attack{"NoSubject", [](json& c) { c.erase("sub"); }},
        Attack{"NoConfirmation", [](json& c) { c.erase("cnf"); }},
        Attack{"EmptyConfirmation", [](json& c) { c["cnf"] = json::object(); }},
        Attack{"ConfirmationIsNoDigest", [](json& c) { c["cnf"]["x5t#S256"] = "c2hvcnQ"; }},
        Attack{"ConfirmationOfAKeyToo", [](json& c) { c["cnf"]["jwk"] = json::object(); }},
        Attack{"NoExpiry", [](json& c) { c.erase("exp"); }},
        Attack{"NoIssueTime", [](json& c) { c.erase("iat"); }},
        Attack{"ExpiryAsText", [](json& c) { c["exp"] = "4102444800"; }},
        Attack{"ExpiryWithFraction", [](json& c) { c["exp"] = c["exp"].get<double>() + 0.5; }},
        Attack{"NegativeIssueTime", [](json& c) { c["iat"] = -1; }},
        Attack{"ExpiryBeyondAllTime", [](json& c) { c["exp"] = uint64_t{1} << 63; }},
        Attack{"ExpiresBeforeItIsIssued", [](json& c) { c["exp"] = c["iat"].get<int64_t>() - 1; }},
        Attack{"LivesMoreThanADay", [](json& c) { c["exp"] = c["iat"].get<int64_t>() + 24 * 3600 + 1; }},
        Attack{"NotYetValid", [](json& c) { c["nbf"] = c["iat"].get<int64_t>() + 61; }},
        Attack{"NotBeforeAsText", [](json& c) { c["nbf"] = "0"; }}),
    [](const auto& test) { return test.param.name; });

TEST_F(TokenTest, ToleratesAClockDifferenceOf59SecondsAndNot61) {
  const json claims = Claims();
  const absl::Time issued = registrar_.clock.Now();
  const absl::Time expires = issued + absl::Hours(1);
  const struct {
    absl::Time now;
    bool passes;
  } cases[] = {{issued - absl::Seconds(59), true},
               {issued - absl::Seconds(61), false},
               {expires + absl::Seconds(59), true},
               {expires + absl::Seconds(61), false}};
  for (const auto& [now, passes] : cases) {
    registrar_.clock.Set(now);
    TokenVerifier cold(registrar_.registrar->trust(), registrar_.clock);
    EXPECT_EQ(cold.Verify(Sign(claims)).ok(), passes) << now;
  }
}

TEST_F(TokenTest, ATokenExpiresInTheCacheToo) {
  const std::string token = Sign(Claims());
  ASSERT_THAT(verifier_.Verify(token), IsOk());

  registrar_.clock.Advance(absl::Hours(1) + absl::Seconds(61));

  EXPECT_THAT(verifier_.Verify(token), StatusIs(kUnauthenticated, HasSubstr("expired")));
}

TEST_F(TokenTest, RefusesAnotherType) {
  const auto token = crypto::SignJwt(registrar_.authority.token, "JWT", Claims().dump()).value();

  EXPECT_THAT(verifier_.Verify(token), StatusIs(kUnauthenticated));
}

TEST_F(TokenTest, RefusesAKeyThatTheRegistrarDoesNotList) {
  const auto stranger = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const auto token = crypto::SignJwt(stranger, kTokenType, Claims().dump()).value();

  EXPECT_THAT(verifier_.Verify(token),
              StatusIs(kUnauthenticated, HasSubstr("not signed by a key of the registrar")));
}

TEST_F(TokenTest, RefusesAMembersOwnSigningKey) {
  registrar_.Register("maker");
  const auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  v1::ListKeysRequest request;
  RegistrarForTest::AddKey(key, v1::KEY_PURPOSE_SIGNING, "", RegistrarForTest::DidOf("maker"), request);
  ASSERT_THAT(registrar_.ListKeys(RegistrarForTest::CallerOf("maker"), request), IsOk());

  EXPECT_THAT(verifier_.Verify(crypto::SignJwt(key, kTokenType, Claims().dump()).value()),
              StatusIs(kUnauthenticated));
}

TEST_F(TokenTest, RefusesACachedTokenOnceItsKeyHasEnded) {
  TrustStore trust(registrar_.authority.root.certificate, kFederation, registrar_.clock);
  ASSERT_THAT(trust.AcceptDirectory(registrar_.Directory()), IsOk());
  TokenVerifier verifier(trust, registrar_.clock);
  const std::string token = Sign(Claims());
  ASSERT_THAT(verifier.Verify(token), IsOk());

  const v1::SignedDirectory ended = WithRegistrar([this](v1::Participant& entry) {
    for (v1::ParticipantKey& key : *entry.mutable_keys()) {
      *key.mutable_valid_until() = ToProto(registrar_.clock.Now());
    }
  });
  ASSERT_THAT(trust.AcceptDirectory(ended), IsOk());

  EXPECT_THAT(verifier.Verify(token), StatusIs(kUnauthenticated, HasSubstr("does not count")));
}

TEST_F(TokenTest, RefusesAKnownKeyThatTheRegistrarListsNoMore) {
  TrustStore trust(registrar_.authority.root.certificate, kFederation, registrar_.clock);
  ASSERT_THAT(trust.AcceptDirectory(registrar_.Directory()), IsOk());
  TokenVerifier verifier(trust, registrar_.clock);
  const std::string token = Sign(Claims());
  ASSERT_THAT(verifier.Verify(token), IsOk());

  ASSERT_THAT(trust.AcceptDirectory(WithRegistrar([](v1::Participant& entry) { entry.clear_keys(); })),
              IsOk());

  for (const std::string& one : {token, Sign(Claims())}) {
    EXPECT_THAT(verifier.Verify(one),
                StatusIs(kUnauthenticated, HasSubstr("not signed by a key of the registrar")));
  }
}

TEST_F(TokenTest, RefusesEveryTokenBeforeADirectoryIsKnown) {
  const TrustStore empty(registrar_.authority.root.certificate, kFederation, registrar_.clock);
  TokenVerifier verifier(empty, registrar_.clock);

  EXPECT_THAT(verifier.Verify(Sign(Claims())), StatusIs(kUnauthenticated));
}

TEST_F(TokenTest, NeverRepeatsTheTokenInAnError) {
  const std::string token = Sign(Claims()) + "x";

  EXPECT_EQ(verifier_.Verify(token).status().message().find(token.substr(0, 40)), absl::string_view::npos);
}

}  // namespace
}  // namespace tsunagi::identity
