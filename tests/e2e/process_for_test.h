// A participant's process against a real registrar, both in this program.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/identity/config.h"
#include "services/identity/registrar_process.h"
#include "services/ops/operations_service.h"
#include "services/process/config.h"
#include "services/process/health.h"
#include "services/process/participant_process.h"
#include "tests/support/caller.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::process {

inline constexpr char kFederation[] = "battery.example";

inline absl::Status WriteText(const std::string& path, absl::string_view text) {
  return WriteFileAtomically(path, text, 0600);
}

// Serves on a thread of its own until it goes.
class Running {
 public:
  explicit Running(ParticipantProcess& process)
      : process_(process), thread_([this] { status_ = process_.Serve({}); }) {}
  ~Running() { Stop().IgnoreError(); }
  absl::Status Stop() {
    process_.Stop();
    if (thread_.joinable()) thread_.join();
    return status_;
  }

 private:
  ParticipantProcess& process_;
  absl::Status status_;
  std::thread thread_;
};

class ProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StartRegistrar("127.0.0.1:0", "127.0.0.1:0");
    identity::v1::ApplyRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_approve(true);
    request.mutable_participant()->set_label("oem");
    request.mutable_participant()->set_name_latin("OEM");
    const auto registered = identity::WaitFor<identity::v1::ApplyResponse>(
        [&](auto done) { registrar_->registrar().membership().Apply(operator_, request, std::move(done)); });
    ASSERT_THAT(registered, testing::IsOk());
    did_ = registered->participant().did();
    Invite();
  }

  void StartRegistrar(const std::string& listen, const std::string& est_listen) {
    internal::v1::RegistrarConfig config;
    config.set_data_dir(dir_.File("registrar"));
    config.set_listen(listen);
    config.set_est_listen(est_listen);
    config.set_federation(kFederation);
    Adjust(config);
    auto started = identity::RegistrarProcess::Start(identity::WithDefaults(config), clock_);
    ASSERT_THAT(started, testing::IsOk());
    registrar_ = *std::move(started);
    address_ = absl::StrCat("127.0.0.1:", registrar_->port());
    est_address_ = absl::StrCat("127.0.0.1:", registrar_->est_port());
  }

  // What a test wants different about the registrar.
  virtual void Adjust(internal::v1::RegistrarConfig&) {}

  absl::StatusOr<identity::v1::CreateInvitationResponse> InviteProcess(const std::string& process) {
    identity::v1::CreateInvitationRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_label("oem");
    request.add_processes(process);
    return identity::WaitFor<identity::v1::CreateInvitationResponse>([&](auto done) {
      registrar_->registrar().enrolment().CreateInvitation(operator_, request, std::move(done));
    });
  }

  void Invite() {
    const auto invitation = InviteProcess("node");
    ASSERT_THAT(invitation, testing::IsOk());
    ASSERT_THAT(WriteText(dir_.File("code"), invitation->code() + "\n"), testing::IsOk());
    config_.set_data_dir(dir_.File("node"));
    config_.set_listen("127.0.0.1:0");
    config_.set_federation(kFederation);
    config_.set_participant("oem");
    config_.mutable_registrar()->set_address(address_);
    config_.mutable_registrar()->set_est_url(invitation->url());
    config_.mutable_registrar()->set_root_sha256(invitation->root_sha256());
    config_.mutable_invitation()->set_code_file(dir_.File("code"));
    config_.set_trust_refresh_seconds(1);
    config_.set_cosign_seconds(1);
  }

  std::unique_ptr<ParticipantProcess> Start() {
    auto started = ParticipantProcess::Start(config_, "node", {});
    EXPECT_THAT(started, testing::IsOk());
    return started.ok() ? *std::move(started) : nullptr;
  }

  bool Healthy() const {
    const auto health = CheckHealth(config_, "node");
    return health.ok() && health->state() == ops::v1::HEALTH_STATE_SERVING;
  }

  const testing::TempDir dir_;
  const SystemClock clock_{};
  SystemRandom random_;
  const Caller operator_ = CallerForTest::Make("did:web:battery.example:participants:registrar", "registrar",
                                               "operator", {"registrar"});
  std::unique_ptr<identity::RegistrarProcess> registrar_;
  std::string address_;
  std::string est_address_;
  std::string did_;
  internal::v1::NodeConfig config_;
};

}  // namespace tsunagi::process
