// URLs that our clients call.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::http {

// `https://host[:port][/path]`, taken apart.
struct HttpsUrl {
  bool tls = true;        // false for `http://`
  std::string host;       // DNS name or IP address, without brackets
  std::string port;       // decimal; 443 (80 without TLS) when the URL names none
  std::string path;       // with query; `/` when the URL has none
  std::string authority;  // as written: the Host header
};

// INVALID_ARGUMENT on anything else: another scheme, user information, a fragment, characters that two
// parsers may read differently, and a host that ends in a number but is no IPv4 address in its one dotted
// form (RFC 6943: as 0x7f.1 or 2130706433 it would still be one for the system).
absl::StatusOr<HttpsUrl> ParseHttpsUrl(absl::string_view text);

// The same, or with `http://`: only for exchanges whose content is signed itself.
absl::StatusOr<HttpsUrl> ParseHttpUrl(absl::string_view text);

}  // namespace tsunagi::http
