// Many calls at once on one server: who calls never mixes, and calls that call back finish.
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ops/operations_service.h"
#include "services/rpc/worker_pool.h"
#include "tests/support/fake_clock.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tls_server.h"

namespace tsunagi::e2e {
namespace {

using ops::v1::OperationsService;
using testing::IsOk;
using testing::StatusIs;
using testing::TestCredential;

// GetCheckpoint answers with the caller's label; GetHealth asks the same server for it, blocking, on the
// worker pool.
class CallbackServer final : public OperationsService::CallbackService {
 public:
  CallbackServer(rpc::Guard& guard, rpc::WorkerPool& workers) : guard_(guard), workers_(workers) {}
  void CallBackOver(const std::shared_ptr<grpc::Channel>& channel) {
    stub_ = OperationsService::NewStub(channel);
  }

  grpc::ServerUnaryReactor* GetCheckpoint(grpc::CallbackServerContext* context,
                                          const ops::v1::GetCheckpointRequest*,
                                          ops::v1::GetCheckpointResponse* response) override {
    return guard_.Serve(context, [&](const Caller& caller, const rpc::Finish& finish) {
      response->set_checkpoint(caller.label());
      finish(absl::OkStatus());
    });
  }
  grpc::ServerUnaryReactor* GetHealth(grpc::CallbackServerContext* context, const ops::v1::GetHealthRequest*,
                                      ops::v1::GetHealthResponse* response) override {
    return guard_.Serve(context, [&](const Caller&, const rpc::Finish& finish) {
      const absl::Status queued = workers_.Run([this, response, finish] { finish(CallBack(*response)); });
      if (!queued.ok()) finish(queued);
    });
  }

 private:
  absl::Status CallBack(ops::v1::GetHealthResponse& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    ops::v1::GetCheckpointResponse checkpoint;
    const grpc::Status status = stub_->GetCheckpoint(&context, {}, &checkpoint);
    response.add_notes(checkpoint.checkpoint());
    return rpc::FromGrpcStatus(status);
  }

  rpc::Guard& guard_;
  rpc::WorkerPool& workers_;
  std::unique_ptr<OperationsService::Stub> stub_;
};

class CallsTest : public ::testing::Test {
 protected:
  CallsTest() {
    federation_.Add("oem");
    federation_.Add("dealer");
    federation_.Add("workshop");
  }
  void SetUp() override {
    ASSERT_THAT(server_.Start(guard_, {&service_}), IsOk());
    const TestCredential own = federation_.Enrol("oem", "node");
    service_.CallBackOver(server_.Channel(own, federation_.Token("oem", own)));
  }

  testing::FakeClock clock_{absl::Now()};
  testing::TestFederation federation_{clock_};
  rpc::Guard guard_{{.own_label = "oem", .federation = "battery.example"},
                    {{"/tsunagi.ops.v1.OperationsService/GetHealth", rpc::Who::kParticipant},
                     {"/tsunagi.ops.v1.OperationsService/RenewCertificate", rpc::Who::kOwnOperator},
                     {"/tsunagi.ops.v1.OperationsService/GetCheckpoint", rpc::Who::kParticipant},
                     {"/tsunagi.ops.v1.OperationsService/ListLeaves", rpc::Who::kOwnOperator},
                     {"/tsunagi.ops.v1.OperationsService/ListStamps", rpc::Who::kParticipant}},
                    federation_.tokens(),
                    federation_.trust(),
                    clock_};
  rpc::WorkerPool workers_{16, 1024};
  CallbackServer service_{guard_, workers_};
  testing::TlsServer server_{federation_, "oem", "node"};
};

// A call under way.
template <class Request, class Response>
struct Call {
  grpc::ClientContext context;
  Request request;
  Response response;
  std::promise<grpc::Status> done;
};

TEST_F(CallsTest, FinishesTwoHundredFiftySixNestedCallsAtOnce) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const auto stub = OperationsService::NewStub(server_.Channel(dealer, federation_.Token("dealer", dealer)));
  std::vector<Call<ops::v1::GetHealthRequest, ops::v1::GetHealthResponse>> calls(256);

  for (auto& call : calls) {
    call.context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    stub->async()->GetHealth(&call.context, &call.request, &call.response,
                             [&call](grpc::Status status) { call.done.set_value(std::move(status)); });
  }

  for (auto& call : calls) {
    ASSERT_THAT(rpc::FromGrpcStatus(call.done.get_future().get()), IsOk());
    ASSERT_EQ(call.response.notes_size(), 1);
    EXPECT_EQ(call.response.notes(0), "oem");
  }
}

TEST_F(CallsTest, NeverMixesCallersOnOneConnection) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const TestCredential workshop = federation_.Enrol("workshop", "node");
  // One connection without a token of its own: every call brings one, every other call somebody else's.
  const auto stub = OperationsService::NewStub(server_.Channel(dealer, ""));
  const std::string tokens[] = {"Bearer " + federation_.Token("dealer", dealer),
                                "Bearer " + federation_.Token("workshop", workshop),
                                "Bearer " + federation_.Token("workshop", dealer)};
  std::vector<Call<ops::v1::GetCheckpointRequest, ops::v1::GetCheckpointResponse>> calls(300);

  for (size_t i = 0; i < calls.size(); ++i) {
    auto& call = calls[i];
    call.context.AddMetadata("authorization", tokens[i % 3]);
    call.context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    stub->async()->GetCheckpoint(&call.context, &call.request, &call.response,
                                 [&call](grpc::Status status) { call.done.set_value(std::move(status)); });
  }

  for (size_t i = 0; i < calls.size(); ++i) {
    const absl::Status status = rpc::FromGrpcStatus(calls[i].done.get_future().get());
    if (i % 3 == 0) {
      ASSERT_THAT(status, IsOk());
      EXPECT_EQ(calls[i].response.checkpoint(), "dealer");
    } else {
      ASSERT_THAT(status, StatusIs(absl::StatusCode::kUnauthenticated));
    }
  }
}

TEST_F(CallsTest, TellsTwoPartiesApartThatCallAtOnce) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const TestCredential workshop = federation_.Enrol("workshop", "node");
  const std::unique_ptr<OperationsService::Stub> stubs[] = {
      OperationsService::NewStub(server_.Channel(dealer, federation_.Token("dealer", dealer))),
      OperationsService::NewStub(server_.Channel(workshop, federation_.Token("workshop", workshop)))};
  std::vector<Call<ops::v1::GetCheckpointRequest, ops::v1::GetCheckpointResponse>> calls(200);

  for (size_t i = 0; i < calls.size(); ++i) {
    auto& call = calls[i];
    call.context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    stubs[i % 2]->async()->GetCheckpoint(
        &call.context, &call.request, &call.response,
        [&call](grpc::Status status) { call.done.set_value(std::move(status)); });
  }

  for (size_t i = 0; i < calls.size(); ++i) {
    ASSERT_THAT(rpc::FromGrpcStatus(calls[i].done.get_future().get()), IsOk());
    EXPECT_EQ(calls[i].response.checkpoint(), i % 2 == 0 ? "dealer" : "workshop");
  }
}

}  // namespace
}  // namespace tsunagi::e2e
