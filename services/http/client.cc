#include "services/http/client.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "boost/asio/buffer.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/address.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/core/tcp_stream.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/read.hpp"
#include "boost/beast/http/string_body.hpp"
#include "boost/beast/http/write.hpp"
#include "boost/beast/ssl/ssl_stream.hpp"
#include "core/base/status_macros.h"

namespace tsunagi::http {
namespace {

namespace beast = boost::beast;
namespace net = boost::asio;
namespace ssl = net::ssl;
using net::ip::tcp;

constexpr uint32_t kHeaderLimit = 8 << 10;
constexpr uint64_t kBodyLimit = 1 << 20;

struct Url {
  std::string host;  // without brackets
  std::string port;
  std::string path;
  std::string host_header;
};

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-';
}

absl::StatusOr<Url> ParseUrl(absl::string_view text) {
  const absl::Status wrong =
      absl::InvalidArgumentError(absl::StrCat("URL is `", text, "`: expected https://host:port/path"));
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, "https://")) return wrong;
  for (const char c : rest) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) return wrong;
  }
  Url url;
  const size_t slash = rest.find('/');
  url.path = slash == absl::string_view::npos ? "/" : std::string(rest.substr(slash));
  const absl::string_view authority = rest.substr(0, slash);
  const size_t colon = authority.rfind(':');
  if (colon == absl::string_view::npos) return wrong;
  absl::string_view host = authority.substr(0, colon);
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  for (const char c : host) {
    if (!IsHostCharacter(c) && !(bracketed && c == ':')) return wrong;
  }
  int port = 0;
  if (host.empty() || !absl::SimpleAtoi(authority.substr(colon + 1), &port) || port < 1 || port > 65535)
    return wrong;
  url.host = std::string(host);
  url.port = absl::StrCat(port);
  url.host_header = std::string(authority);
  return url;
}

absl::StatusOr<ssl::context> NewContext(const HttpsCall& call) {
  ssl::context context(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  boost::system::error_code error;
  if (!call.root_pem.empty()) {
    context.add_certificate_authority(net::buffer(call.root_pem), error);
    if (error) return absl::InvalidArgumentError("root certificate is no PEM certificate");
  }
  context.set_verify_mode(call.root_pem.empty() ? ssl::verify_none : ssl::verify_peer, error);
  if (call.certificate_pem.empty()) return context;
  context.use_certificate_chain(net::buffer(call.certificate_pem), error);
  if (error) return absl::InvalidArgumentError("client certificate is no PEM certificate chain");
  context.use_private_key(net::buffer(call.key_pem), ssl::context::pem, error);
  if (error || SSL_CTX_check_private_key(context.native_handle()) != 1) {
    return absl::InvalidArgumentError("client key is no PEM key of the certificate");
  }
  return context;
}

// The server must carry the URL's host as a subject alternative name.
absl::Status ExpectHost(SSL* connection, const std::string& host) {
  X509_VERIFY_PARAM* const expected = SSL_get0_param(connection);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  boost::system::error_code not_numeric;
  net::ip::make_address(host, not_numeric);
  const bool set = not_numeric ? X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1 &&
                                     SSL_set_tlsext_host_name(connection, host.c_str()) == 1
                               : X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
  return set ? absl::OkStatus()
             : absl::InvalidArgumentError(absl::StrCat("host `", host, "` cannot be checked"));
}

// One exchange: each step runs the loop until it is done or its time is up.
class Exchange {
 public:
  Exchange(ssl::context& context, Url url, absl::Duration timeout)
      : url_(std::move(url)), timeout_(absl::ToChronoNanoseconds(timeout)), stream_(io_, context) {}

  absl::Status Connect(bool verify) {
    boost::system::error_code error;
    const auto found =
        tcp::resolver(io_).resolve(url_.host, url_.port, tcp::resolver::numeric_service, error);
    if (error) return Unavailable("finding", error);
    error = Await([&](auto done) { Lowest().async_connect(found, std::move(done)); });
    if (error) return Unavailable("connecting to", error);
    if (verify) RETURN_IF_ERROR(ExpectHost(stream_.native_handle(), url_.host));
    error = Await([&](auto done) { stream_.async_handshake(ssl::stream_base::client, std::move(done)); });
    const long verdict = SSL_get_verify_result(stream_.native_handle());
    if (error && verify && verdict != X509_V_OK) {
      return absl::UnauthenticatedError(absl::StrCat(
          "server `", url_.host_header, "` is not trusted: ", X509_verify_cert_error_string(verdict)));
    }
    return error ? Unavailable("TLS handshake with", error) : absl::OkStatus();
  }

  absl::StatusOr<HttpResponse> Send(const HttpsCall& call) {
    beast::http::request<beast::http::string_body> request;
    request.version(11);
    request.method_string(call.method);
    request.target(url_.path);
    request.set(beast::http::field::host, url_.host_header);
    for (const auto& [name, value] : call.headers) request.set(name, value);
    if (!call.content_type.empty()) request.set(beast::http::field::content_type, call.content_type);
    request.keep_alive(false);
    request.body() = call.body;
    request.prepare_payload();
    auto error = Await([&](auto done) { beast::http::async_write(stream_, request, std::move(done)); });
    if (error) return Unavailable("sending to", error);

    beast::http::response_parser<beast::http::string_body> parser;
    parser.header_limit(kHeaderLimit);
    parser.body_limit(kBodyLimit);
    beast::flat_buffer buffer(kHeaderLimit + kBodyLimit);
    error = Await([&](auto done) { beast::http::async_read(stream_, buffer, parser, std::move(done)); });
    if (error) return Unavailable("receiving from", error);
    const auto& message = parser.get();
    return HttpResponse{static_cast<int>(message.result_int()),
                        std::string(message[beast::http::field::content_type]),
                        message.body(),
                        {}};
  }

 private:
  beast::tcp_stream& Lowest() { return beast::get_lowest_layer(stream_); }

  template <class Begin>
  boost::system::error_code Await(Begin begin) {
    Lowest().expires_after(timeout_);
    boost::system::error_code result;
    begin([&result](boost::system::error_code error, auto&&...) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  absl::Status Unavailable(absl::string_view doing, const boost::system::error_code& error) const {
    return absl::UnavailableError(absl::StrCat(doing, " `", url_.host_header, "`: ", error.message()));
  }

  const Url url_;
  const std::chrono::nanoseconds timeout_;
  net::io_context io_;
  ssl::stream<beast::tcp_stream> stream_;
};

}  // namespace

absl::StatusOr<HttpResponse> Fetch(const HttpsCall& call) {
  ASSIGN_OR_RETURN(Url url, ParseUrl(call.url));
  ASSIGN_OR_RETURN(ssl::context context, NewContext(call));
  Exchange exchange(context, std::move(url), call.timeout);
  RETURN_IF_ERROR(exchange.Connect(!call.root_pem.empty()));
  return exchange.Send(call);
}

}  // namespace tsunagi::http
