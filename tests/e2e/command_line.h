// The command line as an operator runs it, and a registrar's process for it.
#pragma once

#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/app.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "services/identity/config.h"
#include "services/identity/registrar_process.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::e2e {

// What a command did.
struct Result {
  int code = 0;
  std::string out;
  std::string err;

  // Null when it is no JSON.
  nlohmann::json json() const {
    nlohmann::json parsed = nlohmann::json::parse(out, nullptr, /*allow_exceptions=*/false);
    return parsed.is_discarded() ? nlohmann::json() : parsed;
  }
};

// Runs `tsunagi` with the profile in this folder; what it tells people goes to `err` at once.
inline Result RunTsunagi(const std::string& profile, std::vector<std::string> arguments, std::ostream& err) {
  for (const char* more : {"--output", "json", "--profile"}) arguments.emplace_back(more);
  arguments.push_back(profile);
  std::ostringstream out;
  const int code = cli::Run(arguments, out, err);
  return {code, out.str(), ""};
}
inline Result RunTsunagi(const std::string& profile, std::vector<std::string> arguments) {
  std::ostringstream err;
  Result result = RunTsunagi(profile, std::move(arguments), err);
  result.err = err.str();
  return result;
}

// A registrar's process whose operators use the command line.
class RegistrarCommandsTest : public ::testing::Test {
 protected:
  // `config` says what differs from a registrar of federation `battery.example` on free ports.
  void StartRegistrar(internal::v1::RegistrarConfig config = {}) {
    config.set_data_dir(dir_.File("registrar"));
    config.set_listen("127.0.0.1:0");
    config.set_est_listen("127.0.0.1:0");
    config.set_federation("battery.example");
    ASSERT_THAT(identity::MistakesIn(config), ::testing::IsEmpty());
    auto started = identity::RegistrarProcess::Start(identity::WithDefaults(config), clock_);
    ASSERT_THAT(started, testing::IsOk());
    registrar_ = *std::move(started);
    const std::string root = registrar_->registrar().context().authority.Get()->root.certificate.sha256;
    const std::string yaml =
        absl::StrCat("federation: battery.example\nparticipant: registrar\nregistrar:\n  address: 127.0.0.1:",
                     registrar_->port(), "\n  est_url: https://127.0.0.1:", registrar_->est_port(),
                     "\n  root_sha256: ", ToHex(root), "\n");
    ASSERT_THAT(WriteFileAtomically(dir_.File("operator.yaml"), yaml, 0644), testing::IsOk());
  }
  // Enrols an operator of the registrar into a profile.
  void Enrol(const std::string& invitation_file, const std::string& profile = "profile") {
    Done({"enrol", "--invitation-file", invitation_file, "--config", dir_.File("operator.yaml")}, profile);
  }
  void EnrolFirst() { Enrol(dir_.File("registrar/operator-invitation")); }

  Result Tsunagi(std::vector<std::string> arguments, const std::string& profile = "profile") const {
    return RunTsunagi(dir_.File(profile), std::move(arguments));
  }
  // What a command says that must succeed.
  nlohmann::json Done(std::vector<std::string> arguments, const std::string& profile = "profile") const {
    const Result result = Tsunagi(std::move(arguments), profile);
    EXPECT_EQ(result.code, cli::kExitOk) << result.err;
    return result.code == cli::kExitOk ? result.json() : nlohmann::json();
  }
  // A file that its owner alone can read.
  std::string Secret(const std::string& name, const std::string& content) const {
    EXPECT_THAT(WriteFileAtomically(dir_.File(name), content + "\n", 0600), testing::IsOk());
    return dir_.File(name);
  }

  const testing::TempDir dir_;
  const SystemClock clock_{};
  std::unique_ptr<identity::RegistrarProcess> registrar_;
};

}  // namespace tsunagi::e2e
