#include "services/process/main.h"

#include <cstdio>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/clock.h"
#include "core/base/deadlock.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/crypto/library.h"
#include "identity/names.h"
#include "identity/people/reset.h"
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

// Accounts lie with the process that keeps them; see KeepsAccounts of ParticipantProcess.
int ResetAccount(const internal::v1::NodeConfig& config, const std::string& process,
                 const std::string& account, const std::string& password_file) {
  SystemRandom random;
  const absl::StatusOr<Keys> keys = LoadKeys(config.data_dir(), config.shared_dir(), random);
  if (!keys.ok()) return Fail("account-reset", keys.status());
  const SystemClock clock;
  const absl::StatusOr<std::string> id = people::ResetAdministrator(
      {config.data_dir() + "/store", identity::LogOrigin(process, config.participant(), config.federation()),
       keys->log, config.shared_dir() + "/sessions"},
      account, password_file, clock);
  if (!id.ok()) return Fail("account-reset", id.status());
  std::printf(
      "account %s: one-time password in %s, for 24 h\nnext: start the process, `tsunagi sign-in %s`, then "
      "`tsunagi account set-password %s`, and sign in again\n",
      id->c_str(), password_file.c_str(), id->c_str(), id->c_str());
  return 0;
}

}  // namespace

int Main(int argc, char** argv, const std::string& process,
         const std::function<absl::Status(const internal::v1::NodeConfig&)>& serve) {
  crypto::KeepLibraryUntilExit();
  StopDeadlockDetection();
  CLI::App app(absl::StrCat("Tsunagi ", process, " process"), absl::StrCat("tsunagi-", process));
  app.require_subcommand(1);
  std::string path;
  CLI::App* serve_command = app.add_subcommand("serve", "serve until SIGTERM or SIGINT");
  CLI::App* health_command = app.add_subcommand("health", "exit 0 when the process serves");
  CLI::App* rotate_command = app.add_subcommand(
      "rotate-signing-key", "make a new signing key for this participant, used from the next start on");
  CLI::App* reset_command = app.add_subcommand(
      "account-reset", "give an administrator a one-time password, while the process is stopped");
  std::string account;
  std::string password_file;
  reset_command->add_option("--account", account, "id; the only administrator when left out");
  reset_command->add_option("--password-file", password_file, "new file for the password, mode 0600")
      ->required();
  for (CLI::App* command : {serve_command, health_command, rotate_command, reset_command}) {
    command->add_option("--config", path, "configuration file (YAML)")->required();
  }
  CLI11_PARSE(app, argc, argv);

  const absl::StatusOr<internal::v1::NodeConfig> config = LoadConfig(path);
  if (!config.ok()) return Fail("configuration", config.status());
  log::Start(absl::StrCat("tsunagi-", process), config->log_level());
  if (health_command->parsed()) return PrintHealth(CheckHealth(*config, process));
  if (rotate_command->parsed()) return Rotate(config->shared_dir());
  if (reset_command->parsed()) return ResetAccount(*config, process, account, password_file);
  LogConfig(*config);
  const absl::Status status = serve(*config);
  if (status.ok()) return 0;
  log::Error("stopped", {{"reason", std::string(status.message())}});
  return Fail("serve", status);
}

}  // namespace tsunagi::process
