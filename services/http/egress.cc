#include "services/http/egress.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "services/http/url.h"

namespace tsunagi::http {
namespace {

struct Range {
  uint32_t network;
  int bits;
};

constexpr uint32_t Ipv4(uint32_t a, uint32_t b, uint32_t c) { return a << 24 | b << 16 | c << 8; }

// IANA IPv4 Special-Purpose Address Registry, multicast and what is reserved.
constexpr std::array<Range, 15> kSpecialIpv4 = {{{Ipv4(0, 0, 0), 8},
                                                 {Ipv4(10, 0, 0), 8},
                                                 {Ipv4(100, 64, 0), 10},
                                                 {Ipv4(127, 0, 0), 8},
                                                 {Ipv4(169, 254, 0), 16},
                                                 {Ipv4(172, 16, 0), 12},
                                                 {Ipv4(192, 0, 0), 24},
                                                 {Ipv4(192, 0, 2), 24},
                                                 {Ipv4(192, 88, 99), 24},
                                                 {Ipv4(192, 168, 0), 16},
                                                 {Ipv4(198, 18, 0), 15},
                                                 {Ipv4(198, 51, 100), 24},
                                                 {Ipv4(203, 0, 113), 24},
                                                 {Ipv4(224, 0, 0), 4},
                                                 {Ipv4(240, 0, 0), 4}}};

bool IsPublicIpv4(const in_addr& address) {
  const uint32_t value = ntohl(address.s_addr);
  return std::none_of(kSpecialIpv4.begin(), kSpecialIpv4.end(), [value](const Range& range) {
    return (value ^ range.network) >> (32 - range.bits) == 0;
  });
}

// Global unicast is 2000::/3; what is special within it is left out.
bool IsPublicIpv6(const in6_addr& address) {
  const uint32_t head = static_cast<uint32_t>(address.s6_addr[0]) << 24 |
                        static_cast<uint32_t>(address.s6_addr[1]) << 16 |
                        static_cast<uint32_t>(address.s6_addr[2]) << 8 | address.s6_addr[3];
  const bool global = head >> 29 == 1;
  const bool protocols = head >> 9 == 0x20010000u >> 9;  // 2001::/23: Teredo, ORCHID, benchmarking
  const bool documentation = head == 0x20010db8u || head >> 12 == 0x3fff0000u >> 12;
  const bool six_to_four = head >> 16 == 0x2002u;
  return global && !protocols && !documentation && !six_to_four;
}

absl::Status CheckAddress(const std::string& host, const std::string& address, const EgressOptions& options) {
  const std::vector<std::string>& allowed = options.allowed_addresses;
  if (IsPublicAddress(address) || std::find(allowed.begin(), allowed.end(), address) != allowed.end()) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(absl::StrCat("host `", host, "` has the address `", address,
                                                  "`, which is not public: nothing is fetched there"));
}

// One address of the host, after a look at all of them.
absl::StatusOr<std::string> AddressOf(const std::string& host, const EgressOptions& options) {
  std::vector<std::string> addresses = {host};
  in6_addr ignored;
  const bool literal =
      ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 || ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
  if (!literal) {
    ASSIGN_OR_RETURN(addresses, options.resolve(host));
  }
  if (addresses.empty()) return absl::UnavailableError(absl::StrCat("host `", host, "` has no address"));
  for (const std::string& address : addresses) RETURN_IF_ERROR(CheckAddress(host, address, options));
  return addresses.front();
}

}  // namespace

bool IsWrittenAddress(const std::string& text) {
  for (const int family : {AF_INET, AF_INET6}) {
    in6_addr address;
    std::array<char, INET6_ADDRSTRLEN> written = {};
    if (::inet_pton(family, text.c_str(), &address) != 1) continue;
    return ::inet_ntop(family, &address, written.data(), written.size()) != nullptr && text == written.data();
  }
  return false;
}

bool IsPublicAddress(absl::string_view address) {
  const std::string text(address);
  in_addr ipv4;
  if (::inet_pton(AF_INET, text.c_str(), &ipv4) == 1) return IsPublicIpv4(ipv4);
  in6_addr ipv6;
  return ::inet_pton(AF_INET6, text.c_str(), &ipv6) == 1 && IsPublicIpv6(ipv6);
}

absl::StatusOr<std::vector<std::string>> ResolveWithSystem(const std::string& host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    return absl::UnavailableError(absl::StrCat("finding `", host, "`: ", ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text = {};
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) ==
        0) {
      addresses.emplace_back(text.data());
    }
  }
  return addresses;
}

absl::StatusOr<HttpResponse> CallOut(HttpsCall call, const EgressOptions& options) {
  ASSIGN_OR_RETURN(const HttpsUrl parsed,
                   call.allow_plain ? ParseHttpUrl(call.url) : ParseHttpsUrl(call.url));
  ASSIGN_OR_RETURN(call.connect_to, AddressOf(parsed.host, options));
  call.root_pem = options.root_pem;
  call.system_roots = options.root_pem.empty() && !options.any_server;
  call.timeout = options.timeout / 4;
  return Fetch(call);
}

absl::StatusOr<std::string> FetchDocument(absl::string_view url, const EgressOptions& options) {
  ASSIGN_OR_RETURN(const HttpsUrl parsed, ParseHttpsUrl(url));
  HttpsCall call;
  call.url = std::string(url);
  ASSIGN_OR_RETURN(HttpResponse response, CallOut(std::move(call), options));
  if (response.status == 200) return std::move(response.body);
  if (response.status == 404 || response.status == 410) {
    return absl::NotFoundError(absl::StrCat("`", parsed.authority, "` has no such document"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("`", parsed.authority, "` answers with status ", response.status,
                   response.status / 100 == 3 ? ": redirects are not followed" : ": expected 200"));
}

absl::StatusOr<HttpResponse> PostForm(absl::string_view url, Headers headers, std::string form,
                                      const EgressOptions& options) {
  HttpsCall call;
  call.url = std::string(url);
  call.method = "POST";
  call.headers = std::move(headers);
  call.content_type = "application/x-www-form-urlencoded";
  call.body = std::move(form);
  return CallOut(std::move(call), options);
}

}  // namespace tsunagi::http
