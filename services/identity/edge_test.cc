// The HTTPS edge beside EST: routes, OAuth, keys, DID documents.
#include "services/identity/edge.h"

#include "core/crypto/jwt.h"
#include "gmock/gmock.h"
#include "identity/public_documents.h"
#include "nlohmann/json.hpp"
#include "services/identity/edge_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tsunagi::testing::IsOk;

class EdgeTest : public EdgeForTest {
 protected:
  struct Token {
    int status;
    json body;
  };
  Token Ask(const std::string& form, const crypto::Certificate* certificate,
            const http::Headers& headers = {}) const {
    http::HttpsCall call = CallOf("POST", "/oauth/token", certificate);
    call.content_type = "application/x-www-form-urlencoded";
    call.body = form;
    call.headers = headers;
    const http::HttpResponse response = http::Fetch(call).value();
    return {response.status, json::parse(response.body)};
  }
  void ExpectError(const Token& token, int status, const std::string& error, const std::string& why) {
    EXPECT_EQ(token.status, status) << token.body;
    EXPECT_EQ(token.body.value("error", ""), error);
    EXPECT_THAT(token.body.value("error_description", ""), HasSubstr(why));
    EXPECT_FALSE(token.body.contains("access_token"));
  }

  const crypto::Certificate node_ = CertificateOf("maker");
};

TEST_F(EdgeTest, ServesExactPathsAndMethodsOnly) {
  for (const char* path :
       {"/", "/oauth", "/oauth/token/", "/oauth/token?x=1", "/OAuth/token", "/oauth/jwks/1", "/.well-known/",
        "/.well-known/est", "/participants/maker", "/participants/did.json", "/participants/maker/x/did.json",
        "/participants/../did.json", "//oauth/jwks"}) {
    EXPECT_EQ(Get(path, &node_).status, 404) << path;
  }
  EXPECT_EQ(Get("/oauth/token", &node_).status, 405);
  for (const char* path :
       {"/oauth/jwks", "/.well-known/oauth-authorization-server", "/participants/maker/did.json"}) {
    EXPECT_EQ(http::Fetch(CallOf("POST", path))->status, 405) << path;
    EXPECT_EQ(Get(path).status, 200) << path;
  }
}

TEST_F(EdgeTest, GivesAProcessTheTokenOfItsCertificate) {
  const Token token =
      Ask("grant_type=client_credentials&client_id=" + RegistrarForTest::DidOf("maker"), &node_);

  ASSERT_EQ(token.status, 200) << token.body;
  EXPECT_EQ(token.body["token_type"], "Bearer");
  EXPECT_GT(token.body["expires_in"].get<int>(), 3500);
  EXPECT_LE(token.body["expires_in"].get<int>(), 3600);
  TokenVerifier verifier(registrar_.registrar->trust(), registrar_.clock);
  const auto claims = verifier.Verify(token.body["access_token"].get<std::string>());
  ASSERT_THAT(claims, IsOk());
  EXPECT_EQ(claims->subject, RegistrarForTest::DidOf("maker"));
  EXPECT_EQ(claims->certificate_sha256, node_.sha256);
}

TEST_F(EdgeTest, GivesNoTokenWithoutACertificateOfTheFederation) {
  const std::string form = "grant_type=client_credentials";
  const testing::TempDir folder;
  const Authority other = LoadOrCreateAuthority(folder.path(), kFederation, absl::Now()).value();
  const auto issue = [&](const Authority& by, std::vector<std::string> uris,
                         std::vector<std::string> dns_names,
                         absl::Time not_after = absl::Now() + absl::Hours(1)) {
    crypto::CertificateTemplate cert;
    cert.name = "test";
    cert.uris = std::move(uris);
    cert.dns_names = std::move(dns_names);
    cert.not_before = absl::Now() - absl::Hours(2);
    cert.not_after = not_after;
    return crypto::IssueCertificate(cert, key_.public_key(), by.issuing.key, by.issuing.certificate).value();
  };
  const Authority& own = registrar_.authority;
  const std::string uri = ProcessUri("node", "maker", kFederation);
  const std::string dns = ProcessDnsName("node", "maker", kFederation);
  const struct {
    crypto::Certificate certificate;
    const char* why;
  } refused[] = {
      {issue(other, {uri}, {dns}), ""},
      {issue(own, {uri}, {dns}, absl::Now() - absl::Hours(1)), "expired"},
      {issue(own, {uri, ProcessUri("node", "other", kFederation)}, {dns}), "exactly one"},
      {issue(own, {uri}, {dns, "x.example"}), "exactly one DNS name"},
      {issue(own, {ProcessUri("node", "maker", "other.example")},
             {ProcessDnsName("node", "maker", "other.example")}),
       "federation"},
  };

  ExpectError(Ask(form, nullptr), 401, "invalid_client", "show a process certificate");
  for (const auto& [certificate, why] : refused) {
    ExpectError(Ask(form, &certificate), 401, "invalid_client", why);
    EXPECT_EQ(Get("/credentials/membership", &certificate).status, 401) << why;
  }
}

