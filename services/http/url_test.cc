#include "services/http/url.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

TEST(UrlTest, TakesHostPortAndPathApart) {
  const struct {
    const char* url;
    const char* host;
    const char* port;
    const char* path;
  } cases[] = {
      {"https://registrar.example", "registrar.example", "443", "/"},
      {"https://registrar.example:8443/a/b?c=d", "registrar.example", "8443", "/a/b?c=d"},
      {"https://192.0.2.1/", "192.0.2.1", "443", "/"},
      {"https://[2001:db8::1]:1/x", "2001:db8::1", "1", "/x"},
      {"https://[::1]", "::1", "443", "/"},
      {"https://xn--0.example/@x", "xn--0.example", "443", "/@x"},
  };
  for (const auto& [url, host, port, path] : cases) {
    const auto parsed = ParseHttpsUrl(url);
    ASSERT_THAT(parsed, IsOk()) << url;
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, port);
    EXPECT_EQ(parsed->path, path);
  }
}

TEST(UrlTest, RefusesOtherSchemes) {
  for (const char* url : {"http://a.example/", "HTTPS://a.example/", "ftp://a.example/", "file:///etc/passwd",
                          "//a.example/", "a.example", "", "https:a.example", "https:/a.example"}) {
    EXPECT_THAT(ParseHttpsUrl(url), StatusIs(kInvalidArgument, HasSubstr("URL"))) << url;
  }
}

TEST(UrlTest, TakesPlainHttpWhereItIsAskedFor) {
  const auto plain = ParseHttpUrl("http://stamps.example/tsa");
  ASSERT_THAT(plain, IsOk());
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->port, "80");
  EXPECT_EQ(plain->path, "/tsa");
  const auto tls = ParseHttpUrl("https://stamps.example:8443");
  ASSERT_THAT(tls, IsOk());
  EXPECT_TRUE(tls->tls);
  EXPECT_EQ(tls->port, "8443");
  for (const char* url :
       {"ftp://a.example/", "http:/a.example", "http://user@a.example/", "http://0x7f.1/"}) {
    EXPECT_THAT(ParseHttpUrl(url), StatusIs(kInvalidArgument)) << url;
  }
}

TEST(UrlTest, RefusesUserInformationWithoutRepeatingIt) {
  for (const char* url : {"https://user@a.example/", "https://user:secret@a.example/",
                          "https://a.example:443@evil.example/", "https://a.example\\@evil.example/"}) {
    EXPECT_THAT(ParseHttpsUrl(url), StatusIs(kInvalidArgument, Not(HasSubstr("secret")))) << url;
  }
}

TEST(UrlTest, RefusesNumbersThatTheSystemWouldTakeForAnAddress) {
  for (const char* host : {"2130706433", "0x7f000001", "0X7f.1", "127.1", "127.0.1", "0177.0.0.1",
                           "127.0.0.01", "127.0.0.1.", "1", "a.0x1", "a.1", "256.0.0.1", "1.2.3.4.5"}) {
    EXPECT_THAT(ParseHttpsUrl(std::string("https://") + host + "/"), StatusIs(kInvalidArgument)) << host;
  }
}

TEST(UrlTest, RefusesWhatTwoParsersMayReadDifferently) {
  for (const char* url : {"https://",
                          "https:///x",
                          "https://:443/",
                          "https://a.example:/",
                          "https://a.example:0/",
                          "https://a.example:65536/",
                          "https://a.example:+443/",
                          "https://a.example:0443/",
                          "https://a.example:443x/",
                          "https://a.example:1:2/",
                          "https://a_b.example/",
                          "https://a%2eexample/",
                          "https://a.example/#f",
                          "https://a.example/ x",
                          "https://a.example/\r\nHost:b",
                          "https://a.example/\xc3\xa9",
                          "https://[::1/",
                          "https://[::1]x/",
                          "https://[127.0.0.1]/",
                          "https://[fe80::1%25eth0]/",
                          "https://::1/",
                          "https://a?.example/",
                          "https://a.example?x"}) {
    EXPECT_THAT(ParseHttpsUrl(url), StatusIs(kInvalidArgument)) << url;
  }
  EXPECT_THAT(ParseHttpsUrl("https://a.example/" + std::string(2100, 'x')), StatusIs(kInvalidArgument));
}

}  // namespace
}  // namespace tsunagi::http
