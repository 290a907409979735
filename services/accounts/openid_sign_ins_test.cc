// Sign-ins against a provider that the test plays, so that it can do everything wrong. A real one: tests/e2e.
#include "services/accounts/openid_sign_ins.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/crypto/certificate.h"
#include "core/crypto/jwk.h"
#include "core/crypto/jwt.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/people/people_for_test.h"
#include "services/http/form.h"
#include "services/http/server.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::people {
namespace {

using Json = nlohmann::json;
using absl::StatusCode;
using crypto::PrivateKey;
using testing::HasSubstr;
using testing::IsOk;
using testing::Not;
using testing::StatusIs;

constexpr char kClient[] = "tsunagi node";
constexpr char kSecret[] = "a secret/of the client";
constexpr char kSubject[] = "248289761001";

PrivateKey NewKey() { return PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256); }

http::HttpResponse Answer(const Json& json, int status = 200) {
  return {status, "application/json", json.dump(), {}};
}

// A provider that does what the test says.
class Provider {
 public:
  explicit Provider(const Clock& clock) : clock_(clock) {
    crypto::CertificateTemplate root;
    root.name = "root of the provider";
    root.not_before = absl::Now() - absl::Hours(1);
    root.not_after = absl::Now() + absl::Hours(1);
    root.is_ca = true;
    const PrivateKey root_key = NewKey();
    const auto authority =
        crypto::IssueCertificate(root, root_key.public_key(), root_key, std::nullopt).value();
    crypto::CertificateTemplate edge = root;
    edge.is_ca = false;
    edge.server_auth = true;
    edge.ip_addresses = {"127.0.0.1"};
    const PrivateKey tls = NewKey();
    http::HttpsServerOptions options;
    options.listen = "127.0.0.1:0";
    options.key_pem = tls.ToPem();
    options.certificate_pem =
        crypto::ToPem(crypto::IssueCertificate(edge, tls.public_key(), root_key, authority).value());
    root_pem = crypto::ToPem(authority);
    server_ = http::HttpsServer::Start(options, [this](const http::HttpRequest& request) {
                return Serve(request);
              }).value();
    issuer = absl::StrCat("https://127.0.0.1:", server_->port());
    discovery = {{"issuer", issuer},
                 {"authorization_endpoint", issuer + "/auth?tenant=oem"},
                 {"token_endpoint", issuer + "/token"},
                 {"jwks_uri", issuer + "/jwks"},
                 {"response_types_supported", {"code"}},
                 {"id_token_signing_alg_values_supported", {"ES256"}}};
  }

  // Has the person sign in at the page; returns the code.
  std::string Authorize(const std::string& url) {
    const std::string page = issuer + "/auth?";
    EXPECT_TRUE(absl::StartsWith(url, page)) << url;
    asked = http::ParseForm("application/x-www-form-urlencoded", url.substr(page.size())).value();
    claims = {{"iss", issuer},
              {"sub", kSubject},
              {"aud", asked["client_id"]},
              {"nonce", asked["nonce"]},
              {"exp", absl::ToUnixSeconds(clock_.Now() + absl::Minutes(5))},
              {"iat", absl::ToUnixSeconds(clock_.Now())}};
    return "the code";
  }

  std::string issuer;
  std::string root_pem;
  PrivateKey key = NewKey();
  std::string kid = "first";
  // What it publishes, and what it says of the next person.
  Json discovery;
  http::Form asked;     // by the authorization URL
  http::Form redeemed;  // at the token endpoint
  std::string authorization;
  Json claims;
  std::function<http::HttpResponse()> token_answer;  // instead of a token
  std::function<http::HttpResponse()> keys_answer;
  int keys_asked = 0;
  int redeemed_times = 0;

 private:
  http::HttpResponse Serve(const http::HttpRequest& request) {
    if (request.target == "/.well-known/openid-configuration") return Answer(discovery);
    if (request.target == "/jwks") {
      ++keys_asked;
      if (keys_answer) return keys_answer();
      Json jwk = crypto::PublicJwk(key.public_key());
      jwk["kid"] = kid;
      return Answer({{"keys", {jwk}}});
    }
    if (request.target != "/token") return {404, "text/plain", "", {}};
    ++redeemed_times;
    redeemed = http::ParseForm(request.Header("content-type"), request.body).value();
    authorization = std::string(request.Header("authorization"));
    if (token_answer) return token_answer();
    return Answer({{"token_type", "Bearer"},
                   {"access_token", "not for us"},
                   {"id_token", crypto::SignJwt(key, "JWT", claims.dump(), kid).value()}});
  }