TEST_F(EdgeTest, WordsWhatIsWrongAsOauthDoes) {
  const std::string good = "grant_type=client_credentials";
  ExpectError(Ask("", &node_), 400, "invalid_request", "grant_type");
  ExpectError(Ask(good + "&" + good, &node_), 400, "invalid_request", "repeated");
  ExpectError(Ask("grant_type=password", &node_), 400, "unsupported_grant_type", "client_credentials");
  ExpectError(Ask(good + "&scope=all", &node_), 400, "invalid_scope", "scope");
  ExpectError(Ask(good + "&audience=x", &node_), 400, "invalid_target", "audience");
  ExpectError(Ask(good + "&resource=x", &node_), 400, "invalid_target", "resource");
  ExpectError(Ask(good + "&client_secret=x", &node_), 400, "invalid_request", "TLS certificate");
  ExpectError(Ask(good, &node_, {{"Authorization", "Basic eDp5"}}), 400, "invalid_request",
              "TLS certificate");
  ExpectError(Ask(good + "&client_id=did:web:other.example", &node_), 401, "invalid_client", "client_id");
}

TEST_F(EdgeTest, OffersItsRosterOnlyWhenItIsToPublishIt) {
  EXPECT_EQ(Get("/.well-known/tsunagi/roster").status, 404);

  registrar_.options.publish_roster = true;
  registrar_.Restart();

  const http::HttpResponse response = Get("/.well-known/tsunagi/roster");
  ASSERT_EQ(response.status, 200);
  v1::SignedRoster roster;
  ASSERT_TRUE(roster.ParseFromString(response.body));
  TrustedFederation us;
  us.record.set_federation(kFederation);
  us.record.add_did_hosts("did.example");
  us.bundle = registrar_.registrar->trust().View()->bundle;
  const auto opened = OpenRoster(roster, us, registrar_.clock.Now());
  ASSERT_THAT(opened, IsOk());
  EXPECT_TRUE(opened->by_label.contains("maker"));
}

TEST_F(EdgeTest, ExchangesNoTokenForAnotherFederation) {
  ExpectError(
      Ask("grant_type=urn:ietf:params:oauth:grant-type:token-exchange&audience=other.example", &node_), 400,
      "invalid_target", "audience");
}

TEST_F(EdgeTest, GivesASuspendedOrUnknownParticipantNoToken) {
  ASSERT_THAT(registrar_.SetSuspended("maker", true), IsOk());
  const crypto::Certificate unknown = CertificateOf("nobody");

  ExpectError(Ask("grant_type=client_credentials", &node_), 400, "unauthorized_client", "suspended");
  ExpectError(Ask("grant_type=client_credentials", &unknown), 400, "unauthorized_client", "not registered");
}

