// Server and client against each other, and the server against raw bytes.
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/crypto/certificate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/http/client.h"
#include "services/http/server.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;
using crypto::Certificate;
using crypto::PrivateKey;

struct Credential {
  PrivateKey key;
  Certificate certificate;
};

Credential Issue(const std::vector<std::string>& ips, const std::vector<std::string>& dns, bool server,
                 const Credential* issuer) {
  const PrivateKey key = PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  crypto::CertificateTemplate cert;
  cert.name = "test";
  cert.ip_addresses = ips;
  cert.dns_names = dns;
  cert.not_before = absl::Now() - absl::Hours(1);
  cert.not_after = absl::Now() + absl::Hours(1);
  cert.is_ca = issuer == nullptr;
  cert.server_auth = server;
  cert.client_auth = !server && issuer != nullptr;
  std::optional<Certificate> parent;
  if (issuer != nullptr) parent = issuer->certificate;
  return {key, crypto::IssueCertificate(cert, key.public_key(), issuer != nullptr ? issuer->key : key, parent)
                   .value()};
}

class HttpTest : public ::testing::Test {
 protected:
  HttpTest() : server_(Serve(edge_)) {}

  std::unique_ptr<HttpsServer> Serve(const Credential& edge) {
    HttpsServerOptions options;
    options.listen = "127.0.0.1:0";
    options.key_pem = edge.key.ToPem();
    options.certificate_pem = crypto::ToPem(edge.certificate);
    options.timeout = absl::Seconds(1);
    options.max_connections = 4;
    return HttpsServer::Start(
               options,
               [this](const HttpRequest& request) {
                 ++served_;
                 last_ = request;
                 return HttpResponse{200, "text/plain", absl::StrCat(request.method, " ", request.body), {}};
               })
        .value();
  }
  HttpsCall Call(const std::string& path = "/x") {
    HttpsCall call;
    call.url = absl::StrCat("https://127.0.0.1:", server_->port(), path);
    call.root_pem = crypto::ToPem(root_.certificate);
    return call;
  }
  // What the server answers to these bytes.
  std::string Raw(const std::string& bytes) {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    BIO* const connection = BIO_new_ssl_connect(context);
    BIO_set_conn_hostname(connection, absl::StrCat("127.0.0.1:", server_->port()).c_str());
    std::string answer;
    if (BIO_do_connect(connection) == 1 &&
        (bytes.empty() || BIO_write(connection, bytes.data(), static_cast<int>(bytes.size())) > 0)) {
      char buffer[4096];
      for (int size; (size = BIO_read(connection, buffer, sizeof(buffer))) > 0;) {
        answer.append(buffer, static_cast<size_t>(size));
      }
    }
    BIO_free_all(connection);
    SSL_CTX_free(context);
    return answer;
  }

  const Credential root_ = Issue({}, {}, false, nullptr);
  const Credential edge_ = Issue({"127.0.0.1"}, {"localhost"}, true, &root_);
  std::atomic<int> served_ = 0;
  HttpRequest last_;  // read after a reply
  std::unique_ptr<HttpsServer> server_;
};

TEST_F(HttpTest, CarriesARequestAndItsResponse) {
  HttpsCall call = Call("/a/b?c=d");
  call.method = "POST";
  call.body = std::string(60000, 'b');
  call.content_type = "text/x";
  call.headers = {{"Authorization", "Basic YTpi"}};

  const auto response = Fetch(call);

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->content_type, "text/plain");
  EXPECT_EQ(response->body, "POST " + call.body);
  EXPECT_EQ(last_.target, "/a/b?c=d");
  EXPECT_EQ(last_.Header("authorization"), "Basic YTpi");
  EXPECT_EQ(last_.Header("content-type"), "text/x");
  EXPECT_EQ(last_.peer_address, "127.0.0.1");
  EXPECT_EQ(last_.client_certificate_der, "");
}

TEST_F(HttpTest, ShowsTheHandlerTheClientsCertificate) {
  const Credential client = Issue({}, {"client.example"}, false, &root_);
  HttpsCall call = Call();
  call.key_pem = client.key.ToPem();
  call.certificate_pem = crypto::ToPem(client.certificate);

  ASSERT_THAT(Fetch(call), IsOk());
  EXPECT_EQ(last_.client_certificate_der, client.certificate.der);
}

TEST_F(HttpTest, TheClientRefusesAServerOfAnotherRoot) {
  HttpsCall call = Call();
  call.root_pem = crypto::ToPem(Issue({}, {}, false, nullptr).certificate);

  EXPECT_THAT(Fetch(call), StatusIs(kUnauthenticated));
  EXPECT_EQ(served_, 0);
}

TEST_F(HttpTest, TheClientRefusesAServerWithoutTheUrlsHost) {
  const Credential elsewhere = Issue({"127.0.0.2"}, {"example.jp"}, true, &root_);
  server_ = Serve(elsewhere);

  EXPECT_THAT(Fetch(Call()), StatusIs(kUnauthenticated));
  EXPECT_EQ(served_, 0);
}

TEST_F(HttpTest, TheClientRefusesAClientCertificateAsServer) {
  const Credential client = Issue({"127.0.0.1"}, {}, false, &root_);
  server_ = Serve(client);

  EXPECT_THAT(Fetch(Call()), StatusIs(kUnauthenticated));
}

TEST_F(HttpTest, AnyServerWillDoWhenNoRootIsKnownYet) {
  HttpsCall call = Call();
  call.root_pem = "";

  EXPECT_THAT(Fetch(call), IsOk());
}

