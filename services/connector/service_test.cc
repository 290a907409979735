#include "services/connector/service.h"

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/config.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "services/catalog/service.h"
#include "services/process/denials.h"
#include "tests/support/fake_process.h"
#include "tests/support/passport_node.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tls_server.h"

namespace tsunagi::connector {
namespace {

using common::v1::SECTION_IDENTITY;
using testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::SizeIs;
using testing::StatusIs;

constexpr int kStreams = 3;
constexpr char kRelease[] = "/tsunagi.connector.v1.ConnectorService/Release";
constexpr char kPolicies[] = "rules: [{id: d, action: permit, roles: [dealer], sections: [identity]}]";

std::vector<rpc::AccessRow> Rows() {
  std::vector<rpc::AccessRow> rows = ConnectorRows();
  for (const rpc::AccessRow& row : catalog::CatalogRows()) rows.push_back(row);
  return rows;
}

class ConnectorServiceTest : public ::testing::Test {
 protected:
  ConnectorServiceTest() {
    federation_.Add("dealer", {"dealer"});
    federation_.Add("outsider", {"insurer"});
  }
  void SetUp() override {
    ASSERT_THAT(server_.Start(process_.guard(), {&service_, &catalog_}), IsOk());
    v1::SetPoliciesRequest request;
    request.set_request_id(NewUuid(process_.random()));
    ASSERT_THAT(ParseYaml(kPolicies, "policies", *request.mutable_policies()), IsOk());
    ASSERT_THAT(SetPolicies("maker", request), IsOk());
    std::vector<passport::v1::NewFact> facts;
    facts.reserve(30);
    for (int i = 0; i < 30; ++i) facts.push_back(testing::Registered(Battery(i)));
    ASSERT_THAT(process_.records().Import(facts), IsOk());
  }

  common::v1::BatteryId Battery(int number) {
    return testing::Battery(process_.did(), absl::StrCat("S-", number));
  }
  std::shared_ptr<grpc::Channel> ChannelOf(const std::string& label, const std::string& process) {
    const testing::TestCredential credential = federation_.Enrol(label, process);
    return server_.Channel(credential, federation_.Token(label, credential));
  }
  absl::Status SetPolicies(const std::string& label, const v1::SetPoliciesRequest& request) {
    v1::ConnectorService::Stub stub(ChannelOf(label, "operator"));
    grpc::ClientContext context;
    v1::SetPoliciesResponse response;
    return rpc::FromGrpcStatus(stub.SetPolicies(&context, request, &response));
  }
  std::string Agree(v1::ConnectorService::Stub& stub) {
    v1::RequestAgreementRequest request;
    request.set_request_id(NewUuid(process_.random()));
    request.add_sections(SECTION_IDENTITY);
    request.set_purpose("reuse");
    grpc::ClientContext context;
    v1::RequestAgreementResponse response;
    EXPECT_THAT(rpc::FromGrpcStatus(stub.RequestAgreement(&context, request, &response)), IsOk());
    v1::Agreement agreement;
    agreement.ParseFromString(response.agreement().payload());
    return agreement.id();
  }
  v1::ReleaseStreamRequest StreamRequest(const std::string& agreement, int from, int to) {
    v1::ReleaseStreamRequest request;
    request.set_agreement(agreement);
    request.add_sections(SECTION_IDENTITY);
    request.set_purpose("reuse");
    for (int i = from; i < to; ++i) *request.add_batteries() = Battery(i);
    return request;
  }