TEST_F(EdgeTest, ExchangesATokenOfTheOwnParticipantOnly) {
  registrar_.Register("dealer");
  const std::string token = Ask("grant_type=client_credentials", &node_).body["access_token"];
  const std::string form =
      "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=" + token +
      "&subject_token_type=urn:ietf:params:oauth:token-type:access_token";
  const crypto::Certificate connector = CertificateOf("maker", "connector");
  const crypto::Certificate dealer = CertificateOf("dealer", "connector");

  const Token exchanged = Ask(form, &connector);
  ASSERT_EQ(exchanged.status, 200) << exchanged.body;
  EXPECT_EQ(exchanged.body["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
  TokenVerifier verifier(registrar_.registrar->trust(), registrar_.clock);
  const auto claims = verifier.Verify(exchanged.body["access_token"].get<std::string>());
  ASSERT_THAT(claims, IsOk());
  EXPECT_EQ(claims->certificate_sha256, connector.sha256);
  EXPECT_THAT(claims->actors, ElementsAre(TokenActor{RegistrarForTest::DidOf("maker"), "connector"}));

  ExpectError(Ask(form, &dealer), 400, "invalid_request", "another participant's");
  ExpectError(Ask(form + "&actor_token=" + token, &connector), 400, "invalid_request", "TLS certificate");
  ExpectError(Ask(form + "&requested_token_type=urn:ietf:params:oauth:token-type:saml2", &connector), 400,
              "invalid_request", "requested_token_type");
  ExpectError(
      Ask("grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=" + token, &connector),
      400, "invalid_request", "subject_token_type");
}

TEST_F(EdgeTest, DescribesItselfAsAnAuthorizationServer) {
  const http::HttpResponse response = Get("/.well-known/oauth-authorization-server");

  const json metadata = json::parse(response.body);
  const std::string base = registrar_.registrar->context().options.est_url;
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(metadata["issuer"], base);
  EXPECT_EQ(metadata["token_endpoint"], base + "/oauth/token");
  EXPECT_EQ(metadata["jwks_uri"], base + "/oauth/jwks");
  EXPECT_EQ(metadata["token_endpoint_auth_methods_supported"], json({"tls_client_auth"}));
  EXPECT_EQ(metadata["tls_client_certificate_bound_access_tokens"], true);
}

// curl as client, with its files in a folder of their own.
class CurlTest : public EdgeForTest {
 protected:
  void SetUp() override {
    if (::access(kCurl, X_OK) != 0) GTEST_SKIP() << "no curl";
    ASSERT_THAT(WriteFileAtomically(File("root.crt"), crypto::ToPem(root_), 0600), IsOk());
    ASSERT_THAT(WriteFileAtomically(File("key.pem"), key_.ToPem(), 0600), IsOk());
    ASSERT_THAT(WriteFileAtomically(File("cert.pem"), crypto::ToPem(CertificateOf("maker")), 0600), IsOk());
  }
  std::string File(absl::string_view name) const { return folder_.File(name); }

  testing::TempDir folder_;
};

TEST_F(CurlTest, GetsATokenAndTheKeyThatSignedIt) {
  ASSERT_TRUE(RunProgram({kCurl, "-sS", "--fail", "--noproxy", "*", "--cacert", File("root.crt"), "--cert",
                          File("cert.pem"), "--key", File("key.pem"), "-D", File("headers"), "-o",
                          File("token"), "-d", "grant_type=client_credentials", url_ + "/oauth/token"}));
  ASSERT_TRUE(RunProgram({kCurl, "-sS", "--fail", "--noproxy", "*", "--cacert", File("root.crt"), "-o",
                          File("jwks"), url_ + "/oauth/jwks"}));

  const std::string headers = ReadFile(File("headers"), 1 << 16).value();
  EXPECT_THAT(headers, HasSubstr("no-store"));
  const json token = json::parse(ReadFile(File("token"), 1 << 16).value());
  EXPECT_EQ(token["token_type"], "Bearer");
  EXPECT_THAT(ReadFile(File("jwks"), 1 << 16).value(), HasSubstr(registrar_.authority.token.id()));
}

TEST_F(EdgeTest, GivesCredentialsToTheirSubjectOnly) {
  EXPECT_EQ(Get("/credentials/membership").status, 401);
  EXPECT_EQ(Get("/credentials/roles").status, 401);
  const http::HttpResponse membership = Get("/credentials/membership", &node_);
  EXPECT_EQ(membership.status, 200);
  EXPECT_EQ(membership.content_type, "application/vc+jwt");
  EXPECT_EQ(Get("/credentials/roles", &node_).status, 404);
  for (const char* path : {"/credentials/status/1", "/credentials/status/2"})
    EXPECT_EQ(Get(path).status, 200);
  for (const char* path : {"/credentials/status/0", "/credentials/status/3", "/credentials"}) {
    EXPECT_EQ(Get(path).status, 404);
  }

  ASSERT_THAT(registrar_.SetSuspended("maker", true), IsOk());
  EXPECT_EQ(Get("/credentials/membership", &node_).status, 403);
}

// Public Python packages as the verifier.
class PythonTest : public EdgeTest {
 protected:
  static constexpr char kPython[] = "/usr/bin/python3";

  PythonTest() {
    v1::Participant dealer = RegistrarForTest::Named("dealer");
    dealer.add_roles("dealer");
    EXPECT_THAT(registrar_.TryRegister(dealer), IsOk());
  }
  void SetUp() override {
    if (!RunProgram({kPython, "-c", "import jwt, cryptography"})) GTEST_SKIP() << "no PyJWT or cryptography";
    const crypto::Certificate certificate = CertificateOf("dealer");
    Save("token", Ask("grant_type=client_credentials", &certificate).body["access_token"].get<std::string>());
    Save("membership.jwt", Get("/credentials/membership", &certificate).body);
    Save("roles.jwt", Get("/credentials/roles", &certificate).body);
  }
  void Save(const std::string& name, const std::string& content) {
    ASSERT_THAT(WriteFileAtomically(folder_.File(name), content, 0600), IsOk());
  }
  // What the verifier says; empty when it refuses.
  std::string Verdict() {
    Save("did.json", Get("/participants/registrar/did.json").body);
    Save("jwks.json", Get("/oauth/jwks").body);
    Save("status1.jwt", Get("/credentials/status/1").body);
    Save("status2.jwt", Get("/credentials/status/2").body);
    const std::string script = TSUNAGI_SOURCE_DIR "/services/identity/verify_credentials.py";
    const bool verified = RunProgram({"/bin/sh", "-c", R"("$0" -B "$1" "$2" "$3" >"$4")", kPython, script,
                                      folder_.path(), kFederation, folder_.File("verdict")});
    return verified ? ReadFile(folder_.File("verdict"), 100).value() : "";
  }

  testing::TempDir folder_;
};

TEST_F(PythonTest, VerifiesTokenCredentialsAndStatusLists) {
  EXPECT_EQ(Verdict(), "active\n");

  ASSERT_THAT(registrar_.SetSuspended("dealer", true), IsOk());
  EXPECT_EQ(Verdict(), "suspended\n");
}

TEST_F(PythonTest, RefusesACredentialThatAnotherKeySigned) {
  Save("membership.jwt",
       crypto::SignJwt(key_, "vc+jwt", R"({"issuer":"did:web:did.example:participants:registrar"})",
                       "did:web:did.example:participants:registrar#" + registrar_.authority.credential.id())
           .value());
  EXPECT_EQ(Verdict(), "");
}

}  // namespace
}  // namespace tsunagi::identity