  const Clock& clock_;
  std::unique_ptr<http::HttpsServer> server_;
};

class OpenIdSignInsTest : public ::testing::Test {
 protected:
  OpenIdSignInsTest() {
    Write("root.pem", provider_.root_pem, 0644);
    Write("secret", absl::StrCat(kSecret, "\n"), 0600);
    config_.set_issuer(provider_.issuer);
    config_.set_client_id(kClient);
    config_.set_client_secret_file(people_.folder.File("secret"));
    config_.set_ca_file(people_.folder.File("root.pem"));
    config_.add_allowed_addresses("127.0.0.1");
    Open();
    v1::LinkAccountRequest link;
    link.set_request_id(NewUuid(people_.random));
    link.set_account(account_);
    link.set_subject(kSubject);
    EXPECT_THAT(people_.people->accounts().Link(PeopleForTest::Operator(account_), link, provider_.issuer),
                IsOk());
  }

  void Write(const std::string& name, const std::string& text, int mode) {
    EXPECT_THAT(WriteFileAtomically(people_.folder.File(name), text, mode), IsOk());
  }
  void Open() {
    sign_ins_ = OpenIdSignIns::Open(config_, *people_.people, people_.clock, people_.random).value();
  }

  absl::StatusOr<v1::BeginOpenIdSignInResponse> Begin(const std::string& label = "oem", int port = 49152) {
    v1::BeginOpenIdSignInRequest request;
    request.set_redirect_port(port);
    return sign_ins_->Begin(PeopleForTest::Operator("", label), request);
  }
  // From the beginning to the browser's return.
  v1::CompleteOpenIdSignInRequest Return() {
    const v1::BeginOpenIdSignInResponse begun = Begin().value();
    v1::CompleteOpenIdSignInRequest request;
    request.set_code(provider_.Authorize(begun.authorization_url()));
    request.set_handle(begun.handle());
    request.set_state(begun.state());
    return request;
  }
  absl::StatusOr<v1::CompleteOpenIdSignInResponse> Complete(const v1::CompleteOpenIdSignInRequest& request,
                                                            const std::string& label = "oem") {
    return sign_ins_->Complete(PeopleForTest::Operator("", label), request);
  }
  // A sign-in in which the provider is as the test left it, after every wait is over.
  absl::StatusOr<v1::CompleteOpenIdSignInResponse> SignIn() {
    people_.clock.Advance(absl::Minutes(15));
    return Complete(Return());
  }
  absl::StatusOr<v1::CompleteOpenIdSignInResponse> SignInWithClaim(const std::string& name,
                                                                   const Json& value) {
    people_.clock.Advance(absl::Minutes(15));
    const v1::CompleteOpenIdSignInRequest request = Return();
    provider_.claims[name] = value;
    return Complete(request);
  }

  PeopleForTest people_;
  const std::string account_ = people_.Create("Sato", kAdministrator);
  Provider provider_{people_.clock};
  internal::v1::OpenIdProvider config_;
  std::unique_ptr<OpenIdSignIns> sign_ins_;
};

TEST_F(OpenIdSignInsTest, OpenASession) {
  const v1::CompleteOpenIdSignInRequest request = Return();
  EXPECT_EQ(provider_.asked["response_type"], "code");
  EXPECT_EQ(provider_.asked["scope"], "openid");
  EXPECT_EQ(provider_.asked["client_id"], kClient);
  EXPECT_EQ(provider_.asked["redirect_uri"], "http://127.0.0.1:49152/callback");
  EXPECT_EQ(provider_.asked["state"], request.state());
  EXPECT_EQ(provider_.asked["tenant"], "oem");

  const auto response = Complete(request);

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->account(), account_);
  EXPECT_EQ(response->role(), kAdministrator);
  EXPECT_THAT(people_.sessions->Use(response->session(), PeopleForTest::Operator().certificate_sha256()),
              IsOk());
  EXPECT_EQ(provider_.redeemed["grant_type"], "authorization_code");
  EXPECT_EQ(provider_.redeemed["code"], "the code");
  EXPECT_EQ(provider_.redeemed["redirect_uri"], provider_.asked["redirect_uri"]);
}

TEST_F(OpenIdSignInsTest, ProveByPkceThatTheyBegan) {
  ASSERT_THAT(SignIn(), IsOk());

  EXPECT_EQ(provider_.asked["code_challenge_method"], "S256");
  EXPECT_EQ(provider_.redeemed["code_verifier"].size(), 43);
  EXPECT_EQ(provider_.asked["code_challenge"],
            ToBase64Url(crypto::Sha256(provider_.redeemed["code_verifier"])));
}

