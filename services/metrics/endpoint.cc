#include "services/metrics/endpoint.h"

#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "prometheus/collectable.h"
#include "prometheus/exposer.h"

namespace tsunagi::metrics {
namespace {

// Ends what a client that says nothing holds.
constexpr char kRequestTimeoutMs[] = "5000";
constexpr char kThreads[] = "2";

class Collector final : public prometheus::Collectable {
 public:
  explicit Collector(std::function<void(Families&)> collect) : collect_(std::move(collect)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    Families families;
    collect_(families);
    return families.Take();
  }

 private:
  const std::function<void(Families&)> collect_;
};

class ExposerEndpoint final : public Endpoint {
 public:
  // Throws when the address is taken.
  ExposerEndpoint(const std::string& listen, std::function<void(Families&)> collect)
      : collector_(std::make_shared<Collector>(std::move(collect))),
        exposer_({"listening_ports", listen, "num_threads", kThreads, "request_timeout_ms", kRequestTimeoutMs,
                  "enable_keep_alive", "no", "enable_directory_listing", "no"}) {
    exposer_.RegisterCollectable(collector_);
  }

  int port() const override { return exposer_.GetListeningPorts().at(0); }

 private:
  const std::shared_ptr<Collector> collector_;
  prometheus::Exposer exposer_;  // goes first: its threads use the collector
};

}  // namespace

absl::Status CheckListen(absl::string_view listen) {
  absl::string_view port = listen;
  uint32_t number = 0;
  const bool is_loopback = absl::ConsumePrefix(&port, "127.0.0.1:") || absl::ConsumePrefix(&port, "[::1]:");
  if (is_loopback && absl::SimpleAtoi(port, &number) && absl::StrCat(number) == port && number <= 65535) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("`metrics.listen` is `", listen, "`: expected ", kExpectedListen));
}

absl::StatusOr<std::unique_ptr<Endpoint>> Endpoint::Start(const std::string& listen,
                                                          std::function<void(Families&)> collect) {
  RETURN_IF_ERROR(CheckListen(listen));
  try {
    return std::make_unique<ExposerEndpoint>(listen, std::move(collect));
  } catch (const std::exception&) {
    return absl::UnavailableError(
        absl::StrCat("`metrics.listen` is `", listen, "`: expected a port that is free"));
  }
}

absl::StatusOr<std::unique_ptr<Endpoint>> StartAndAnnounce(const std::string& listen,
                                                           const std::string& data_dir,
                                                           std::function<void(Families&)> collect) {
  if (listen.empty()) return nullptr;
  ASSIGN_OR_RETURN(std::unique_ptr<Endpoint> endpoint, Endpoint::Start(listen, std::move(collect)));
  const std::string host = listen.substr(0, listen.rfind(':'));
  RETURN_IF_ERROR(WriteFileAtomically(data_dir + "/metrics-listen",
                                      absl::StrCat(host, ":", endpoint->port(), "\n"), 0600));
  return endpoint;
}

}  // namespace tsunagi::metrics
