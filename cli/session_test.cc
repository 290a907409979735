// What a session shows to whom.
#include "cli/session.h"

#include <atomic>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ops/operations_service.h"
#include "tests/support/fake_clock.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_server.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using ops::v1::OperationsService;
using testing::IsOk;

// Counts the calls that carry a session.
class Listening final : public OperationsService::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetCheckpoint(grpc::CallbackServerContext* context,
                                          const ops::v1::GetCheckpointRequest*,
                                          ops::v1::GetCheckpointResponse*) override {
    sessions += static_cast<int>(context->client_metadata().count(rpc::kSessionHeader));
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  std::atomic<int> sessions = 0;
};

// A node of a participant.
class Node {
 public:
  Node(testing::TestFederation& federation, const Clock& clock, const std::string& label)
      : guard_({.own_label = label, .federation = federation.name()}, ops::OperationsRows(),
               federation.tokens(), federation.trust(), clock),
        server_(federation, label, "node") {}
  absl::Status Start() { return server_.Start(guard_, {&service_}); }
  std::string address() const { return server_.address(); }
  int sessions() const { return service_.sessions; }

 private:
  rpc::Guard guard_;
  Listening service_;
  testing::TlsServer server_;
};

// The operator of `agency`, signed in at its own node; the registrar is away.
class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    federation_.Add("agency");
    federation_.Add("maker");
  }
  void SetUp() override {
    ASSERT_THAT(own_.Start(), IsOk());
    ASSERT_THAT(grantor_.Start(), IsOk());
    const testing::TestCredential credential = federation_.Enrol("agency", "operator");
    const auto chain = crypto::ParseCertificatesPem(credential.chain_pem).value();
    ASSERT_THAT(WriteFileAtomically(dir_.File("operator.yaml"), Config(), 0600), IsOk());
    ASSERT_THAT(WriteFileAtomically(dir_.File("operator.key"), credential.key_pem, 0600), IsOk());
    ASSERT_THAT(profile_.SaveCertificates(chain, federation_.root()), IsOk());
    const absl::Time now = absl::Now();
    ASSERT_THAT(
        profile_.SaveToken(chain[0], {federation_.Token("agency", credential), now, now + absl::Hours(1)}),
        IsOk());
    ASSERT_THAT(profile_.SaveAccountSession({"a-0123456789", "a session's token", now + absl::Hours(1)}),
                IsOk());
    identity::v1::ListParticipantsResponse seen;
    *seen.add_participants()->mutable_participant() = federation_.Entry("maker");
    ASSERT_THAT(profile_.SaveParticipants(seen), IsOk());
  }
  std::string Config() const {
    return absl::StrCat(
        "federation: ", federation_.name(), "\nparticipant: agency\nnode: ", own_.address(),
        "\nregistrar:\n  address: 127.0.0.1:1\n  est_url: https://127.0.0.1:1\n  root_sha256: ",
        ToHex(federation_.root().sha256), "\n");
  }
  absl::Status CallNode(const Acting& acting) {
    auto session = Session::Open(profile_, absl::Seconds(10), acting);
    if (!session.ok()) return session.status();
    return (*session)
        ->Call<OperationsService>("node", &OperationsService::Stub::GetCheckpoint,
                                  ops::v1::GetCheckpointRequest())
        .status();
  }

  testing::FakeClock clock_{absl::Now()};
  testing::TestFederation federation_{clock_};
  const testing::TempDir dir_;
  const Profile profile_{dir_.path()};
  Node own_{federation_, clock_, "agency"};
  Node grantor_{federation_, clock_, "maker"};
};

TEST_F(SessionTest, GoesWithCallsToTheOwnNode) {
  ASSERT_THAT(CallNode({}), IsOk());

  EXPECT_EQ(own_.sessions(), 1);
}

TEST_F(SessionTest, IsNeverShownToAnotherParticipantsNode) {
  ASSERT_THAT(CallNode({.party = "maker", .node = grantor_.address()}), IsOk());

  EXPECT_EQ(grantor_.sessions(), 0);
  EXPECT_EQ(own_.sessions(), 0);
}

}  // namespace
}  // namespace tsunagi::cli
