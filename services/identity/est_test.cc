// EST over real HTTPS on loopback: our client, curl and openssl against our server.
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/http/est_client.h"
#include "services/identity/edge_for_test.h"
#include "services/identity/est_request.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

class EstTest : public EdgeForTest {
 protected:
  std::string Request(absl::string_view label = "maker", absl::string_view process = "node") {
    return RegistrarForTest::RequestFor(key_, label, process);
  }
  absl::StatusOr<std::vector<crypto::Certificate>> Enroll(const std::string& code) {
    return http::SimpleEnroll(url_, {root_}, "maker", code, Request());
  }
};

TEST_F(EstTest, ANewcomerFetchesTheRootThatItsInvitationNames) {
  EXPECT_EQ(http::FetchRoot(url_, ToHex(root_.sha256))->der, root_.der);
  EXPECT_THAT(http::FetchRoot(url_, std::string(64, '0')), StatusIs(kUnauthenticated));
}

TEST_F(EstTest, ANewcomerEnrolsAndGetsItsChain) {
  const auto chain = Enroll(registrar_.Invite("maker"));

  ASSERT_THAT(chain, IsOk());
  ASSERT_EQ(chain->size(), 2u);
  EXPECT_EQ(chain->front().public_key.id(), key_.id());
  EXPECT_THAT(crypto::VerifyChain(*chain, root_, absl::Now()), IsOk());
}

TEST_F(EstTest, AMemberRenewsOverItsCertificate) {
  const auto chain = Enroll(registrar_.Invite("maker")).value();

  const auto renewed = http::SimpleReenroll(url_, {root_}, key_, chain, Request());

  ASSERT_THAT(renewed, IsOk());
  EXPECT_NE(renewed->front().der, chain.front().der);
  EXPECT_EQ(renewed->front().uris, chain.front().uris);
}

TEST_F(EstTest, AnExpiredCertificateStillRenewsAfter29DaysAndNotAfter31) {
  // The registrar's clock goes on; the handshake does not look at the client certificate's time.
  const auto chain = Enroll(registrar_.Invite("maker")).value();
  registrar_.clock.Set(chain.front().not_after + absl::Hours(24 * 29));
  http::HttpsCall call;
  call.method = "POST";
  call.url = url_ + "/.well-known/est/simplereenroll";
  call.root_pem = crypto::ToPem(root_);
  call.key_pem = key_.ToPem();
  call.certificate_pem = crypto::ToPem(chain.front());
  call.content_type = "application/pkcs10";
  call.body = ToBase64(Request());

  EXPECT_EQ(http::Fetch(call)->status, 200);
  registrar_.clock.Set(chain.front().not_after + absl::Hours(24 * 31));
  EXPECT_EQ(http::Fetch(call)->status, 401);
}

TEST_F(EstTest, AReallyExpiredCertificatePassesTheHandshakeAndIsRenewed) {
  auto certificate =
      IssueProcessCertificate(registrar_.authority, {kFederation, "maker", "node"}, key_.public_key(),
                              absl::Now() - absl::Minutes(2), absl::Minutes(1))
          .value();

  EXPECT_THAT(http::SimpleReenroll(url_, {root_}, key_, {certificate}, Request()), IsOk());
}

TEST_F(EstTest, RefusesAWrongCode) {
  EXPECT_THAT(Enroll("WRONG"), StatusIs(kUnauthenticated, HasSubstr("invitation code")));
}

TEST_F(EstTest, ThrottlesGuessing) {
  for (int i = 0; i < Throttle::kMaxFailures; ++i) EXPECT_THAT(Enroll("WRONG"), StatusIs(kUnauthenticated));

  EXPECT_THAT(Enroll("WRONG"), StatusIs(kResourceExhausted));
}

TEST_F(EstTest, RefusesNamesOfAnother) {
  EXPECT_THAT(http::SimpleEnroll(url_, {root_}, "maker", registrar_.Invite("maker"), Request("other")),
              StatusIs(kInvalidArgument, HasSubstr("maker")));
}

TEST_F(EstTest, RefusesARenewalWithoutCertificate) {
  http::HttpsCall call;
  call.method = "POST";
  call.url = url_ + "/.well-known/est/simplereenroll";
  call.root_pem = crypto::ToPem(root_);
  call.content_type = "application/pkcs10";
  call.body = ToBase64(Request());

  const auto response = http::Fetch(call);

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->status, 401);
}

TEST_F(EstTest, ServesNothingElse) {
  http::HttpsCall call;
  call.root_pem = crypto::ToPem(root_);
  for (const char* path :
       {"/", "/.well-known/est/", "/.well-known/est/simpleenroll", "/.well-known/est/cacerts/x"}) {
    call.url = url_ + path;
    EXPECT_EQ(http::Fetch(call)->status, 404) << path;
  }
}