  // TLS looks at the machine's clock.
  testing::FakeClock clock_{absl::Now()};
  testing::TestFederation federation_{clock_};
  testing::FakeProcess process_{federation_, clock_, Rows()};
  process::Denials denials_{process_.journal(), process_.clock()};
  const std::unique_ptr<ConnectorNode> node_ =
      ConnectorNode::Open(process_, {"node", "node", "battery.example", ""}, process_.records().reader(),
                          denials_.log())
          .value();
  ConnectorService service_{
      process_.guard(), *node_, process_.workers(), {.per_participant = kStreams, .idle = absl::Seconds(2)}};
  catalog::Notices notices_{process_.journal(), process_.trust(), process_.did(), clock_, denials_.log()};
  catalog::CatalogService catalog_{process_.guard(), notices_, process_.inbound()};
  testing::TlsServer server_{federation_, "maker", "node"};
};

TEST_F(ConnectorServiceTest, ReleasesOverTheWire) {
  v1::ConnectorService::Stub stub(ChannelOf("dealer", "node"));
  v1::ReleaseRequest request;
  request.set_agreement(Agree(stub));
  *request.mutable_subject()->mutable_battery() = Battery(1);
  request.add_sections(SECTION_IDENTITY);
  request.set_purpose("reuse");
  grpc::ClientContext context;
  v1::ReleaseResponse response;

  ASSERT_THAT(rpc::FromGrpcStatus(stub.Release(&context, request, &response)), IsOk());

  v1::ReleasedContent content;
  ASSERT_TRUE(content.ParseFromString(response.content()));
  EXPECT_EQ(content.battery().serial(), "S-1");
  EXPECT_FALSE(response.proof().checkpoint().empty());
}

TEST_F(ConnectorServiceTest, TellsAnOutsiderNothing) {
  v1::ReleaseRequest request;
  *request.mutable_subject()->mutable_battery() = Battery(1);
  request.add_sections(SECTION_IDENTITY);
  request.set_purpose("reuse");
  const std::string existing = request.SerializeAsString();
  *request.mutable_subject()->mutable_battery() = Battery(999);
  const auto channel = ChannelOf("outsider", "node");

  const absl::Status seen = testing::CallRaw(channel, kRelease, {}, existing);

  EXPECT_EQ(seen, absl::NotFoundError("not found"));
  EXPECT_EQ(testing::CallRaw(channel, kRelease, {}, request.SerializeAsString()), seen);
}

TEST_F(ConnectorServiceTest, LetsOnlyTheOwnOperatorSetPolicies) {
  v1::SetPoliciesRequest request;
  request.set_request_id(NewUuid(process_.random()));

  EXPECT_THAT(SetPolicies("dealer", request), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(ConnectorServiceTest, StreamsRequestAfterRequest) {
  v1::ConnectorService::Stub stub(ChannelOf("dealer", "node"));
  const std::string agreement = Agree(stub);
  grpc::ClientContext context;
  auto stream = stub.ReleaseStream(&context);
  std::vector<std::string> contents;
  for (int from = 0; from < 30; from += 10) {
    ASSERT_TRUE(stream->Write(StreamRequest(agreement, from, from + 10)));
    v1::ReleaseStreamResponse chunk;
    ASSERT_TRUE(stream->Read(&chunk));
    contents.insert(contents.end(), chunk.contents().begin(), chunk.contents().end());
  }
  stream->WritesDone();
  v1::ReleaseStreamResponse rest;

  EXPECT_FALSE(stream->Read(&rest));
  EXPECT_THAT(rpc::FromGrpcStatus(stream->Finish()), IsOk());
  EXPECT_THAT(contents, SizeIs(30));
}

TEST_F(ConnectorServiceTest, EndsAStreamWithinOneChunkOfASuspension) {
  v1::ConnectorService::Stub stub(ChannelOf("dealer", "node"));
  const std::string agreement = Agree(stub);
  grpc::ClientContext context;
  auto stream = stub.ReleaseStream(&context);
  ASSERT_TRUE(stream->Write(StreamRequest(agreement, 0, 10)));
  v1::ReleaseStreamResponse chunk;
  ASSERT_TRUE(stream->Read(&chunk));
  ASSERT_THAT(federation_.Suspend("dealer"), IsOk());

  stream->Write(StreamRequest(agreement, 10, 20));

  EXPECT_FALSE(stream->Read(&chunk));
  EXPECT_THAT(rpc::FromGrpcStatus(stream->Finish()), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(ConnectorServiceTest, EndsAStreamOfAnOutsiderWithNothing) {
  v1::ConnectorService::Stub stub(ChannelOf("outsider", "node"));
  grpc::ClientContext context;
  auto stream = stub.ReleaseStream(&context);
  ASSERT_TRUE(stream->Write(StreamRequest("", 0, 10)));
  v1::ReleaseStreamResponse chunk;

  EXPECT_FALSE(stream->Read(&chunk));
  EXPECT_THAT(rpc::FromGrpcStatus(stream->Finish()), StatusIs(absl::StatusCode::kNotFound, "not found"));
}

TEST_F(ConnectorServiceTest, SurvivesCallersThatGoAway) {
  v1::ConnectorService::Stub stub(ChannelOf("dealer", "node"));
  const std::string agreement = Agree(stub);
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    auto stream = stub.ReleaseStream(&context);
    ASSERT_TRUE(stream->Write(StreamRequest(agreement, 0, 30)));
    context.TryCancel();
    EXPECT_THAT(rpc::FromGrpcStatus(stream->Finish()), StatusIs(absl::StatusCode::kCancelled));
  }
  // Another participant: the places of the first one's streams are free when the node has noticed.
  federation_.Add("recycler", {"dealer"});
  v1::ConnectorService::Stub other(ChannelOf("recycler", "node"));
  grpc::ClientContext context;
  const std::string other_agreement = Agree(other);
  auto stream = other.ReleaseStream(&context);
  ASSERT_TRUE(stream->Write(StreamRequest(other_agreement, 0, 30)));
  stream->WritesDone();
  v1::ReleaseStreamResponse chunk;

  EXPECT_TRUE(stream->Read(&chunk));
  EXPECT_THAT(chunk.contents(), SizeIs(30));
  EXPECT_FALSE(stream->Read(&chunk));
  EXPECT_THAT(rpc::FromGrpcStatus(stream->Finish()), IsOk());
}

TEST_F(ConnectorServiceTest, StreamsEveryBatteryOfManyRequestsOnce) {
  v1::ConnectorService::Stub stub(ChannelOf("dealer", "node"));
  const std::string agreement = Agree(stub);
  grpc::ClientContext context;
  auto stream = stub.ReleaseStream(&context);
  for (int from = 0; from < 30; from += 3)
    ASSERT_TRUE(stream->Write(StreamRequest(agreement, from, from + 3)));
  stream->WritesDone();
  std::vector<std::string> serials;
  v1::ReleaseStreamResponse chunk;
  while (stream->Read(&chunk)) {
    for (const std::string& bytes : chunk.contents()) {
      v1::ReleasedContent content;
      ASSERT_TRUE(content.ParseFromString(bytes));
      serials.push_back(content.battery().serial());
    }
  }
  std::vector<std::string> expected;
  expected.reserve(30);
  for (int i = 0; i < 30; ++i) expected.push_back(absl::StrCat("S-", i));

  EXPECT_THAT(rpc::FromGrpcStatus(stream->Finish()), IsOk());
  EXPECT_THAT(serials, testing::UnorderedElementsAreArray(expected));
}

TEST_F(ConnectorServiceTest, RefusesMoreStreamsOfOneParticipantThanItMayHave) {
  v1::ConnectorService::Stub stub(ChannelOf("dealer", "node"));
  const std::string agreement = Agree(stub);
  v1::ReleaseStreamResponse chunk;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  const auto open = [&] {
    auto stream = stub.ReleaseStream(contexts.emplace_back(std::make_unique<grpc::ClientContext>()).get());
    stream->Write(StreamRequest(agreement, 0, 1));
    return stream;
  };
  auto first = open();
  ASSERT_TRUE(first->Read(&chunk));
  std::vector<decltype(first)> others;
  for (int i = 1; i < kStreams; ++i) ASSERT_TRUE(others.emplace_back(open())->Read(&chunk));

  auto refused = open();
  EXPECT_FALSE(refused->Read(&chunk));
  EXPECT_THAT(rpc::FromGrpcStatus(refused->Finish()), StatusIs(absl::StatusCode::kResourceExhausted));

  first->WritesDone();
  EXPECT_FALSE(first->Read(&chunk));
  EXPECT_THAT(rpc::FromGrpcStatus(first->Finish()), IsOk());
  EXPECT_TRUE(open()->Read(&chunk)) << "an ended stream's place is free again";
}

TEST_F(ConnectorServiceTest, EndsAnIdleStream) {
  v1::ConnectorService::Stub stub(ChannelOf("dealer", "node"));
  grpc::ClientContext context;
  auto stream = stub.ReleaseStream(&context);
  v1::ReleaseStreamResponse chunk;

  EXPECT_FALSE(stream->Read(&chunk));

  EXPECT_THAT(rpc::FromGrpcStatus(stream->Finish()),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("idle")));
}

TEST_F(ConnectorServiceTest, ResolvesFromItsOwnRecords) {
  v1::ConnectorService::Stub stub(ChannelOf("maker", "operator"));
  v1::ResolveRequest request;
  *request.mutable_subject()->mutable_battery() = Battery(1);
  request.add_sections(SECTION_IDENTITY);
  request.set_purpose("reuse");
  grpc::ClientContext context;
  v1::ResolveResponse response;

  ASSERT_THAT(rpc::FromGrpcStatus(stub.Resolve(&context, request, &response)), IsOk());

  EXPECT_THAT(response.statements(), SizeIs(1));
  EXPECT_THAT(response.warnings(), testing::ElementsAre(HasSubstr("could not be asked for other holders")));
}

TEST_F(ConnectorServiceTest, FilesManyNoticesAtOnceWithItsOwnCatalog) {
  process_.self = ChannelOf("maker", "node");
  v1::ConnectorService::Stub stub(ChannelOf("maker", "operator"));
  std::vector<std::future<absl::StatusOr<uint64_t>>> filed;
  for (int i = 0; i < 64; ++i) {
    const std::string id = NewUuid(process_.random());
    filed.push_back(std::async(std::launch::async, [&, i, id]() -> absl::StatusOr<uint64_t> {
      v1::FileHolderNoticesRequest request;
      request.set_request_id(id);
      *request.add_batteries() = Battery(i);
      request.add_sections(SECTION_IDENTITY);
      request.add_visible_to_roles("dealer");
      grpc::ClientContext context;
      v1::FileHolderNoticesResponse response;
      const auto status = rpc::FromGrpcStatus(stub.FileHolderNotices(&context, request, &response));
      if (!status.ok()) return status;
      return response.filed();
    }));
  }

  for (auto& one : filed) EXPECT_THAT(one.get(), IsOkAndHolds(1u));
}

}  // namespace
}  // namespace tsunagi::connector
