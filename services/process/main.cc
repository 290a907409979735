#include "services/process/main.h"

#include <cstdio>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/log.h"
#include "core/crypto/library.h"
#include "services/process/config.h"
#include "services/process/health.h"
#include "services/process/keys.h"

namespace tsunagi::process {
namespace {

int Fail(absl::string_view command, const absl::Status& status) {
  std::fprintf(stderr, "%s: %s\n", std::string(command).c_str(), std::string(status.message()).c_str());
  return 1;
}

// The effective configuration, once: it holds paths of secrets, never secrets.
void LogConfig(const internal::v1::NodeConfig& config) {
  log::Info("starting", {{"config", config.ShortDebugString()}});
}

int PrintHealth(const absl::StatusOr<ops::v1::GetHealthResponse>& health) {
  if (!health.ok()) return Fail("health", health.status());
  const bool serving = health->state() == ops::v1::HEALTH_STATE_SERVING;
  std::printf("%s, status list %llu s old, certificate for %lld s\n", serving ? "serving" : "not serving",
              static_cast<unsigned long long>(health->status_list_age_seconds()),
              static_cast<long long>(health->certificate_expires_in_seconds()));
  for (const std::string& note : health->notes()) std::printf("%s\n", note.c_str());
  return serving ? 0 : 1;
}

int Rotate(const std::string& shared_dir) {
  const absl::StatusOr<std::string> key_id = RotateSigningKey(shared_dir);
  if (!key_id.ok()) return Fail("rotate-signing-key", key_id.status());
  std::printf("signing key %s: restart every process of this participant; the one before ends 24 h after\n",
              key_id->c_str());
  return 0;
}

}  // namespace

int Main(int argc, char** argv, const std::string& process,
         const std::function<absl::Status(const internal::v1::NodeConfig&)>& serve) {
  crypto::KeepLibraryUntilExit();
  CLI::App app(absl::StrCat("Tsunagi ", process, " process"), absl::StrCat("tsunagi-", process));
  app.require_subcommand(1);
  std::string path;
  CLI::App* serve_command = app.add_subcommand("serve", "serve until SIGTERM or SIGINT");
  CLI::App* health_command = app.add_subcommand("health", "exit 0 when the process serves");
  CLI::App* rotate_command = app.add_subcommand(
      "rotate-signing-key", "make a new signing key for this participant, used from the next start on");
  for (CLI::App* command : {serve_command, health_command, rotate_command}) {
    command->add_option("--config", path, "configuration file (YAML)")->required();
  }
  CLI11_PARSE(app, argc, argv);

  const absl::StatusOr<internal::v1::NodeConfig> config = LoadConfig(path);
  if (!config.ok()) return Fail("configuration", config.status());
  log::Start(absl::StrCat("tsunagi-", process), config->log_level());
  if (health_command->parsed()) return PrintHealth(CheckHealth(*config, process));
  if (rotate_command->parsed()) return Rotate(config->shared_dir());
  LogConfig(*config);
  const absl::Status status = serve(*config);
  if (status.ok()) return 0;
  log::Error("stopped", {{"reason", std::string(status.message())}});
  return Fail("serve", status);
}

}  // namespace tsunagi::process