TEST_F(OpenIdSignInsTest, MakeEverythingAnew) {
  const v1::CompleteOpenIdSignInRequest first = Return();
  const http::Form before = provider_.asked;
  people_.clock.Advance(absl::Seconds(2));
  const v1::CompleteOpenIdSignInRequest second = Return();

  EXPECT_NE(first.handle(), second.handle());
  for (const char* name : {"state", "nonce", "code_challenge"})
    EXPECT_NE(before.at(name), provider_.asked[name]);
}

TEST_F(OpenIdSignInsTest, ShowTheSecretAsTheProviderTakesIt) {
  ASSERT_THAT(SignIn(), IsOk());
  EXPECT_EQ(provider_.authorization,
            absl::StrCat("Basic ", ToBase64("tsunagi%20node:a%20secret%2Fof%20the%20client")));
  EXPECT_FALSE(provider_.redeemed.contains("client_secret"));

  provider_.discovery["token_endpoint_auth_methods_supported"] = Json::array({"client_secret_post"});
  ASSERT_THAT(SignIn(), IsOk());
  EXPECT_EQ(provider_.authorization, "");
  EXPECT_EQ(provider_.redeemed["client_secret"], kSecret);

  config_.clear_client_secret_file();
  Open();
  ASSERT_THAT(SignIn(), IsOk());
  EXPECT_FALSE(provider_.redeemed.contains("client_secret"));
  EXPECT_EQ(provider_.redeemed["client_id"], kClient);
}

TEST_F(OpenIdSignInsTest, CountOnceAndForTheCertificateThatBegan) {
  const v1::CompleteOpenIdSignInRequest request = Return();

  EXPECT_THAT(Complete(request, "thief"), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_EQ(provider_.redeemed_times, 0);
  ASSERT_THAT(Complete(request), IsOk());
  EXPECT_THAT(Complete(request), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_EQ(provider_.redeemed_times, 1);
}

TEST_F(OpenIdSignInsTest, WaitTenMinutes) {
  const v1::CompleteOpenIdSignInRequest request = Return();
  people_.clock.Advance(absl::Minutes(10));

  EXPECT_THAT(Complete(request), StatusIs(StatusCode::kUnauthenticated, HasSubstr("begin again")));
  EXPECT_EQ(provider_.redeemed_times, 0);
}

TEST_F(OpenIdSignInsTest, RefuseAnotherStateForGood) {
  v1::CompleteOpenIdSignInRequest request = Return();
  const std::string right = request.state();
  request.set_state(std::string(right.size(), 'A'));

  EXPECT_THAT(Complete(request), StatusIs(StatusCode::kUnauthenticated, HasSubstr("state")));
  request.set_state(right);
  EXPECT_THAT(Complete(request), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_EQ(provider_.redeemed_times, 0);
}

TEST_F(OpenIdSignInsTest, RefuseAnIdTokenThatProvesNothing) {
  EXPECT_THAT(SignInWithClaim("iss", "https://thief.example"),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("iss")));
  EXPECT_THAT(SignInWithClaim("aud", "another"), StatusIs(StatusCode::kUnauthenticated, HasSubstr("aud")));
  EXPECT_THAT(SignInWithClaim("nonce", "kept from before"),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("nonce")));
  EXPECT_THAT(SignInWithClaim("exp", 1), StatusIs(StatusCode::kUnauthenticated, HasSubstr("exp")));
  const int64_t before = absl::ToUnixSeconds(people_.clock.Now());
  EXPECT_THAT(SignInWithClaim("iat", before),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("iat is before")));
}

TEST_F(OpenIdSignInsTest, RefuseWhoeverIsNotLinked) {
  const absl::Status refused = SignInWithClaim("sub", "nobody").status();

  EXPECT_THAT(refused, StatusIs(StatusCode::kUnauthenticated, HasSubstr("ask an administrator")));
  EXPECT_THAT(people_.Acts().back(), " openid-refused  ");
}

TEST_F(OpenIdSignInsTest, NamePersonsByTheConfiguredClaim) {
  config_.set_account_claim("email");
  config_.add_scopes("email");
  Open();
  v1::CompleteOpenIdSignInRequest request = Return();
  EXPECT_EQ(provider_.asked["scope"], "openid email");
  provider_.claims["email"] = kSubject;

  EXPECT_THAT(Complete(request), StatusIs(StatusCode::kUnauthenticated, HasSubstr("email_verified")));

  people_.clock.Advance(absl::Seconds(10));
  request = Return();
  provider_.claims["sub"] = "another";
  provider_.claims["email"] = kSubject;
  provider_.claims["email_verified"] = true;
  EXPECT_THAT(Complete(request), IsOk());
}

