// tsunagi-identity, the registrar (登録機関): serve, health, backup, resume-after-restore.
#include <cstdio>
#include <string>

#include "CLI/CLI.hpp"
#include "core/base/deadlock.h"
#include "core/base/log.h"
#include "core/crypto/library.h"
#include "identity/names.h"
#include "services/identity/account_reset.h"
#include "services/identity/backup.h"
#include "services/identity/config.h"
#include "services/identity/registrar_process.h"
#include "services/identity/resume.h"
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

int Backup(const internal::v1::RegistrarConfig& config, const std::string& to) {
  const SystemClock clock;
  const auto report = BackUp(config, to, clock);
  if (!report.ok()) return Fail("backup", report.status());
  std::printf("copied to %s\n", to.c_str());
  for (const std::string& key : report->copied_keys) {
    std::printf("secret: keys/%s is in it (mode 0600): keep the copy encrypted\n", key.c_str());
  }
  for (const std::string& key : report->hardware_keys) {
    std::printf("not copied: the key of keys/%s stays in its token, back that up by its own means\n",
                key.c_str());
  }
  return 0;
}

int Resume(const internal::v1::RegistrarConfig& config, const ResumeOptions& options) {
  const SystemClock clock;
  const auto record = ResumeAfterRestore(config, options, clock);
  if (!record.ok()) return Fail("resume-after-restore", record.status());
  std::printf("asked: %d of the members' processes answered\n", record->asked_size());
  std::printf("log: %s begins a new epoch; %llu of its %llu known leaves are here\n",
              record->origin().c_str(), static_cast<unsigned long long>(record->held()),
              static_cast<unsigned long long>(record->size()));
  for (const std::string& did : record->suspended_again()) {
    std::printf("suspended or gone, as members knew: %s\n", did.c_str());
  }
  std::printf(
      "next: start the registrar; look through members, amendments and accounts; invite again whoever was "
      "invited (docs/operations.md)\n");
  return 0;
}

int ResetAccount(const internal::v1::RegistrarConfig& config, const std::string& account,
                 const std::string& password_file) {
  const SystemClock clock;
  const auto id = ResetOperatorAccount(config, account, password_file, clock);
  if (!id.ok()) return Fail("account-reset", id.status());
  std::printf(
      "account %s: one-time password in %s, for 24 h\nnext: start the registrar, `tsunagi sign-in %s`, then "
      "`tsunagi account set-password %s`, and sign in again\n",
      id->c_str(), password_file.c_str(), id->c_str(), id->c_str());
  return 0;
}

int Main(int argc, char** argv) {
  crypto::KeepLibraryUntilExit();
  StopDeadlockDetection();
  CLI::App app("Tsunagi registrar", "tsunagi-identity");
  app.require_subcommand(1);
  std::string path;
  CLI::App* const serve = app.add_subcommand("serve", "serve until SIGTERM or SIGINT");
  CLI::App* const health = app.add_subcommand("health", "exit 0 when the registrar serves");
  CLI::App* const backup = app.add_subcommand("backup", "copy store and keys, while it serves or is stopped");
  std::string to;
  backup->add_option("--to", to, "new folder for the copy")->required();
  CLI::App* const resume =
      app.add_subcommand("resume-after-restore",
                         "go on from an older copy and from what members hold; the registrar is stopped");
  ResumeOptions options;
  resume->add_option("--reason", options.reason, "why, for the record")->required();
  resume->add_flag("--without-members", options.without_members,
                   "although too few members can be asked: what they hold is then not known");
  CLI::App* const reset = app.add_subcommand(
      "account-reset", "give an administrator a one-time password, while the registrar is stopped");
  std::string account;
  std::string password_file;
  reset->add_option("--account", account, "id; the only administrator when left out");
  reset->add_option("--password-file", password_file, "new file for the password, mode 0600")->required();
  for (CLI::App* command : {serve, health, backup, resume, reset}) {
    command->add_option("--config", path, "configuration file (YAML)")->required();
  }
  CLI11_PARSE(app, argc, argv);
  const auto config = LoadConfig(path);
  if (!config.ok()) return Fail("configuration", config.status());
  log::Start("tsunagi-identity", config->log_level());
  if (reset->parsed()) return ResetAccount(*config, account, password_file);
  if (backup->parsed()) return Backup(*config, to);
  if (resume->parsed()) return Resume(*config, options);
  return serve->parsed() ? Serve(*config) : Health(*config);
}

}  // namespace
}  // namespace tsunagi::identity

int main(int argc, char** argv) { return tsunagi::identity::Main(argc, argv); }
