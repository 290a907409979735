#include "services/process/config.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/config.h"
#include "core/base/did.h"
#include "core/base/status_macros.h"
#include "identity/names.h"
#include "services/metrics/endpoint.h"
#include "services/process/openid_config.h"
#include "services/process/stamper.h"

namespace tsunagi::process {
namespace {

constexpr uint64_t kDay = 86400;
// A suspension is to reach every node within 10 s. The next fetch begins this long after the last has ended,
// so what remains is for two of them.
constexpr uint64_t kTrustRefreshSeconds = 8;

using Mistakes = std::vector<FieldMistake>;

void Add(Mistakes& mistakes, absl::string_view field, absl::string_view value, absl::string_view expected) {
  mistakes.push_back({std::string(field), std::string(value), std::string(expected)});
}

bool IsHostAndPort(absl::string_view address) {
  const size_t colon = address.rfind(':');
  uint32_t port = 0;
  return colon != absl::string_view::npos && colon > 0 &&
         absl::SimpleAtoi(address.substr(colon + 1), &port) && port <= 65535;
}

bool IsAnyAddress(absl::string_view address) {
  return absl::StartsWith(address, "0.0.0.0:") || absl::StartsWith(address, "[::]:");
}

void CheckAddress(absl::string_view field, absl::string_view address, Mistakes& mistakes) {
  if (!IsHostAndPort(address)) Add(mistakes, field, address, "`host:port`");
}

void CheckRegistrar(const internal::v1::RegistrarAddress& registrar, Mistakes& mistakes) {
  CheckAddress("registrar.address", registrar.address(), mistakes);
  if (!absl::StartsWith(registrar.est_url(), "https://")) {
    Add(mistakes, "registrar.est_url", registrar.est_url(), "the `https://host:port` of the invitation");
  }
  if (registrar.root_sha256().size() != 64 || !FromHex(registrar.root_sha256()).ok()) {
    Add(mistakes, "registrar.root_sha256", registrar.root_sha256(),
        "64 lower-case hex digits, as the invitation says");
  }
}

void CheckListen(const internal::v1::NodeConfig& config, Mistakes& mistakes) {
  CheckAddress("listen", config.listen(), mistakes);
  if (!config.advertise().empty()) CheckAddress("advertise", config.advertise(), mistakes);
  if (config.advertise().empty() && IsAnyAddress(config.listen())) {
    Add(mistakes, "advertise", "",
        "the `host:port` by which others reach this process, since it listens on all");
  }
  if (!config.passport_address().empty()) {
    CheckAddress("passport_address", config.passport_address(), mistakes);
  }
  if (!config.catalog_address().empty()) CheckAddress("catalog_address", config.catalog_address(), mistakes);
}

}  // namespace

std::vector<FieldMistake> MistakesIn(const internal::v1::NodeConfig& config) {
  Mistakes mistakes;
  if (config.data_dir().empty()) Add(mistakes, "data_dir", "", "a folder for keys, certificate and store");
  CheckListen(config, mistakes);
  if (const absl::Status status = identity::CheckFederation(config.federation()); !status.ok()) {
    Add(mistakes, "federation", config.federation(), "a DNS name such as `battery.example`");
  }
  if (!Label::Parse(config.participant()).ok()) {
    Add(mistakes, "participant", config.participant(), "the label that the registrar gave this participant");
  }
  CheckRegistrar(config.registrar(), mistakes);
  const std::string& level = config.log_level();
  if (!level.empty() && level != "debug" && level != "info" && level != "warning" && level != "error") {
    Add(mistakes, "log_level", level, "debug, info, warning or error");
  }
  if (config.trust_refresh_seconds() > 3600) {
    Add(mistakes, "trust_refresh_seconds", absl::StrCat(config.trust_refresh_seconds()), "at most 3600");
  }
  if (config.cosign_seconds() > 3600) {
    Add(mistakes, "cosign_seconds", absl::StrCat(config.cosign_seconds()), "at most 3600");
  }
  if (config.status_list_max_age_seconds() > 30 * kDay) {
    Add(mistakes, "status_list_max_age_seconds", absl::StrCat(config.status_list_max_age_seconds()),
        "at most 2592000 (30 days)");
  }
  if (config.has_stamping_authority()) {
    for (FieldMistake& mistake : MistakesIn(config.stamping_authority()))
      mistakes.push_back(std::move(mistake));
  }
  if (config.has_openid_provider()) {
    const Mistakes more = MistakesInOpenId(config.openid_provider());
    mistakes.insert(mistakes.end(), more.begin(), more.end());
  }
  if (config.has_metrics() && !metrics::CheckListen(config.metrics().listen()).ok()) {
    Add(mistakes, "metrics.listen", config.metrics().listen(), std::string(metrics::kExpectedListen));
  }
  return mistakes;
}

internal::v1::NodeConfig WithDefaults(internal::v1::NodeConfig config) {
  if (config.shared_dir().empty()) config.set_shared_dir(config.data_dir());
  if (config.log_level().empty()) config.set_log_level("info");
  if (config.status_list_max_age_seconds() == 0) config.set_status_list_max_age_seconds(kDay);
  if (config.trust_refresh_seconds() == 0) config.set_trust_refresh_seconds(kTrustRefreshSeconds);
  if (config.cosign_seconds() == 0) config.set_cosign_seconds(60);
  return config;
}

absl::StatusOr<internal::v1::NodeConfig> LoadConfig(const std::string& path) {
  internal::v1::NodeConfig config;
  RETURN_IF_ERROR(LoadYamlFile(path, config, [](const google::protobuf::Message& read) {
    return MistakesIn(static_cast<const internal::v1::NodeConfig&>(read));
  }));
  return WithDefaults(std::move(config));
}

}  // namespace tsunagi::process
