// tsunagi-identity, the registrar (登録機関): `serve --config FILE` and `health --config FILE`.
#include <cstdio>
#include <string>

#include "CLI/CLI.hpp"
#include "core/base/log.h"
#include "core/crypto/library.h"
#include "identity/names.h"
#include "services/identity/config.h"
#include "services/identity/registrar_process.h"
#include "services/process/health.h"
#include "services/process/signals.h"

namespace tsunagi::identity {
namespace {

int Fail(const char* what, const absl::Status& status) {
  std::fprintf(stderr, "%s: %s\n", what, std::string(status.message()).c_str());
  return 1;
}

int Serve(const internal::v1::RegistrarConfig& config) {
  process::StopSignals signals;
  log::Info("starting", {{"config", config.ShortDebugString()}});
  const SystemClock clock;
  const auto started = RegistrarProcess::Start(config, clock);
  if (!started.ok()) return Fail("serve", started.status());
  log::Info("serving", {{"port", std::to_string((*started)->port())},
                        {"est_port", std::to_string((*started)->est_port())}});
  signals.Wait();
  log::Info("draining");
  return 0;
}

int Health(const internal::v1::RegistrarConfig& config) {
  internal::v1::NodeConfig own;
  own.set_data_dir(config.data_dir());
  own.set_federation(config.federation());
  own.set_participant(std::string(kRegistrarLabel));
  const auto health = process::CheckHealth(own, std::string(kRegistrarLabel));
  if (!health.ok()) return Fail("health", health.status());
  std::printf("%s\n", health->ShortDebugString().c_str());
  return health->state() == ops::v1::HEALTH_STATE_SERVING ? 0 : 1;
}

}  // namespace
}  // namespace tsunagi::identity

int main(int argc, char** argv) {
  using namespace tsunagi;
  crypto::KeepLibraryUntilExit();
  CLI::App app("Tsunagi registrar", "tsunagi-identity");
  app.require_subcommand(1);
  std::string path;
  CLI::App* const serve = app.add_subcommand("serve", "serve until SIGTERM or SIGINT");
  CLI::App* const health = app.add_subcommand("health", "exit 0 when the registrar serves");
  for (CLI::App* command : {serve, health}) {
    command->add_option("--config", path, "configuration file (YAML)")->required();
  }
  CLI11_PARSE(app, argc, argv);
  const auto config = identity::LoadConfig(path);
  if (!config.ok()) return identity::Fail("configuration", config.status());
  log::Start("tsunagi-identity", config->log_level());
  return serve->parsed() ? identity::Serve(*config) : identity::Health(*config);
}
