#include "services/rpc/server.h"

#include <atomic>
#include <future>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/rpc/worker_pool.h"
#include "tests/support/fake_clock.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tls_server.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::rpc {
namespace {

using ops::v1::OperationsService;
using testing::CallRaw;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TestCredential;

constexpr char kHealth[] = "/tsunagi.ops.v1.OperationsService/GetHealth";
constexpr char kRenew[] = "/tsunagi.ops.v1.OperationsService/RenewCertificate";
constexpr char kCheckpoint[] = "/tsunagi.ops.v1.OperationsService/GetCheckpoint";
constexpr char kLeaves[] = "/tsunagi.ops.v1.OperationsService/ListLeaves";
constexpr char kStamps[] = "/tsunagi.ops.v1.OperationsService/ListStamps";

using Handler = std::function<void(const Caller&, Finish)>;

// GetHealth does what the test says; GetCheckpoint answers with the caller's label.
class TestService final : public OperationsService::CallbackService {
 public:
  explicit TestService(Guard& guard) : guard_(guard) {}
  Handler health = [](const Caller&, const Finish& finish) { finish(absl::OkStatus()); };

  grpc::ServerUnaryReactor* GetHealth(grpc::CallbackServerContext* context, const ops::v1::GetHealthRequest*,
                                      ops::v1::GetHealthResponse*) override {
    return guard_.Serve(context, health);
  }
  grpc::ServerUnaryReactor* GetCheckpoint(grpc::CallbackServerContext* context,
                                          const ops::v1::GetCheckpointRequest*,
                                          ops::v1::GetCheckpointResponse* response) override {
    return guard_.Serve(context, [&](const Caller& caller, const Finish& finish) {
      response->set_checkpoint(caller.label());
      finish(absl::OkStatus());
    });
  }

 private:
  Guard& guard_;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    federation_.Add("oem");
    federation_.Add("dealer");
  }

  // TLS looks at the machine's clock.
  testing::FakeClock clock_{absl::Now()};
  testing::TestFederation federation_{clock_};
  Guard guard_{
      {.own_label = "oem", .federation = "battery.example", .default_deadline = absl::Milliseconds(50)},
      {{kHealth, Who::kParticipant},
       {kCheckpoint, Who::kParticipant},
       {kRenew, Who::kOwnOperator},
       {kLeaves, Who::kOwnOperator},
       {kStamps, Who::kParticipant}},
      federation_.tokens(),
      federation_.trust(),
      clock_};
  TestService service_{guard_};
  testing::TlsServer server_{federation_, "oem", "node"};
  TestCredential dealer_ = federation_.Enrol("dealer", "node");

  std::shared_ptr<grpc::Channel> Start() {
    EXPECT_THAT(server_.Start(guard_, {&service_}), IsOk());
    return server_.Channel(dealer_, federation_.Token("dealer", dealer_));
  }
};

TEST_F(ServerTest, DoesNotStartWithAMethodThatHasNoRow) {
  Guard guard({"oem", "battery.example"},
              {{kHealth, Who::kParticipant},
               {kCheckpoint, Who::kParticipant},
               {kRenew, Who::kOwnOperator},
               {kStamps, Who::kParticipant}},
              federation_.tokens(), federation_.trust(), clock_);

  EXPECT_THAT(server_.Start(guard, {&service_}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("`/tsunagi.ops.v1.OperationsService/ListLeaves` has no")));
}

TEST_F(ServerTest, DoesNotStartWithARowThatHasNoMethod) {
  Guard guard({"oem", "battery.example"},
              {{kHealth, Who::kParticipant},
               {kCheckpoint, Who::kParticipant},
               {kRenew, Who::kOwnOperator},
               {kLeaves, Who::kOwnOperator},
               {kStamps, Who::kParticipant},
               {"/tsunagi.ops.v1.OperationsService/Gone", Who::kParticipant}},
              federation_.tokens(), federation_.trust(), clock_);

  EXPECT_THAT(server_.Start(guard, {&service_}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("Gone")));
}

TEST_F(ServerTest, DoesNotStartWithACertificateOfAnotherKey) {
  ServerOptions options = server_.Options();
  ASSERT_THAT(WriteFileAtomically(options.tls.certificate_path, dealer_.chain_pem, 0600), IsOk());

  EXPECT_THAT(Server::Start(options, guard_, {&service_}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("tls.crt")));
}