TEST_F(HttpTest, RefusesBadUrlsKeysAndCertificates) {
  for (const char* url :
       {"", "http://127.0.0.1:1/", "https://127.0.0.1:/", "https://:1/", "https://127.0.0.1:0/",
        "https://127.0.0.1:70000/", "https://a b:1/", "https://a@b:1/", "https://a:1/\r\nx"}) {
    HttpsCall call = Call();
    call.url = url;
    EXPECT_THAT(Fetch(call), StatusIs(kInvalidArgument, HasSubstr("URL"))) << url;
  }
  HttpsCall call = Call();
  call.certificate_pem = crypto::ToPem(edge_.certificate);
  call.key_pem = root_.key.ToPem();
  EXPECT_THAT(Fetch(call), StatusIs(kInvalidArgument, HasSubstr("key")));
}

TEST_F(HttpTest, AClosedPortIsUnavailable) {
  HttpsCall call = Call();
  server_.reset();

  EXPECT_THAT(Fetch(call), StatusIs(kUnavailable));
}

TEST_F(HttpTest, ANewCertificateIsShownAtOnce) {
  const Credential elsewhere = Issue({"127.0.0.2"}, {}, true, &root_);
  ASSERT_THAT(server_->SetCertificate(elsewhere.key.ToPem(), crypto::ToPem(elsewhere.certificate)), IsOk());
  EXPECT_THAT(Fetch(Call()), StatusIs(kUnauthenticated));

  ASSERT_THAT(server_->SetCertificate(edge_.key.ToPem(), crypto::ToPem(edge_.certificate)), IsOk());
  EXPECT_THAT(Fetch(Call()), IsOk());
  EXPECT_THAT(server_->SetCertificate(elsewhere.key.ToPem(), crypto::ToPem(edge_.certificate)),
              StatusIs(kInvalidArgument));
}

TEST_F(HttpTest, RefusesBadListenAddresses) {
  HttpsServerOptions options;
  options.key_pem = edge_.key.ToPem();
  options.certificate_pem = crypto::ToPem(edge_.certificate);
  for (const char* address : {"", "127.0.0.1", "127.0.0.1:x"}) {
    options.listen = address;
    EXPECT_THAT(HttpsServer::Start(options, nullptr), StatusIs(kInvalidArgument)) << address;
  }
  options.listen = absl::StrCat("127.0.0.1:", server_->port());
  EXPECT_THAT(HttpsServer::Start(options, nullptr), StatusIs(kUnavailable));
}

struct Abuse {
  const char* name;
  std::string bytes;
  const char* answer;
};
class AbuseTest : public HttpTest, public ::testing::WithParamInterface<Abuse> {};

TEST_P(AbuseTest, IsAnsweredWithoutTheHandler) {
  EXPECT_THAT(Raw(GetParam().bytes), StartsWith(GetParam().answer));
  EXPECT_EQ(served_, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Requests, AbuseTest,
    ::testing::Values(
        Abuse{"NotHttp", "\x16\x03garbage\r\n\r\n", "HTTP/1.1 400"},
        Abuse{"OtherMethod", "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405"},
        Abuse{"NoPath", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400"},
        Abuse{"LongPath", "GET /" + std::string(2000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400"},
        Abuse{"RepeatedHeader", "GET / HTTP/1.1\r\nAuthorization: a\r\nauthorization: b\r\n\r\n",
              "HTTP/1.1 400"},
        Abuse{"LargeHeader", "GET / HTTP/1.1\r\nX: " + std::string(9000, 'a') + "\r\n\r\n", "HTTP/1.1 431"},
        Abuse{"LargeBody", "POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", "HTTP/1.1 413"},
        Abuse{"LargeChunk", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n", "HTTP/1.1 413"},
        Abuse{"TwoLengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
              "HTTP/1.1 400"},
        Abuse{"SilentClient", "", ""}, Abuse{"HalfARequest", "GET / HTTP/1.1\r\nHost:", ""}),
    [](const auto& test) { return test.param.name; });

TEST_F(HttpTest, AConnectionServesOneRequest) {
  const std::string twice = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";

  EXPECT_THAT(Raw(twice), HasSubstr("Connection: close"));
  EXPECT_EQ(served_, 1);
}

TEST_F(HttpTest, ConnectionsBeyondTheCapAreClosed) {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  std::vector<BIO*> held;
  for (int i = 0; i < 4; ++i) {
    held.push_back(BIO_new_ssl_connect(context));
    BIO_set_conn_hostname(held.back(), absl::StrCat("127.0.0.1:", server_->port()).c_str());
    ASSERT_EQ(BIO_do_connect(held.back()), 1);
  }

  EXPECT_THAT(Fetch(Call()), StatusIs(kUnavailable));

  for (BIO* connection : held) BIO_free_all(connection);
  SSL_CTX_free(context);
}

// Takes every descriptor that this process may have.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 256;
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken_.push_back(fd);
  }
  ~NoDescriptors() {
    for (const int fd : taken_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

double ProcessorSeconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

TEST_F(HttpTest, RestsWhileNoDescriptorIsFree) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server_->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  {
    const NoDescriptors none;
    ASSERT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    const double before = ProcessorSeconds();
    pollfd answer{client, POLLIN, 0};
    EXPECT_EQ(::poll(&answer, 1, 500), 0) << "nobody can accept it";
    // A server that tries again and again takes all of these 500 ms.
    EXPECT_LT(ProcessorSeconds() - before, 0.1);
  }
  ::close(client);

  EXPECT_THAT(Fetch(Call()), IsOk());
}

}  // namespace
}  // namespace tsunagi::http
