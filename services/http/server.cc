#include "services/http/server.h"

#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "boost/asio/buffer.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/strand.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/core/tcp_stream.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/read.hpp"
#include "boost/beast/http/string_body.hpp"
#include "boost/beast/http/write.hpp"
#include "boost/beast/ssl/ssl_stream.hpp"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"

namespace tsunagi::http {
namespace {

namespace beast = boost::beast;
namespace net = boost::asio;
namespace ssl = net::ssl;
using net::ip::tcp;

constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr uint32_t kHeaderLimit = 8 << 10;
constexpr uint64_t kBodyLimit = 64 << 10;
constexpr size_t kTargetLimit = 1024;

using Parser = beast::http::request_parser<beast::http::string_body>;
using Response = beast::http::response<beast::http::string_body>;

HttpResponse PlainText(int status, absl::string_view text) {
  return {status, "text/plain; charset=utf-8", absl::StrCat(text, "\n"), {}};
}

// Accepts every client certificate: the handler decides, since one that has expired may still be renewed.
int AcceptCertificate(int /*preverified*/, X509_STORE_CTX* /*context*/) { return 1; }

absl::StatusOr<std::shared_ptr<ssl::context>> NewContext(const std::string& key_pem,
                                                         const std::string& certificate_pem) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, AcceptCertificate);
  boost::system::error_code error;
  context->use_certificate_chain(net::buffer(certificate_pem), error);
  if (error) return absl::InvalidArgumentError("HTTPS certificate is no PEM certificate chain");
  context->use_private_key(net::buffer(key_pem), ssl::context::pem, error);
  if (error || SSL_CTX_check_private_key(native) != 1) {
    return absl::InvalidArgumentError("HTTPS key is no PEM key of the certificate");
  }
  return context;
}

absl::StatusOr<HttpRequest> ToRequest(const Parser::value_type& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message.base()) {
    std::string name(field.name_string());
    for (char& c : name) c = absl::ascii_tolower(static_cast<unsigned char>(c));
    for (const auto& [earlier, value] : request.headers) {
      if (earlier == name) return absl::InvalidArgumentError("a header is repeated");
    }
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  request.body = message.body();
  return request;
}

std::string CertificateDer(SSL* connection) {
  X509* const certificate = SSL_get1_peer_certificate(connection);
  if (certificate == nullptr) return "";
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  std::string der = size > 0 ? std::string(reinterpret_cast<char*>(bytes), static_cast<size_t>(size)) : "";
  OPENSSL_free(bytes);
  X509_free(certificate);
  return der;
}

// One connection: handshake, one request, one response, close.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, std::shared_ptr<ssl::context> context, const Handler& handler,
          std::chrono::nanoseconds timeout, std::atomic<int>& connections)
      : context_(std::move(context)),
        stream_(std::move(socket), *context_),
        handler_(handler),
        timeout_(timeout),
        connections_(connections) {
    parser_.header_limit(kHeaderLimit);
    parser_.body_limit(kBodyLimit);
  }
  ~Session() { --connections_; }

  void Start() {
    Limit();
    stream_.async_handshake(ssl::stream_base::server, [self = shared_from_this()](beast::error_code error) {
      if (!error) self->Read();
    });
  }

 private:
  void Limit() { beast::get_lowest_layer(stream_).expires_after(timeout_); }

  void Read() {
    Limit();
    beast::http::async_read(
        stream_, buffer_, parser_,
        [self = shared_from_this()](beast::error_code error, size_t) { self->OnRead(error); });
  }

  void OnRead(beast::error_code error) {
    if (!error) return Write(Answer());
    if (error == beast::http::error::body_limit)
      return Write(PlainText(413, "the body is larger than 64 KiB"));
    if (error == beast::http::error::header_limit)
      return Write(PlainText(431, "the header is larger than 8 KiB"));
    const bool spoke_http = error.category() == make_error_code(beast::http::error::bad_method).category() &&
                            error != beast::http::error::end_of_stream;
    if (spoke_http) Write(PlainText(400, "this is no HTTP/1.1 request"));
  }

  HttpResponse Answer() {
    const auto& message = parser_.get();
    const auto method = message.method();
    if (method != beast::http::verb::get && method != beast::http::verb::post) {
      return PlainText(405, "only GET and POST are served");
    }
    if (message.target().empty() || message.target().front() != '/' ||
        message.target().size() > kTargetLimit) {
      return PlainText(400, "the request's target is no path");
    }
    absl::StatusOr<HttpRequest> request = ToRequest(message);
    if (!request.ok()) return PlainText(400, request.status().message());
    request->client_certificate_der = CertificateDer(stream_.native_handle());
    boost::system::error_code ignored;
    request->peer_address =
        beast::get_lowest_layer(stream_).socket().remote_endpoint(ignored).address().to_string();
    return handler_(*request);
  }

  void Write(const HttpResponse& answer) {
    response_.version(11);
    response_.result(static_cast<unsigned>(answer.status));
    response_.set(beast::http::field::content_type, answer.content_type);
    response_.set(beast::http::field::cache_control, "no-store");
    for (const auto& [name, value] : answer.headers) response_.set(name, value);
    response_.keep_alive(false);
    response_.body() = answer.body;
    response_.prepare_payload();
    Limit();
    beast::http::async_write(stream_, response_,
                             [self = shared_from_this()](beast::error_code error, size_t) {
                               if (!error) self->Close();
                             });
  }

  void Close() {
    Limit();
    stream_.async_shutdown([self = shared_from_this()](beast::error_code) {});
  }

  const std::shared_ptr<ssl::context> context_;
  ssl::stream<beast::tcp_stream> stream_;
  const Handler& handler_;
  const std::chrono::nanoseconds timeout_;
  std::atomic<int>& connections_;
  beast::flat_buffer buffer_{kHeaderLimit + kBodyLimit};
  Parser parser_;
  Response response_;
};

