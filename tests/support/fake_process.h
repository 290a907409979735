// A process of a participant, without enrolment, registrar or server.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "identity/revoked_mandates.h"
#include "services/process/participant_process.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/federation.h"
#include "tests/support/passport_node.h"

namespace tsunagi::testing {

// What a process of `maker` gives to its services, over a TestFederation.
class FakeProcess final : public process::ParticipantProcess {
 public:
  // `shared_dir` is where mandates are revoked, if they are.
  FakeProcess(TestFederation& federation, FakeClock& clock, std::vector<rpc::AccessRow> rows,
              const std::string& shared_dir = "")
      : federation_(federation),
        clock_(clock),
        records_(federation, clock, "maker"),
        guard_({.own_label = "maker",
                .federation = federation.name(),
                .revoked_mandates = std::make_shared<const identity::RevokedMandates>(shared_dir)},
               std::move(rows), federation.tokens(), federation.trust(), clock) {}

  const Clock& clock() const override { return clock_; }
  Random& random() override { return random_; }
  audit::Journal& journal() override { return records_.journal(); }
  const identity::TrustStore& trust() const override { return federation_.trust(); }
  const std::string& did() const override { return records_.did(); }
  const std::string& label() const override { return label_; }
  const crypto::PrivateKey& signing_key() const override { return records_.context().signing_key; }
  const std::string& seal_key() const override { return key_; }
  const std::string& node_key() const override { return key_; }
  rpc::WorkerPool& workers() override { return workers_; }
  rpc::WorkerPool& inbound() override { return inbound_; }
  rpc::Guard& guard() override { return guard_; }
  people::SessionTable& sessions() override { return sessions_; }
  const std::string& session_file() const override { return session_file_; }
  absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelTo(absl::string_view, absl::string_view) override {
    if (self == nullptr) return absl::NotFoundError("no such process");
    return self;
  }
  absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelToRegistrar() override {
    if (registrar == nullptr) return absl::UnavailableError("no registrar");
    return registrar;
  }
  absl::Status Serve(const std::vector<grpc::Service*>&) override { return absl::OkStatus(); }
  void Stop() override {}

  TestPassportNode& records() { return records_; }

  // Where other processes are, if there are any.
  std::shared_ptr<grpc::Channel> self;
  std::shared_ptr<grpc::Channel> registrar;

 private:
  TestFederation& federation_;
  FakeClock& clock_;
  FakeRandom random_{7};
  const std::string label_ = "maker";
  const std::string key_ = "a key of the test's node, 32 byte";
  people::SessionTable sessions_{clock_};
  const std::string session_file_;  // nobody keeps accounts here
  TestPassportNode records_;
  rpc::Guard guard_;
  rpc::WorkerPool workers_{2, 64};
  rpc::WorkerPool inbound_{2, 64};
};

}  // namespace tsunagi::testing