TEST_F(OpenIdSignInsTest, FollowTheProvidersKeys) {
  ASSERT_THAT(Complete(Return()), IsOk());
  ASSERT_THAT(Complete(Return()), IsOk());
  EXPECT_EQ(provider_.keys_asked, 1);

  provider_.key = NewKey();
  provider_.kid = "second";
  people_.clock.Advance(absl::Minutes(1));
  EXPECT_THAT(Complete(Return()), IsOk());
  EXPECT_EQ(provider_.keys_asked, 2);
}

TEST_F(OpenIdSignInsTest, AskForUnknownKeysAtMostOnceAMinute) {
  ASSERT_THAT(Complete(Return()), IsOk());
  provider_.keys_answer = [&] {
    Json jwk = crypto::PublicJwk(NewKey().public_key());
    jwk["kid"] = "first";
    return Answer({{"keys", {jwk}}});
  };
  provider_.kid = "nowhere";

  EXPECT_THAT(Complete(Return()), StatusIs(StatusCode::kUnauthenticated, HasSubstr("kid")));
  EXPECT_EQ(provider_.keys_asked, 1);
  people_.clock.Advance(absl::Minutes(1));
  EXPECT_THAT(Complete(Return()), StatusIs(StatusCode::kUnauthenticated, HasSubstr("kid")));
  people_.clock.Advance(absl::Seconds(30));
  EXPECT_THAT(Complete(Return()), StatusIs(StatusCode::kUnauthenticated, HasSubstr("kid")));
  EXPECT_EQ(provider_.keys_asked, 2);
}

TEST_F(OpenIdSignInsTest, ForgetKeysThatTheProviderDropped) {
  ASSERT_THAT(Complete(Return()), IsOk());
  const PrivateKey dropped = provider_.key;
  const PrivateKey next = NewKey();
  provider_.keys_answer = [&] {
    Json jwk = crypto::PublicJwk(next.public_key());
    jwk["kid"] = "first";
    return Answer({{"keys", {jwk}}});
  };

  people_.clock.Advance(absl::Minutes(10));
  EXPECT_THAT(Complete(Return()), StatusIs(StatusCode::kUnauthenticated, HasSubstr("signature is wrong")));
  provider_.key = next;
  people_.clock.Advance(absl::Seconds(10));
  EXPECT_THAT(Complete(Return()), IsOk());
}

TEST_F(OpenIdSignInsTest, TellWhatTheTokenEndpointSays) {
  provider_.token_answer = [] { return Answer({{"error", "invalid_grant"}}, 400); };
  EXPECT_THAT(SignIn(), StatusIs(StatusCode::kUnauthenticated, HasSubstr("`invalid_grant`")));
  provider_.token_answer = [] { return Answer({{"error", "invalid_client"}}, 401); };
  EXPECT_THAT(SignIn(), StatusIs(StatusCode::kUnauthenticated, HasSubstr("`invalid_client`")));
  provider_.token_answer = [] { return Answer({}, 503); };
  EXPECT_THAT(SignIn(), StatusIs(StatusCode::kUnavailable, HasSubstr("503")));
  provider_.token_answer = [] {
    return http::HttpResponse{302, "", "", {{"location", "https://thief.example/"}}};
  };
  EXPECT_THAT(SignIn(), StatusIs(StatusCode::kUnavailable, HasSubstr("302")));
  provider_.token_answer = [] { return Answer({{"token_type", "Bearer"}}); };
  EXPECT_THAT(SignIn(), StatusIs(StatusCode::kUnauthenticated, HasSubstr("id_token")));
}

TEST_F(OpenIdSignInsTest, HearNoOtherProvider) {
  v1::CompleteOpenIdSignInRequest request = Return();
  request.set_issuer("https://thief.example");
  EXPECT_THAT(Complete(request), StatusIs(StatusCode::kUnauthenticated, HasSubstr("another provider")));

  provider_.discovery["authorization_response_iss_parameter_supported"] = true;
  people_.clock.Advance(absl::Minutes(10));
  EXPECT_THAT(Complete(Return()), StatusIs(StatusCode::kUnauthenticated, HasSubstr("another provider")));
  people_.clock.Advance(absl::Seconds(10));
  request = Return();
  request.set_issuer(provider_.issuer);
  EXPECT_THAT(Complete(request), IsOk());
  EXPECT_EQ(provider_.redeemed_times, 1);
}