class BeastServer final : public HttpsServer {
 public:
  BeastServer(const HttpsServerOptions& options, Handler handler, std::shared_ptr<ssl::context> context)
      : handler_(std::move(handler)),
        limit_(options.max_connections),
        timeout_(absl::ToChronoNanoseconds(options.timeout)),
        context_(std::move(context)),
        acceptor_(io_),
        pause_(io_) {}

  ~BeastServer() override {
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  absl::Status Listen(const std::string& address) {
    const size_t colon = address.rfind(':');
    if (colon == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("listen address is `", address, "`: expected host:port"));
    }
    absl::string_view host = absl::string_view(address).substr(0, colon);
    if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
    boost::system::error_code error;
    const auto found =
        tcp::resolver(io_).resolve(std::string(host), address.substr(colon + 1),
                                   tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error) {
      return absl::InvalidArgumentError(
          absl::StrCat("listen address is `", address, "`: expected host:port"));
    }
    const tcp::endpoint endpoint = *found.begin();
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(net::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
    if (error) return absl::UnavailableError(absl::StrCat("listening on `", address, "`: ", error.message()));
    port_ = acceptor_.local_endpoint().port();
    return absl::OkStatus();
  }

  void Run(int threads) {
    Accept();
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { io_.run(); });
  }

  int port() const override { return port_; }

  absl::Status SetCertificate(const std::string& key_pem, const std::string& certificate_pem) override {
    ASSIGN_OR_RETURN(std::shared_ptr<ssl::context> context, NewContext(key_pem, certificate_pem));
    MutexLock lock(mutex_);
    context_ = std::move(context);
    return absl::OkStatus();
  }

 private:
  void Accept() {
    acceptor_.async_accept(net::make_strand(io_), [this](beast::error_code error, tcp::socket socket) {
      if (error == net::error::operation_aborted) return;
      if (error) return AcceptLater();
      Admit(std::move(socket));
      Accept();
    });
  }

  // No descriptor is free, for one: trying at once would only burn the processor.
  void AcceptLater() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](beast::error_code error) {
      if (!error) Accept();
    });
  }

  void Admit(tcp::socket socket) {
    if (connections_ >= limit_) return;  // the socket closes here
    ++connections_;
    std::make_shared<Session>(std::move(socket), Context(), handler_, timeout_, connections_)->Start();
  }

  std::shared_ptr<ssl::context> Context() {
    MutexLock lock(mutex_);
    return context_;
  }

  const Handler handler_;
  const int limit_;
  const std::chrono::nanoseconds timeout_;
  std::atomic<int> connections_ = 0;
  int port_ = 0;
  Mutex mutex_;
  std::shared_ptr<ssl::context> context_ ABSL_GUARDED_BY(mutex_);
  net::io_context io_;  // sessions live in its queue and die with it, so it goes before what they use
  tcp::acceptor acceptor_;
  net::steady_timer pause_;
  std::vector<std::thread> threads_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpsServer>> HttpsServer::Start(const HttpsServerOptions& options,
                                                                Handler handler) {
  ASSIGN_OR_RETURN(std::shared_ptr<ssl::context> context,
                   NewContext(options.key_pem, options.certificate_pem));
  auto server = std::make_unique<BeastServer>(options, std::move(handler), std::move(context));
  RETURN_IF_ERROR(server->Listen(options.listen));
  server->Run(options.threads);
  return server;
}

}  // namespace tsunagi::http