TEST_F(ServerTest, DoesNotStartWithoutItsFiles) {
  ServerOptions options = server_.Options();
  options.tls.root_path += ".missing";

  EXPECT_THAT(Server::Start(options, guard_, {&service_}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(".missing")));
}

TEST_F(ServerTest, DoesNotShareItsPort) {
  Start();
  ServerOptions options = server_.Options();
  options.listen = server_.address();

  EXPECT_THAT(Server::Start(options, guard_, {&service_}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("`listen`")));
}

TEST_F(ServerTest, TellsTheHandlerWhoCalls) {
  const auto stub = OperationsService::NewStub(Start());
  grpc::ClientContext context;
  ops::v1::GetCheckpointResponse response;

  ASSERT_THAT(FromGrpcStatus(stub->GetCheckpoint(&context, {}, &response)), IsOk());

  EXPECT_EQ(response.checkpoint(), "dealer");
}

TEST_F(ServerTest, IsNotCalledByAClientThatExpectsAnotherProcess) {
  Start();
  const auto channel =
      NewChannel(server_.address(), ProcessDnsName("node", "cell-maker", "battery.example"), dealer_.key_pem,
                 dealer_.chain_pem, federation_.root_pem(), federation_.Token("dealer", dealer_));

  EXPECT_THAT(CallRaw(channel, kHealth), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ServerTest, RefusesAMessageOverTheLimitAndTheConnectionLives) {
  std::atomic<int> runs = 0;
  service_.health = [&](const Caller&, const Finish& finish) {
    ++runs;
    finish(absl::OkStatus());
  };
  const auto channel = Start();

  EXPECT_THAT(CallRaw(channel, kHealth, {}, std::string((4 << 20) + 1, '\0')),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(runs, 0);
  EXPECT_THAT(CallRaw(channel, kHealth), IsOk());
  EXPECT_EQ(runs, 1);
}

TEST_F(ServerTest, RefusesCompressedRequestsAndTheConnectionLives) {
  const auto channel = Start();
  const auto stub = OperationsService::NewStub(channel);
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  ops::v1::GetHealthResponse response;

  EXPECT_EQ(stub->GetHealth(&context, {}, &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(CallRaw(channel, kHealth), IsOk());
}

TEST_F(ServerTest, CancelsACallWithoutDeadlineAndItsHandlerMayStillFinish) {
  std::promise<Finish> handed;
  service_.health = [&](const Caller&, Finish finish) { handed.set_value(std::move(finish)); };
  const auto stub = OperationsService::NewStub(Start());
  grpc::ClientContext context;
  ops::v1::GetHealthResponse response;

  EXPECT_EQ(stub->GetHealth(&context, {}, &response).error_code(), grpc::StatusCode::CANCELLED);

  handed.get_future().get()(absl::OkStatus());
}

TEST_F(ServerTest, EndsACallWhoseHandlerDroppedIt) {
  service_.health = [](const Caller&, const Finish&) {};

  EXPECT_THAT(CallRaw(Start(), kHealth), StatusIs(absl::StatusCode::kInternal));
}

TEST_F(ServerTest, TakesTheFirstOfSeveralFinishes) {
  service_.health = [](const Caller&, const Finish& finish) {
    finish(absl::NotFoundError("first"));
    finish(absl::OkStatus());
  };

  EXPECT_THAT(CallRaw(Start(), kHealth), StatusIs(absl::StatusCode::kNotFound, "first"));
}

TEST_F(ServerTest, LetsCallsInFlightFinishWhenItDrains) {
  std::promise<Finish> handed;
  service_.health = [&](const Caller&, Finish finish) { handed.set_value(std::move(finish)); };
  const auto channel = Start();
  auto answer = std::async(std::launch::async, [&] { return CallRaw(channel, kHealth); });
  Finish finish = handed.get_future().get();

  std::thread drain([&] { server_.server().Drain(absl::Seconds(10)); });
  finish(absl::OkStatus());

  EXPECT_THAT(answer.get(), IsOk());
  drain.join();
  EXPECT_THAT(CallRaw(channel, kHealth), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ServerTest, CountsEachCallByMethodCodeAndDuration) {
  const auto channel = Start();
  const CallCounts::Method& health = *guard_.counts().Find(kHealth);
  const auto count = [&](absl::StatusCode code) { return health.codes[static_cast<size_t>(code)].load(); };

  ASSERT_THAT(CallRaw(channel, kHealth), IsOk());
  ASSERT_THAT(CallRaw(channel, kHealth), IsOk());
  service_.health = [](const Caller&, const Finish& finish) { finish(absl::NotFoundError("none")); };
  ASSERT_THAT(CallRaw(channel, kHealth), StatusIs(absl::StatusCode::kNotFound));

  EXPECT_EQ(count(absl::StatusCode::kOk), 2u);
  EXPECT_EQ(count(absl::StatusCode::kNotFound), 1u);
  const Histogram::Reading took = health.nanoseconds.Read();
  EXPECT_EQ(std::accumulate(took.counts.begin(), took.counts.end(), uint64_t{0}), 3u);
  EXPECT_GT(took.sum, 0u);
  EXPECT_EQ(guard_.counts().Find(kCheckpoint)->codes[0], 0u);
}

TEST_F(ServerTest, CountsADeniedCallByMethodAndReasonWithoutDuration) {
  const auto channel = Start();

  ASSERT_THAT(CallRaw(channel, kRenew), StatusIs(absl::StatusCode::kPermissionDenied));
  ASSERT_THAT(CallRaw(channel, "/tsunagi.ops.v1.OperationsService/Unknown"),
              StatusIs(absl::StatusCode::kUnimplemented));

  const CallCounts& counts = guard_.counts();
  EXPECT_EQ(counts.denied(Denial::kNotAllowed), 1u);
  EXPECT_EQ(counts.denied(Denial::kUnknownMethod), 1u);
  const CallCounts::Method& renew = *counts.Find(kRenew);
  EXPECT_EQ(renew.codes[static_cast<size_t>(absl::StatusCode::kPermissionDenied)], 1u);
  EXPECT_EQ(renew.nanoseconds.Read().sum, 0u);
  EXPECT_EQ(counts.methods().size(), 5u);  // what strangers ask for makes no series
}

TEST_F(ServerTest, IsNotCalledOnceItsIssuingCaIsRemoved) {
  Start();
  identity::TrustStore client(federation_.root(), "battery.example", clock_);
  const std::string token = federation_.Token("dealer", dealer_);
  const auto call = [&](const std::string& process) {
    return CallRaw(
        NewChannel(server_.address(), ProcessDnsName(process, "oem", "battery.example"), dealer_.key_pem,
                   dealer_.chain_pem, federation_.root_pem(), token, client.View()->bundle),
        kHealth);
  };
  ASSERT_THAT(client.AcceptBundle(federation_.MakeBundle()), IsOk());
  EXPECT_THAT(call("node"), IsOk());
  EXPECT_THAT(call("catalog"), StatusIs(absl::StatusCode::kUnavailable));  // another process than is meant

  ASSERT_THAT(client.AcceptBundle(
                  federation_.MakeBundle([](auto& bundle) { bundle.mutable_anchors(1)->set_removed(true); })),
              IsOk());

  EXPECT_THAT(call("node"), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ServerTest, AcceptsCertificatesUnderARootThatCameLater) {
  Start();
  testing::TestFederation next(clock_);
  const TestCredential under_next = next.Enrol("dealer", "node");
  const auto call = [&] {
    // It meets a server under the first root, and shows a certificate under the next one.
    return CallRaw(
        NewChannel(server_.address(), ProcessDnsName("node", "oem", "battery.example"), under_next.key_pem,
                   under_next.chain_pem, federation_.root_pem(), federation_.Token("dealer", under_next)),
        kHealth);
  };
  ASSERT_THAT(call(), StatusIs(absl::StatusCode::kUnavailable));

  server_.ShowRoots(federation_.root_pem() + next.root_pem());

  absl::Status status = absl::UnknownError("not called yet");
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  while (!status.ok() && absl::Now() < limit) status = call();
  EXPECT_THAT(status, IsOk());
}

TEST_F(ServerTest, ShowsARenewedCertificateInNewHandshakes) {
  Start();
  const std::string token = federation_.Token("dealer", dealer_);
  // The same process under another name tells the certificates apart.
  server_.Show(federation_.Issue({"spiffe://battery.example/participant/oem/catalog"},
                                 {"catalog.oem.battery.example.internal"}));
  const std::string expected = ProcessDnsName("catalog", "oem", "battery.example");

  absl::Status status = absl::UnknownError("not called yet");
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  while (!status.ok() && absl::Now() < limit) {
    status = CallRaw(NewChannel(server_.address(), expected, dealer_.key_pem, dealer_.chain_pem,
                                federation_.root_pem(), token),
                     kHealth);
  }

  EXPECT_THAT(status, IsOk());
}

}  // namespace
}  // namespace tsunagi::rpc
