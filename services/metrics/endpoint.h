// Where Prometheus scrapes a process. civetweb stays behind it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/metrics/families.h"

namespace tsunagi::metrics {

inline constexpr absl::string_view kExpectedListen = "`127.0.0.1:port` or `[::1]:port`";

// `127.0.0.1:port` or `[::1]:port`: whoever is not on this machine must not reach the endpoint.
// INVALID_ARGUMENT otherwise.
absl::Status CheckListen(absl::string_view listen);

// A running endpoint: GET /metrics over plain HTTP, in Prometheus's text format.
class Endpoint {
 public:
  // `collect` adds the families of one scrape, on the endpoint's threads, two at most at once; it must not
  // wait for the network. INVALID_ARGUMENT as CheckListen; UNAVAILABLE when the address is taken.
  static absl::StatusOr<std::unique_ptr<Endpoint>> Start(const std::string& listen,
                                                         std::function<void(Families&)> collect);
  // Waits for a scrape that is under way.
  virtual ~Endpoint() = default;

  virtual int port() const = 0;

 protected:
  Endpoint() = default;
};

// Starts it as a process does, and writes <data_dir>/metrics-listen; null when `listen` is empty.
absl::StatusOr<std::unique_ptr<Endpoint>> StartAndAnnounce(const std::string& listen,
                                                           const std::string& data_dir,
                                                           std::function<void(Families&)> collect);

}  // namespace tsunagi::metrics