// The public tools, with their files in a folder of their own.
class ToolsTest : public EstTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kCurl) || !std::filesystem::exists(kOpenssl))
      GTEST_SKIP() << "no curl or openssl";
    ASSERT_THAT(WriteFileAtomically(File("root.crt"), crypto::ToPem(root_), 0600), IsOk());
    ASSERT_THAT(WriteFileAtomically(File("key.pem"), key_.ToPem(), 0600), IsOk());
    const std::string names = absl::StrCat("subjectAltName=URI:", ProcessUri("node", "maker", kFederation),
                                           ",DNS:", ProcessDnsName("node", "maker", kFederation));
    ASSERT_TRUE(RunProgram({kOpenssl, "req", "-new", "-key", File("key.pem"), "-subj", "/CN=maker", "-addext",
                            names, "-outform", "DER", "-out", File("request.der")}));
    ASSERT_TRUE(RunProgram({kOpenssl, "base64", "-in", File("request.der"), "-out", File("request.b64")}));
  }

  std::string File(absl::string_view name) const { return folder_.File(name); }

  // Asks for certificates with curl and unpacks them with openssl into the file `out`.
  bool Fetch(const std::string& operation, const std::vector<std::string>& options, const std::string& out) {
    std::vector<std::string> curl = {kCurl,
                                     "-sS",
                                     "--fail",
                                     "--noproxy",
                                     "*",
                                     "--cacert",
                                     File("root.crt"),
                                     "-o",
                                     File("answer.b64"),
                                     url_ + "/.well-known/est/" + operation};
    curl.insert(curl.end(), options.begin(), options.end());
    return RunProgram(curl) &&
           RunProgram({kOpenssl, "base64", "-d", "-in", File("answer.b64"), "-out", File("answer.der")}) &&
           RunProgram({kOpenssl, "pkcs7", "-inform", "DER", "-in", File("answer.der"), "-print_certs", "-out",
                       File(out)});
  }
  std::vector<std::string> Posted(const std::vector<std::string>& more) const {
    std::vector<std::string> options = {"-H", "Content-Type: application/pkcs10", "--data-binary",
                                        "@" + File("request.b64")};
    options.insert(options.end(), more.begin(), more.end());
    return options;
  }
  bool Verifies(const std::string& certificate) {
    return RunProgram(
        {kOpenssl, "verify", "-CAfile", File("root.crt"), "-untrusted", File("ca.pem"), File(certificate)});
  }

  testing::TempDir folder_;
};

TEST_F(ToolsTest, CurlAndOpensslEnrolAndRenew) {
  ASSERT_TRUE(Fetch("cacerts", {}, "ca.pem"));

  ASSERT_TRUE(Fetch("simpleenroll", Posted({"-u", "maker:" + registrar_.Invite("maker")}), "cert.pem"));
  EXPECT_TRUE(Verifies("cert.pem"));
  ASSERT_TRUE(
      Fetch("simplereenroll", Posted({"--cert", File("cert.pem"), "--key", File("key.pem")}), "renewed.pem"));
  EXPECT_TRUE(Verifies("renewed.pem"));

  const auto renewed = crypto::ParseCertificatePem(ReadFile(File("renewed.pem"), 1 << 16).value());
  ASSERT_THAT(renewed, IsOk());
  EXPECT_EQ(renewed->public_key.id(), key_.id());
}

TEST_F(ToolsTest, CurlIsRefusedWithAWrongCode) {
  EXPECT_FALSE(Fetch("simpleenroll", Posted({"-u", "maker:WRONG"}), "cert.pem"));
}

TEST(EstRequestTest, ReadsBasicCredentials) {
  const auto read = ParseBasicAuthorization("Basic " + ToBase64("maker:A:B"));

  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->user, "maker");
  EXPECT_EQ(read->password, "A:B");
  EXPECT_THAT(ParseBasicAuthorization("basic " + ToBase64("maker:A")), IsOk());
  for (const std::string& wrong :
       {std::string(), std::string("Basic"), std::string("Basic !"), "Bearer " + ToBase64("maker:A"),
        "Basic " + ToBase64("maker"), "Basic " + ToBase64(std::string(600, 'x') + ":")}) {
    EXPECT_THAT(ParseBasicAuthorization(wrong), StatusIs(kUnauthenticated)) << wrong;
  }
}

TEST(EstRequestTest, ReadsBase64InLinesAndNothingElse) {
  EXPECT_EQ(ParseEstBody("application/pkcs10", "YWJj\r\nZGVm\n").value(), "abcdef");
  EXPECT_EQ(ParseEstBody("Application/PKCS10; charset=x", "YWJj").value(), "abc");
  EXPECT_THAT(ParseEstBody("text/plain", "YWJj"),
              StatusIs(kInvalidArgument, HasSubstr("application/pkcs10")));
  for (const char* wrong : {"", "\n", "YWJ", "YW J", "YWJj=", "-----BEGIN CERTIFICATE REQUEST-----"}) {
    EXPECT_THAT(ParseEstBody("application/pkcs10", wrong), StatusIs(kInvalidArgument)) << wrong;
  }
}

}  // namespace
}  // namespace tsunagi::identity
