#include "services/http/client.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
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
#include "services/http/url.h"

namespace tsunagi::http {
namespace {

namespace beast = boost::beast;
namespace net = boost::asio;
namespace ssl = net::ssl;
using net::ip::tcp;

constexpr uint32_t kHeaderLimit = 8 << 10;

bool Verifies(const HttpsCall& call) { return !call.root_pem.empty() || call.system_roots; }

absl::StatusOr<ssl::context> NewContext(const HttpsCall& call) {
  ssl::context context(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  boost::system::error_code error;
  if (!call.root_pem.empty()) {
    context.add_certificate_authority(net::buffer(call.root_pem), error);
    if (error) return absl::InvalidArgumentError("root certificate is no PEM certificate");
  }
  if (call.system_roots) {
    context.set_default_verify_paths(error);
    if (error) return absl::UnavailableError("the system has no root certificates");
  }
  context.set_verify_mode(Verifies(call) ? ssl::verify_peer : ssl::verify_none, error);
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
  Exchange(ssl::context& context, HttpsUrl url, absl::Duration timeout)
      : url_(std::move(url)), timeout_(absl::ToChronoNanoseconds(timeout)), stream_(io_, context) {}

  // `address` is where the host is; empty asks the system.
  absl::Status Connect(const std::string& address, bool verify) {
    boost::system::error_code error;
    const std::vector<tcp::endpoint> endpoints = Endpoints(address, error);
    if (error) return Unavailable("finding", error);
    error = Await([&](auto done) { Lowest().async_connect(endpoints, std::move(done)); });
    if (error) return Unavailable("connecting to", error);
    if (!url_.tls) return absl::OkStatus();
    if (verify) RETURN_IF_ERROR(ExpectHost(stream_.native_handle(), url_.host));
    error = Await([&](auto done) { stream_.async_handshake(ssl::stream_base::client, std::move(done)); });
    const long verdict = SSL_get_verify_result(stream_.native_handle());
    if (error && verify && verdict != X509_V_OK) {
      return absl::UnauthenticatedError(absl::StrCat(
          "server `", url_.authority, "` is not trusted: ", X509_verify_cert_error_string(verdict)));
    }
    return error ? Unavailable("TLS handshake with", error) : absl::OkStatus();
  }

  absl::StatusOr<HttpResponse> Send(const HttpsCall& call) {
    beast::http::request<beast::http::string_body> request;
    request.version(11);
    request.method_string(call.method);
    request.target(url_.path);
    request.set(beast::http::field::host, url_.authority);
    for (const auto& [name, value] : call.headers) request.set(name, value);
    if (!call.content_type.empty()) request.set(beast::http::field::content_type, call.content_type);
    request.keep_alive(false);
    request.body() = call.body;
    request.prepare_payload();
    return url_.tls ? Transfer(stream_, request, call.max_body) : Transfer(Lowest(), request, call.max_body);
  }

 private:
  template <class Stream>
  absl::StatusOr<HttpResponse> Transfer(Stream& stream,
                                        const beast::http::request<beast::http::string_body>& request,
                                        uint64_t max_body) {
    auto error = Await([&](auto done) { beast::http::async_write(stream, request, std::move(done)); });
    if (error) return Unavailable("sending to", error);

    beast::http::response_parser<beast::http::string_body> parser;
    parser.header_limit(kHeaderLimit);
    parser.body_limit(max_body);
    beast::flat_buffer buffer(kHeaderLimit + max_body);
    error = Await([&](auto done) { beast::http::async_read(stream, buffer, parser, std::move(done)); });
    if (error) return Unavailable("receiving from", error);
    const auto& message = parser.get();
    return HttpResponse{static_cast<int>(message.result_int()),
                        std::string(message[beast::http::field::content_type]),
                        message.body(),
                        {}};
  }

  std::vector<tcp::endpoint> Endpoints(const std::string& address, boost::system::error_code& error) {
    std::vector<tcp::endpoint> endpoints;
    for (const auto& found : tcp::resolver(io_).resolve(address.empty() ? url_.host : address, url_.port,
                                                        tcp::resolver::numeric_service, error)) {
      endpoints.push_back(found.endpoint());
    }
    return endpoints;
  }

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
    return absl::UnavailableError(absl::StrCat(doing, " `", url_.authority, "`: ", error.message()));
  }

  const HttpsUrl url_;
  const std::chrono::nanoseconds timeout_;
  net::io_context io_;
  ssl::stream<beast::tcp_stream> stream_;
};

}  // namespace

absl::StatusOr<HttpResponse> Fetch(const HttpsCall& call) {
  ASSIGN_OR_RETURN(HttpsUrl url, call.allow_plain ? ParseHttpUrl(call.url) : ParseHttpsUrl(call.url));
  ASSIGN_OR_RETURN(ssl::context context, NewContext(call));
  Exchange exchange(context, std::move(url), call.timeout);
  RETURN_IF_ERROR(exchange.Connect(call.connect_to, Verifies(call)));
  return exchange.Send(call);
}

}  // namespace tsunagi::http
