#include "services/http/loopback.h"

#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/core/tcp_stream.hpp"
#include "boost/beast/http/empty_body.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/read.hpp"
#include "boost/beast/http/string_body.hpp"
#include "boost/beast/http/write.hpp"

namespace tsunagi::http {
namespace {

namespace beast = boost::beast;
namespace net = boost::asio;
using net::ip::tcp;

constexpr uint32_t kHeaderLimit = 16 << 10;
constexpr int kMaxConnections = 16;
constexpr std::chrono::seconds kPatience(10);
constexpr absl::string_view kPath = "/callback?";

constexpr char kDone[] =
    "<!DOCTYPE html><html lang=\"ja\"><meta charset=\"utf-8\"><title>Tsunagi</title>"
    "<p>コマンドラインに戻ってください。このページは閉じてかまいません。"
    "<p lang=\"en\">Go back to the command line. You may close this page.";

using Request = beast::http::request<beast::http::empty_body>;
using Response = beast::http::response<beast::http::string_body>;

struct Waiting {
  std::string state;
  std::optional<Form> brought;
  int connections = 0;
};

// What a request brings: a form with the state, or the status to answer with.
absl::StatusOr<Form> Read(const Request& request, const std::string& state) {
  const auto target = request.target();
  const absl::string_view text(target.data(), target.size());
  if (request.method() != beast::http::verb::get || text.substr(0, kPath.size()) != kPath) {
    return absl::NotFoundError("no such page");
  }
  auto form = ParseForm("application/x-www-form-urlencoded", text.substr(kPath.size()));
  if (!form.ok()) return form;
  const auto brought = form->find("state");
  if (brought == form->end() || brought->second != state) return absl::InvalidArgumentError("another state");
  return form;
}

// One connection, for one request. Lives until its last operation is done.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Waiting& waiting) : stream_(std::move(socket)), waiting_(waiting) {
    ++waiting_.connections;
    parser_.header_limit(kHeaderLimit);
    parser_.body_limit(0);
  }
  ~Connection() { --waiting_.connections; }

  void Start() {
    stream_.expires_after(kPatience);
    beast::http::async_read(stream_, buffer_, parser_, [self = shared_from_this()](auto error, size_t) {
      if (!error) self->Answer();
    });
  }

 private:
  void Answer() {
    auto form = Read(parser_.get(), waiting_.state);
    response_.version(11);
    response_.result(form.ok()                         ? beast::http::status::ok
                     : absl::IsNotFound(form.status()) ? beast::http::status::not_found
                                                       : beast::http::status::bad_request);
    response_.set(beast::http::field::content_type, form.ok() ? "text/html; charset=utf-8" : "text/plain");
    // The code stands in the URL.
    response_.set(beast::http::field::cache_control, "no-store");
    response_.set("Referrer-Policy", "no-referrer");
    response_.body() = form.ok() ? kDone : "not what is waited for here\n";
    response_.keep_alive(false);
    response_.prepare_payload();
    beast::http::async_write(stream_, response_,
                             [self = shared_from_this(), form = std::move(form)](auto, size_t) {
                               if (form.ok() && !self->waiting_.brought.has_value())
                                 self->waiting_.brought = *form;
                             });
  }

  beast::tcp_stream stream_;
  Waiting& waiting_;
  beast::flat_buffer buffer_{kHeaderLimit};
  beast::http::request_parser<beast::http::empty_body> parser_;
  Response response_;
};

class Listener final : public LoopbackListener {
 public:
  absl::Status Open(int port) {
    const tcp::endpoint endpoint(net::ip::address_v4::loopback(), static_cast<uint16_t>(port));
    boost::system::error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(kMaxConnections, error);
    if (!error) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat("listening on 127.0.0.1:", port, ": ", error.message()));
  }

  int port() const override { return acceptor_.local_endpoint().port(); }

  absl::StatusOr<Form> Wait(const std::string& state, absl::Duration timeout) override {
    waiting_.state = state;
    const absl::Time until = absl::Now() + timeout;
    Accept();
    while (!waiting_.brought.has_value()) {
      const absl::Duration left = until - absl::Now();
      if (left <= absl::ZeroDuration()) break;
      io_.run_one_for(absl::ToChronoMilliseconds(left + absl::Milliseconds(1)));
    }
    if (waiting_.brought.has_value()) return *std::move(waiting_.brought);
    return absl::DeadlineExceededError(
        absl::StrCat("no browser came back within ", absl::FormatDuration(timeout)));
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (!error && waiting_.connections < kMaxConnections) {
        std::make_shared<Connection>(std::move(socket), waiting_)->Start();
      }
      if (error != net::error::operation_aborted) Accept();
    });
  }

  // Connections refer to it until the loop is gone.
  Waiting waiting_;
  net::io_context io_;
  tcp::acceptor acceptor_{io_};
};

}  // namespace

absl::StatusOr<std::unique_ptr<LoopbackListener>> LoopbackListener::Open(int port) {
  auto listener = std::make_unique<Listener>();
  if (absl::Status status = listener->Open(port); !status.ok()) return status;
  return listener;
}

}  // namespace tsunagi::http
