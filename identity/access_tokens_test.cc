#include "identity/access_tokens.h"

#include "core/base/bytes.h"
#include "core/crypto/jwt.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;
using nlohmann::json;

using Reply = absl::StatusOr<v1::IssueTokenResponse>;

class AccessTokensTest : public ::testing::Test {
 protected:
  AccessTokensTest() {
    registrar_.Register("maker");
    registrar_.Register("dealer");
  }
  // A process of the participant, with a certificate of its own.
  CertifiedProcess Process(const std::string& label, const std::string& process) {
    return {label, process, (label + "/" + process + std::string(32, '.')).substr(0, 32),
            registrar_.clock.Now() + absl::Hours(2)};
  }
  Reply Issue(const CertifiedProcess& process) {
    return WaitFor<v1::IssueTokenResponse>(
        [&](auto done) { registrar_.registrar->tokens().Issue(process, std::move(done)); });
  }
  Reply Exchange(const CertifiedProcess& actor, const std::string& token) {
    return WaitFor<v1::IssueTokenResponse>(
        [&](auto done) { registrar_.registrar->tokens().Exchange(actor, token, std::move(done)); });
  }
  TokenClaims Claims(const Reply& reply) {
    TokenVerifier verifier(registrar_.registrar->trust(), registrar_.clock);
    return verifier.Verify(reply.value().token()).value();
  }

  RegistrarForTest registrar_;
};

TEST_F(AccessTokensTest, AreBoundToTheCertificateAndEndWithIt) {
  const CertifiedProcess node = Process("maker", "node");

  const TokenClaims claims = Claims(Issue(node));

  EXPECT_EQ(claims.subject, RegistrarForTest::DidOf("maker"));
  EXPECT_EQ(claims.certificate_sha256, node.certificate_sha256);
  EXPECT_EQ(claims.expires_at, node.not_after);
  EXPECT_THAT(claims.actors, IsEmpty());
  EXPECT_THAT(registrar_.Acts(), Contains("token-issued"));
}

TEST_F(AccessTokensTest, AreNotForASuspendedParticipantOrAnUnknownOne) {
  const std::string token = Issue(Process("maker", "connector"))->token();
  ASSERT_THAT(registrar_.SetSuspended("maker", true), IsOk());

  EXPECT_THAT(Issue(Process("maker", "node")), StatusIs(kPermissionDenied, HasSubstr("suspended")));
  EXPECT_THAT(Exchange(Process("maker", "node"), token), StatusIs(kPermissionDenied, HasSubstr("suspended")));
  EXPECT_THAT(Issue(Process("nobody", "node")), StatusIs(kPermissionDenied));
}

TEST_F(AccessTokensTest, AreNotForAnExpiredCertificate) {
  CertifiedProcess node = Process("maker", "node");
  node.not_after = registrar_.clock.Now();

  EXPECT_THAT(Issue(node), StatusIs(kUnauthenticated, HasSubstr("certificate has expired")));
}

TEST_F(AccessTokensTest, ExchangedKeepTheSubjectAndNameTheActor) {
  const std::string token = Issue(Process("maker", "operator"))->token();
  CertifiedProcess connector = Process("maker", "connector");
  connector.not_after += absl::Hours(1);

  const TokenClaims claims = Claims(Exchange(connector, token));

  EXPECT_EQ(claims.subject, RegistrarForTest::DidOf("maker"));
  EXPECT_EQ(claims.certificate_sha256, connector.certificate_sha256);
  EXPECT_THAT(claims.actors, ElementsAre(TokenActor{RegistrarForTest::DidOf("maker"), "connector"}));
  // The subject token ends first.
  EXPECT_EQ(claims.expires_at, registrar_.clock.Now() + absl::Hours(2));
  EXPECT_THAT(registrar_.Acts(), Contains("token-exchanged"));
}

TEST_F(AccessTokensTest, ExchangedEndWithTheActorsCertificate) {
  const std::string token = Issue(Process("maker", "operator"))->token();
  CertifiedProcess connector = Process("maker", "connector");
  connector.not_after -= absl::Hours(1);

  EXPECT_EQ(Claims(Exchange(connector, token)).expires_at, connector.not_after);
}

TEST_F(AccessTokensTest, AnotherParticipantExchangesNothing) {
  // The confused deputy: the dealer was called with the maker's token.
  const std::string token = Issue(Process("maker", "connector"))->token();

  EXPECT_THAT(Exchange(Process("dealer", "connector"), token),
              StatusIs(kInvalidArgument, HasSubstr("another participant's")));
}

TEST_F(AccessTokensTest, ExchangedNestEarlierActorsUpToABound) {
  std::string token = Issue(Process("maker", "operator"))->token();
  for (const char* process : {"connector", "catalog", "passport", "node"}) {
    token = Exchange(Process("maker", process), token)->token();
  }

  TokenVerifier verifier(registrar_.registrar->trust(), registrar_.clock);
  const std::string did = RegistrarForTest::DidOf("maker");
  EXPECT_THAT(verifier.Verify(token)->actors,
              ElementsAre(TokenActor{did, "node"}, TokenActor{did, "passport"}, TokenActor{did, "catalog"},
                          TokenActor{did, "connector"}));
  EXPECT_THAT(Exchange(Process("maker", "connector"), token),
              StatusIs(kInvalidArgument, HasSubstr("passed through 4")));
}

TEST_F(AccessTokensTest, NothingIsExchangedForATokenThatHasExpiredOrIsNone) {
  const std::string token = Issue(Process("maker", "operator"))->token();

  registrar_.clock.Advance(absl::Hours(2));
  // Within the tolerated difference between clocks the token still verifies, and yet nothing is left of its
  // life.
  EXPECT_THAT(Exchange(Process("maker", "connector"), token),
              StatusIs(kInvalidArgument, HasSubstr("subject token has expired")));
  registrar_.clock.Advance(absl::Hours(1));
  EXPECT_THAT(Exchange(Process("maker", "connector"), token), StatusIs(kInvalidArgument));
  EXPECT_THAT(Exchange(Process("maker", "connector"), "no token"), StatusIs(kInvalidArgument));
}

TEST_F(AccessTokensTest, TheVerifierRefusesAnActThatIsNone) {
  const int64_t now = absl::ToUnixSeconds(registrar_.clock.Now());
  json claims = {
      {"iss", kFederation}, {"aud", kFederation}, {"sub", RegistrarForTest::DidOf("maker")},
      {"iat", now},         {"exp", now + 60},    {"cnf", {{"x5t#S256", ToBase64Url(std::string(32, 'c'))}}}};
  TokenVerifier verifier(registrar_.registrar->trust(), registrar_.clock);
  const json deep =
      json::parse(R"({"sub":"a","process":"a","act":{"sub":"b","process":"b","act":{"sub":"c","process":"c",)"
                  R"("act":{"sub":"d","process":"d","act":{"sub":"e","process":"e"}}}}})");
  for (const json& act : {json("text"), json::object(), json{{"sub", 1}, {"process", "node"}}, deep}) {
    claims["act"] = act;
    const std::string token = crypto::SignJwt(registrar_.authority.token, kTokenType, claims.dump()).value();
    EXPECT_THAT(verifier.Verify(token), StatusIs(kUnauthenticated)) << act;
  }
}

}  // namespace
}  // namespace tsunagi::identity
