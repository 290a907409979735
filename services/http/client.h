// A blocking HTTPS client: one request, one connection. Never on a handler's thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/http/message.h"

namespace tsunagi::http {

struct HttpsCall {
  std::string method = "GET";
  std::string url;  // see ParseHttpsUrl
  // Also takes `http://` (ParseHttpUrl), where nothing is secret or authentic but what the content proves.
  bool allow_plain = false;
  // Connects to this IP address instead of asking the system where the URL's host is; empty asks.
  std::string connect_to;
  Headers headers;
  std::string content_type;  // of the body
  std::string body;
  // The server's certificate must chain to this root (PEM) and carry the URL's host as DNS name or IP
  // address. Empty accepts any server, unless system_roots is set: only to fetch what is checked by its
  // digest.
  std::string root_pem;
  bool system_roots = false;  // the system's roots count (too)
  // Client certificate; both empty for none.
  std::string key_pem;
  std::string certificate_pem;
  absl::Duration timeout = absl::Seconds(10);  // for each of connecting, handshake, sending and receiving
  uint64_t max_body = 1 << 20;                 // of the response, in bytes
};

// The response, whatever its status; header at most 8 KiB.
//   INVALID_ARGUMENT  the URL, key or certificate
//   UNAUTHENTICATED   the server is not the one that the root and the URL name
//   UNAVAILABLE       it cannot be reached, does not answer in time, answers no HTTP, or too much of it
absl::StatusOr<HttpResponse> Fetch(const HttpsCall& call);

}  // namespace tsunagi::http
