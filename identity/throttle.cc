#include "identity/throttle.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace tsunagi::identity {
namespace {

// Whoever has one IPv6 address usually has its /64.
constexpr size_t kNetworkBytes = 8;
constexpr size_t kMappedPrefixBytes = 12;

// What is counted: an IPv4 address, also one mapped into IPv6, or the /64 of an IPv6 address.
std::string NetworkOf(absl::string_view peer) {
  std::array<char, 16> address;
  const std::string text(peer);
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) != 1) return text;
  const in6_addr* const ip = reinterpret_cast<const in6_addr*>(address.data());
  if (!IN6_IS_ADDR_V4MAPPED(ip)) return std::string(address.data(), kNetworkBytes);
  char ipv4[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, address.data() + kMappedPrefixBytes, ipv4, sizeof(ipv4));
}

}  // namespace

absl::Status Throttle::Check(absl::string_view peer) {
  MutexLock lock(mutex_);
  ForgetOld();
  const auto found = peers_.find(NetworkOf(peer));
  if (found == peers_.end() || found->second.count < kMaxFailures) return absl::OkStatus();
  return absl::ResourceExhaustedError("too many wrong invitation codes: try again in a minute");
}

void Throttle::Failed(absl::string_view peer) {
  MutexLock lock(mutex_);
  const std::string network = NetworkOf(peer);
  if (!peers_.contains(network) && peers_.size() >= kMaxPeers) ForgetOldest();
  Failures& failures = peers_[network];
  if (failures.count == 0) failures.since = clock_.Now();
  ++failures.count;
}

void Throttle::ForgetOld() {
  const absl::Time start = clock_.Now() - kWindow;
  absl::erase_if(peers_, [&](const auto& entry) { return entry.second.since < start; });
}

void Throttle::ForgetOldest() {
  peers_.erase(std::min_element(peers_.begin(), peers_.end(), [](const auto& a, const auto& b) {
    return a.second.since < b.second.since;
  }));
}

}  // namespace tsunagi::identity
