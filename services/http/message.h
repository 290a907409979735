// A request and a response as handlers and clients see them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace tsunagi::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  // GET or POST
  std::string target;  // path as sent, e.g. /.well-known/est/cacerts
  Headers headers;     // names in lower case, each once: repeated ones are refused
  std::string body;
  // DER of the certificate whose key the client proved to hold; empty when it showed none. Nothing else about
  // it is verified: neither its chain nor its validity.
  std::string client_certificate_der;
  std::string peer_address;  // without port

  // Value of a header by its lower-case name; empty when absent.
  absl::string_view Header(absl::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return "";
  }
};

struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;
  Headers headers;  // others, e.g. www-authenticate
};

}  // namespace tsunagi::http