TEST_F(OpenIdSignInsTest, GoNowhereElseThanConfigured) {
  config_.clear_allowed_addresses();
  Open();
  EXPECT_THAT(Begin(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("not public")));

  config_.add_allowed_addresses("127.0.0.1");
  config_.clear_ca_file();
  Open();
  EXPECT_THAT(Begin(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("not trusted")));

  config_.set_ca_file(people_.folder.File("root.pem"));
  for (const char* name : {"token_endpoint", "jwks_uri"}) {
    const Json right = provider_.discovery[name];
    provider_.discovery[name] = absl::StrCat("https://127.0.0.2:1/", name);
    Open();
    EXPECT_THAT(SignIn(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("127.0.0.2"))) << name;
    provider_.discovery[name] = "https://user@127.0.0.1/";
    Open();
    EXPECT_THAT(Begin("another"), StatusIs(StatusCode::kFailedPrecondition)) << name;
    people_.clock.Advance(absl::Minutes(15));
    provider_.discovery[name] = right;
  }
  provider_.discovery["issuer"] = "https://thief.example";
  Open();
  EXPECT_THAT(Begin(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("another `issuer`")));
}

TEST_F(OpenIdSignInsTest, MakeACertificateWaitThatNeverComesToASession) {
  ASSERT_THAT(Begin(), IsOk());
  EXPECT_THAT(Begin(), StatusIs(StatusCode::kResourceExhausted));
  EXPECT_THAT(Begin("another"), IsOk());
  people_.clock.Advance(absl::Seconds(1));
  ASSERT_THAT(Complete(Return()), IsOk());
  EXPECT_THAT(Begin(), IsOk());
}

TEST_F(OpenIdSignInsTest, LeaveALeafForWhatIsRefused) {
  v1::CompleteOpenIdSignInRequest request = Return();
  request.set_state("another");
  ASSERT_THAT(Complete(request), Not(IsOk()));
  const size_t acts = people_.Acts().size();
  EXPECT_EQ(people_.Acts().back(), " openid-refused  ");

  // Nothing waits: whoever guesses handles fills no log.
  ASSERT_THAT(Complete(request), Not(IsOk()));
  EXPECT_EQ(people_.Acts().size(), acts);
}

TEST_F(OpenIdSignInsTest, LogNoCodeTokenSecretOrPerson) {
  ::testing::internal::CaptureStderr();
  ASSERT_THAT(SignInWithClaim("aud", "another"), Not(IsOk()));
  ASSERT_THAT(SignInWithClaim("sub", "hanako@oem.example"), Not(IsOk()));
  const std::string log = ::testing::internal::GetCapturedStderr();

  EXPECT_THAT(log, HasSubstr("aud"));
  for (const std::string& hidden : {std::string("the code"), std::string(kSecret), std::string(kSubject),
                                    std::string("hanako"), provider_.redeemed["code_verifier"]}) {
    EXPECT_THAT(log, Not(HasSubstr(hidden)));
  }
}

TEST_F(OpenIdSignInsTest, RefusePortsAndCodesThatAreNone) {
  for (const int port : {0, -1, 65536}) {
    EXPECT_THAT(Begin("oem", port), StatusIs(StatusCode::kInvalidArgument, HasSubstr("redirect_port")));
  }
  v1::CompleteOpenIdSignInRequest request = Return();
  for (const std::string& code : {std::string(), std::string(4097, 'x')}) {
    request.set_code(code);
    EXPECT_THAT(Complete(request), StatusIs(StatusCode::kInvalidArgument, HasSubstr("code")));
  }
}

TEST_F(OpenIdSignInsTest, AreNotThereWithoutProvider) {
  config_.Clear();
  Open();

  EXPECT_EQ(sign_ins_->issuer(), "");
  EXPECT_THAT(Begin(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("openid_provider")));
  EXPECT_THAT(Complete({}), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("openid_provider")));
}

TEST_F(OpenIdSignInsTest, DoNotStartWithFilesThatAreNotGood) {
  const auto open = [&] {
    return OpenIdSignIns::Open(config_, *people_.people, people_.clock, people_.random).status();
  };
  Write("secret", kSecret, 0644);
  EXPECT_THAT(open(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("secret")));
  Write("secret", "\n", 0600);
  EXPECT_THAT(open(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("holds no secret")));
  Write("secret", kSecret, 0600);
  Write("root.pem", "none", 0644);
  EXPECT_THAT(open(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("root.pem")));
  config_.set_ca_file(people_.folder.File("missing"));
  EXPECT_THAT(open(), StatusIs(StatusCode::kNotFound, HasSubstr("missing")));
}

}  // namespace
}  // namespace tsunagi::people
