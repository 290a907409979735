// A small HTTPS server for the edges that strangers reach. Beast stays inside its one translation unit.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/http/message.h"

namespace tsunagi::http {

// Answers a request. Called on the server's threads, several at once; may block, which holds up one of them.
using Handler = std::function<HttpResponse(const HttpRequest&)>;

struct HttpsServerOptions {
  std::string listen;           // host:port; port 0 picks a free one
  std::string key_pem;          // PKCS#8
  std::string certificate_pem;  // leaf first, then its CAs
  int threads = 2;
  int max_connections = 128;  // more are closed at once
  // For each of handshake, reading the request and writing the response.
  absl::Duration timeout = absl::Seconds(10);
};

// A running server. TLS 1.2 or newer without resumption; a client certificate is asked for and not required;
// one request per connection; header at most 8 KiB, body at most 64 KiB. Thread-safe.
class HttpsServer {
 public:
  // INVALID_ARGUMENT on a bad address, key or certificate; UNAVAILABLE when the address is taken.
  static absl::StatusOr<std::unique_ptr<HttpsServer>> Start(const HttpsServerOptions& options,
                                                            Handler handler);
  // Closes the listener and every connection, then waits for running handlers.
  virtual ~HttpsServer() = default;

  virtual int port() const = 0;
  // Shows this certificate in new handshakes. INVALID_ARGUMENT when key and certificate do not fit.
  virtual absl::Status SetCertificate(const std::string& key_pem, const std::string& certificate_pem) = 0;

 protected:
  HttpsServer() = default;
};

}  // namespace tsunagi::http
