// The fetcher against real servers on loopback.
#include "services/http/egress.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/crypto/certificate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/http/server.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::http {
namespace {

using ::testing::HasSubstr;
using tsunagi::testing::IsOkAndHolds;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;
using crypto::Certificate;
using crypto::PrivateKey;

constexpr char kHost[] = "publisher.example";
constexpr size_t kMebibyte = 1 << 20;

class EgressTest : public ::testing::Test {
 protected:
  EgressTest() {
    crypto::CertificateTemplate root;
    root.name = "root";
    root.not_before = absl::Now() - absl::Hours(1);
    root.not_after = absl::Now() + absl::Hours(1);
    root.is_ca = true;
    const Certificate authority =
        crypto::IssueCertificate(root, root_key_.public_key(), root_key_, std::nullopt).value();
    crypto::CertificateTemplate edge = root;
    edge.is_ca = false;
    edge.server_auth = true;
    edge.dns_names = {kHost};
    edge.ip_addresses = {"127.0.0.1"};
    const PrivateKey key = NewKey();
    HttpsServerOptions server;
    server.listen = "127.0.0.1:0";
    server.key_pem = key.ToPem();
    server.certificate_pem =
        crypto::ToPem(crypto::IssueCertificate(edge, key.public_key(), root_key_, authority).value());
    server_ =
        HttpsServer::Start(server, [this](const HttpRequest& request) { return Answer(request); }).value();
    options_.root_pem = crypto::ToPem(authority);
    options_.allowed_addresses = {"127.0.0.1"};
    options_.resolve = [this](const std::string& host) -> absl::StatusOr<std::vector<std::string>> {
      ++resolved_;
      EXPECT_EQ(host, kHost);
      return addresses_;
    };
  }
  ~EgressTest() override {
    release_.set_value();
    server_.reset();
  }

  static PrivateKey NewKey() { return PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256); }

  HttpResponse Answer(const HttpRequest& request) {
    ++served_;
    if (request.method == "POST")
      return {201, "text/plain", request.body + std::string(request.Header("x-extra")), {}};
    if (request.target == "/moved") return {302, "text/plain", "", {{"location", "/document"}}};
    if (request.target == "/document") return {200, "application/json", "{}", {}};
    if (request.target == "/full") return {200, "text/plain", std::string(kMebibyte, 'x'), {}};
    if (request.target == "/oversized") return {200, "text/plain", std::string(kMebibyte + 1, 'x'), {}};
    if (request.target == "/slow") released_.wait();
    return {request.target == "/broken" ? 500 : 404, "text/plain", "", {}};
  }

  absl::StatusOr<std::string> Get(const std::string& path, const std::string& host = kHost) {
    return FetchDocument(absl::StrCat("https://", host, ":", server_->port(), path), options_);
  }

  const PrivateKey root_key_ = NewKey();
  std::promise<void> release_;
  const std::shared_future<void> released_ = release_.get_future().share();
  std::atomic<int> served_ = 0;
  std::vector<std::string> addresses_ = {"127.0.0.1"};
  int resolved_ = 0;
  EgressOptions options_;
  std::unique_ptr<HttpsServer> server_;
};

TEST_F(EgressTest, FetchesADocumentFromTheAddressThatItLookedAt) {
  EXPECT_THAT(Get("/document"), IsOkAndHolds("{}"));
  EXPECT_EQ(resolved_, 1);
  EXPECT_THAT(Get("/document", "127.0.0.1"), IsOkAndHolds("{}"));
  EXPECT_EQ(resolved_, 1);
}

TEST_F(EgressTest, FollowsNoRedirect) {
  EXPECT_THAT(Get("/moved"), StatusIs(kFailedPrecondition, HasSubstr("redirects are not followed")));
  EXPECT_EQ(served_, 1);
}

TEST_F(EgressTest, PostsAFormOnTheSameTerms) {
  const std::string url = absl::StrCat("https://", kHost, ":", server_->port(), "/document");

  const auto answer = PostForm(url, {{"x-extra", "!"}}, "a=b", options_);
  ASSERT_THAT(answer, testing::IsOk());
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "a=b!");

  options_.allowed_addresses.clear();
  EXPECT_THAT(PostForm(url, {}, "a=b", options_), StatusIs(kPermissionDenied, HasSubstr("not public")));
  EXPECT_THAT(PostForm("http://publisher.example/", {}, "a=b", options_), StatusIs(kInvalidArgument));
  EXPECT_EQ(served_, 1);
}

