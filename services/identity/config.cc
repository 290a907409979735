#include "services/identity/config.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/config.h"
#include "core/base/did.h"
#include "core/base/status_macros.h"
#include "identity/checks.h"
#include "identity/names.h"
#include "services/http/egress.h"
#include "services/metrics/endpoint.h"
#include "services/process/openid_config.h"
#include "services/process/stamper.h"

namespace tsunagi::identity {
namespace {

constexpr uint64_t kDay = 24 * 3600;
constexpr uint64_t kFederationRefresh = 30;

// A listen address may have port 0.
bool IsListenAddress(absl::string_view address) {
  return CheckAddress(address).ok() ||
         (absl::EndsWith(address, ":0") &&
          CheckAddress(absl::StrCat(address.substr(0, address.size() - 1), "1")).ok());
}

}  // namespace

internal::v1::RegistrarConfig WithDefaults(internal::v1::RegistrarConfig config) {
  if (config.did_host().empty()) config.set_did_host(config.federation());
  if (config.certificate_seconds() == 0) config.set_certificate_seconds(7 * kDay);
  if (config.token_seconds() == 0) config.set_token_seconds(kDay);
  if (config.log_level().empty()) config.set_log_level("info");
  if (config.federation_refresh_seconds() == 0) config.set_federation_refresh_seconds(kFederationRefresh);
  return config;
}

std::vector<FieldMistake> MistakesIn(const internal::v1::RegistrarConfig& given) {
  const internal::v1::RegistrarConfig config = WithDefaults(given);
  std::vector<FieldMistake> mistakes;
  const auto expect = [&](bool ok, absl::string_view field, absl::string_view value,
                          absl::string_view expected) {
    if (!ok) mistakes.push_back({std::string(field), std::string(value), std::string(expected)});
  };
  expect(!config.data_dir().empty(), "data_dir", config.data_dir(), "a folder");
  expect(IsListenAddress(config.listen()), "listen", config.listen(), "host:port");
  expect(IsListenAddress(config.est_listen()), "est_listen", config.est_listen(), "host:port");
  expect(config.advertise().empty() || CheckAddress(config.advertise()).ok(), "advertise", config.advertise(),
         "host:port");
  expect(config.est_advertise().empty() || CheckAddress(config.est_advertise()).ok(), "est_advertise",
         config.est_advertise(), "host:port");
  expect(CheckFederation(config.federation()).ok(), "federation", config.federation(),
         "a DNS name in lower case such as battery.example");
  expect(given.did_host().empty() || Did::Parse(absl::StrCat("did:web:", config.did_host())).ok(), "did_host",
         config.did_host(), "a DNS name in lower case");
  expect(config.certificate_seconds() >= 60 && config.certificate_seconds() <= 90 * kDay,
         "certificate_seconds", absl::StrCat(config.certificate_seconds()), "60 to 7776000 (90 days)");
  expect(config.token_seconds() >= 60 && config.token_seconds() <= kDay, "token_seconds",
         absl::StrCat(config.token_seconds()), "60 to 86400 (24 h)");
  if (config.has_stamping_authority()) {
    for (FieldMistake& mistake : process::MistakesIn(config.stamping_authority()))
      mistakes.push_back(std::move(mistake));
  }
  if (config.has_openid_provider()) {
    const std::vector<FieldMistake> more = process::MistakesInOpenId(config.openid_provider());
    mistakes.insert(mistakes.end(), more.begin(), more.end());
  }
  expect(config.federation_refresh_seconds() <= 3600, "federation_refresh_seconds",
         absl::StrCat(config.federation_refresh_seconds()), "1 to 3600 (1 h)");
  for (const std::string& address : config.federation_addresses()) {
    expect(http::IsWrittenAddress(address), "federation_addresses", address,
           "an IP address such as 10.1.2.3");
  }
  expect(!config.has_metrics() || metrics::CheckListen(config.metrics().listen()).ok(), "metrics.listen",
         config.metrics().listen(), metrics::kExpectedListen);
  return mistakes;
}

absl::StatusOr<internal::v1::RegistrarConfig> LoadConfig(const std::string& path) {
  internal::v1::RegistrarConfig config;
  RETURN_IF_ERROR(LoadYamlFile(path, config, [](const google::protobuf::Message& read) {
    return MistakesIn(static_cast<const internal::v1::RegistrarConfig&>(read));
  }));
  return WithDefaults(std::move(config));
}

}  // namespace tsunagi::identity
