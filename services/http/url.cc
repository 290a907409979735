#include "services/http/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/error.h"

namespace tsunagi::http {
namespace {

constexpr size_t kMaxUrl = 2048;
constexpr size_t kMaxHost = 253;

bool IsDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsAddress(int family, const std::string& text) {
  in6_addr address;
  return ::inet_pton(family, text.c_str(), &address) == 1;
}

// A DNS name, or an IPv4 address in its one form.
bool IsHost(absl::string_view host) {
  const bool plain =
      !host.empty() && host.size() <= kMaxHost && std::all_of(host.begin(), host.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-';
      });
  if (!plain) return false;
  const absl::string_view name = absl::StripSuffix(host, ".");
  const size_t dot = name.rfind('.');
  const absl::string_view last = dot == absl::string_view::npos ? name : name.substr(dot + 1);
  const bool numeric = last.empty() || IsDigits(last) || absl::StartsWithIgnoreCase(last, "0x");
  return !numeric || IsAddress(AF_INET, std::string(host));
}

bool IsPort(absl::string_view port) {
  int number = 0;
  return IsDigits(port) && port.front() != '0' && port.size() <= 5 && absl::SimpleAtoi(port, &number) &&
         number <= 65535;
}

// Splits an authority into host and port; the port is empty when there is none. False when it is none.
bool SplitAuthority(absl::string_view authority, HttpsUrl& url) {
  absl::string_view rest = authority;
  if (absl::ConsumePrefix(&rest, "[")) {
    const size_t end = rest.find(']');
    if (end == absl::string_view::npos) return false;
    url.host = std::string(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (!IsAddress(AF_INET6, url.host)) return false;
  } else {
    const size_t colon = std::min(rest.find(':'), rest.size());
    url.host = std::string(rest.substr(0, colon));
    rest.remove_prefix(colon);
    if (!IsHost(url.host)) return false;
  }
  if (rest.empty()) {
    url.port = url.tls ? "443" : "80";
    return true;
  }
  if (!absl::ConsumePrefix(&rest, ":") || !IsPort(rest)) return false;
  url.port = std::string(rest);
  return true;
}

// What follows the scheme; `wrong` when it is anything else.
absl::StatusOr<HttpsUrl> ParseAfterScheme(absl::string_view rest, bool tls, const absl::Status& wrong) {
  const bool plain = std::all_of(rest.begin(), rest.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '\\' && c != '#';
  });
  if (!plain) return wrong;
  HttpsUrl url;
  url.tls = tls;
  const size_t slash = std::min(rest.find('/'), rest.size());
  url.path = slash == rest.size() ? "/" : std::string(rest.substr(slash));
  url.authority = std::string(rest.substr(0, slash));
  if (!SplitAuthority(url.authority, url)) return wrong;
  return url;
}

// User information may be a password: it is not repeated.
absl::Status Wrong(absl::string_view text, absl::string_view expected) {
  const bool secret = absl::StrContains(text, '@');
  return InvalidArgument({"URL_WRONG", "URL", secret ? "" : text,
                          absl::StrCat(expected, "://host[:port][/path] without user information")});
}

}  // namespace

absl::StatusOr<HttpsUrl> ParseHttpsUrl(absl::string_view text) {
  const absl::Status wrong = Wrong(text, "https");
  if (text.size() > kMaxUrl || !absl::ConsumePrefix(&text, "https://")) return wrong;
  return ParseAfterScheme(text, /*tls=*/true, wrong);
}

absl::StatusOr<HttpsUrl> ParseHttpUrl(absl::string_view text) {
  const absl::Status wrong = Wrong(text, "https:// or http");
  if (text.size() > kMaxUrl) return wrong;
  const bool tls = absl::ConsumePrefix(&text, "https://");
  if (!tls && !absl::ConsumePrefix(&text, "http://")) return wrong;
  return ParseAfterScheme(text, tls, wrong);
}

}  // namespace tsunagi::http