TEST_F(EgressTest, TakesNothingButAnAnswerOf200) {
  EXPECT_THAT(Get("/none"), StatusIs(kNotFound));
  EXPECT_THAT(Get("/broken"), StatusIs(kFailedPrecondition, HasSubstr("500")));
}

TEST_F(EgressTest, TakesAtMostOneMebibyte) {
  EXPECT_EQ(Get("/full")->size(), kMebibyte);
  EXPECT_THAT(Get("/oversized"), StatusIs(kUnavailable, HasSubstr("limit")));
}

TEST_F(EgressTest, WaitsNoLongerThanItMay) {
  options_.timeout = absl::Seconds(2);

  EXPECT_THAT(Get("/slow"), StatusIs(kUnavailable));
}

TEST_F(EgressTest, RefusesEverythingButHttps) {
  EXPECT_THAT(FetchDocument(absl::StrCat("http://127.0.0.1:", server_->port(), "/document"), options_),
              StatusIs(kInvalidArgument, HasSubstr("https")));
  EXPECT_EQ(served_, 0);
}

TEST_F(EgressTest, RefusesAPrivateAddressInAnUrlAndInDns) {
  options_.allowed_addresses.clear();

  EXPECT_THAT(Get("/document", "127.0.0.1"), StatusIs(kPermissionDenied, HasSubstr("not public")));
  EXPECT_THAT(Get("/document"), StatusIs(kPermissionDenied, HasSubstr("not public")));
  EXPECT_EQ(served_, 0);
}

TEST_F(EgressTest, RefusesAHostOfWhichOneAddressIsPrivate) {
  addresses_ = {"127.0.0.1", "10.0.0.1"};

  EXPECT_THAT(Get("/document"), StatusIs(kPermissionDenied, HasSubstr("10.0.0.1")));
  EXPECT_EQ(served_, 0);
}

TEST_F(EgressTest, RefusesNamesThatTheSystemKnowsAsLoopback) {
  options_.resolve = ResolveWithSystem;
  options_.allowed_addresses.clear();

  EXPECT_THAT(Get("/document", "localhost"), StatusIs(kPermissionDenied, HasSubstr("not public")));
}

TEST_F(EgressTest, TrustsOnlyTheServerThatTheUrlNames) {
  options_.resolve = [](const std::string&) { return std::vector<std::string>{"127.0.0.1"}; };

  EXPECT_THAT(Get("/document", "other.example"), StatusIs(kUnauthenticated));
  options_.root_pem.clear();
  EXPECT_THAT(Get("/document"), StatusIs(kUnauthenticated));
  EXPECT_EQ(served_, 0);
}

TEST(PublicAddressTest, IsGloballyReachableUnicast) {
  for (const char* address :
       {"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0",
        "192.167.255.255", "223.255.255.255", "2606:4700::1111", "2400::1", "2001:200::1"}) {
    EXPECT_TRUE(IsPublicAddress(address)) << address;
  }
}

TEST(WrittenAddressTest, IsInOneSpelling) {
  for (const char* text : {"10.0.0.7", "127.0.0.1", "::1", "fd00::7"})
    EXPECT_TRUE(IsWrittenAddress(text)) << text;
  for (const char* text :
       {"", "10.0.0", "10.0.0.07", "10.0.0.7 ", "::0001", "FD00::7", "[::1]", "tsa.example"}) {
    EXPECT_FALSE(IsWrittenAddress(text)) << text;
  }
}

TEST(PublicAddressTest, IsNothingElse) {
  for (const char* address : {"0.0.0.0",
                              "10.255.255.255",
                              "100.64.0.1",
                              "127.0.0.1",
                              "127.255.255.254",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.8",
                              "192.0.2.1",
                              "192.88.99.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "198.51.100.1",
                              "203.0.113.1",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:8.8.8.8",
                              "::ffff:127.0.0.1",
                              "::127.0.0.1",
                              "64:ff9b::7f00:1",
                              "64:ff9b:1::1",
                              "100::1",
                              "2001::1",
                              "2001:10::1",
                              "2001:20::1",
                              "2001:1ff:ffff::1",
                              "2001:db8::1",
                              "2002:7f00:1::",
                              "3fff::1",
                              "4000::1",
                              "fc00::1",
                              "fd00::1",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1",
                              "",
                              "localhost",
                              "8.8.8",
                              "08.8.8.8"}) {
    EXPECT_FALSE(IsPublicAddress(address)) << address;
  }
}

}  // namespace
}  // namespace tsunagi::http
