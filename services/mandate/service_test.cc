// Acts under a mandate, at the real services of the grantor.
#include "services/mandate/service.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "core/base/config.h"
#include "core/base/status_macros.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "services/connector/node.h"
#include "services/connector/service.h"
#include "services/mandate/node.h"
#include "services/passport/node.h"
#include "services/passport/service.h"
#include "services/process/denials.h"
#include "tests/support/fake_process.h"
#include "tests/support/mandates.h"
#include "tests/support/passport_node.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_server.h"

namespace tsunagi::mandate {
namespace {

using audit::v1::Record;
using connector::v1::ConnectorService;
using passport::v1::PassportService;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

std::vector<rpc::AccessRow> Rows() {
  std::vector<rpc::AccessRow> all;
  for (const std::vector<rpc::AccessRow>& rows :
       {passport::PassportRows(), connector::ConnectorRows(), MandateRows()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

// `agency` acts for `maker`, whose registrar is away.
class MandateServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    federation_.Add("agency");
    for (const absl::string_view scope : identity::MandateScopes()) mandate_.add_scopes(std::string(scope));
    mandate_.set_id("00000000-0000-4000-8000-00000000000a");
    mandate_.set_grantor(process_.did());
    mandate_.set_holder(federation_.DidOf("agency"));
    *mandate_.mutable_valid_from() = ToProto(clock_.Now());
    *mandate_.mutable_valid_until() = ToProto(clock_.Now() + absl::Hours(24));
    *federation_.Entry("maker").add_mandates() =
        crypto::Sign(process_.signing_key(), identity::kMandatePayload, Encode(mandate_));
    ASSERT_THAT(federation_.Publish(), IsOk());
    ASSERT_THAT(server_.Start(process_.guard(), {&passport_, &connector_, &service_}), IsOk());
    ASSERT_THAT(process_.records().Import(
                    {testing::Registered(battery_), testing::Mounted(battery_, "2024-06-01", "ZE1-000001")}),
                IsOk());
  }

  // One call as the operator of `label`.
  template <class Service, class Request, class Response>
  absl::StatusOr<Response> Call(const std::string& label,
                                grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                      Response*),
                                const Request& request) {
    const testing::TestCredential credential = federation_.Enrol(label, "operator");
    typename Service::Stub stub(server_.Channel(credential, federation_.Token(label, credential)));
    grpc::ClientContext context;
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }

  absl::Status Import(const std::string& label, int number) {
    passport::v1::ImportFactsRequest request;
    request.set_request_id(process_.records().NewRequestId());
    *request.add_facts() = testing::Registered(testing::Battery(process_.did(), absl::StrCat("N-", number)));
    return Call<PassportService>(label, &PassportService::Stub::ImportFacts, request).status();
  }
  absl::Status Show(const std::string& label) {
    passport::v1::GetPassportRequest request;
    *request.mutable_subject() = testing::SubjectOf(battery_);
    return Call<PassportService>(label, &PassportService::Stub::GetPassport, request).status();
  }
  absl::Status Propose(const std::string& label, const char* model) {
    passport::v1::ProposeAmendmentRequest request;
    request.set_request_id(process_.records().NewRequestId());
    *request.mutable_battery() = battery_;
    *request.add_parts() = testing::Registered(battery_, "0.481149", model).parts(0);
    return Call<PassportService>(label, &PassportService::Stub::ProposeAmendment, request).status();
  }
  absl::Status Erase(const std::string& label) {
    passport::v1::ErasePartsRequest request;
    request.set_request_id(process_.records().NewRequestId());
    *request.mutable_subject() = testing::SubjectOf(battery_);
    request.set_reason("request of the owner");
    return Call<PassportService>(label, &PassportService::Stub::EraseParts, request).status();
  }
  absl::Status SetPolicies(const std::string& label) {
    connector::v1::SetPoliciesRequest request;
    request.set_request_id(process_.records().NewRequestId());
    RETURN_IF_ERROR(ParseYaml("rules: [{id: d, action: permit, roles: [dealer], sections: [identity]}]",
                              "policies", *request.mutable_policies()));
    return Call<ConnectorService>(label, &ConnectorService::Stub::SetPolicies, request).status();
  }
  absl::Status GetPolicies(const std::string& label) {
    return Call<ConnectorService>(label, &ConnectorService::Stub::GetPolicies,
                                  connector::v1::GetPoliciesRequest())
        .status();
  }

  Record LastRecord() {
    const uint64_t size = process_.journal().Size();
    const std::vector<audit::Journal::Leaf> leaves = process_.journal().Leaves(size - 1, size).value();
    Record record;
    EXPECT_TRUE(record.ParseFromString(leaves.at(0).record));
    return record;
  }
  // What the act left, once it is the last leaf and names the mandate.
  Record RecordOf(const std::function<absl::Status()>& act) {
    const uint64_t before = process_.journal().Size();
    EXPECT_THAT(act(), IsOk());
    EXPECT_EQ(process_.journal().Size(), before + 1);
    Record record = LastRecord();
    EXPECT_EQ(record.under_mandate().holder(), federation_.DidOf("agency"));
    EXPECT_EQ(record.under_mandate().mandate(), mandate_.id());
    return record;
  }

  // TLS looks at the machine's clock.
  testing::FakeClock clock_{absl::Now()};
  testing::TestFederation federation_{clock_};
  const testing::TempDir shared_dir_;
  testing::FakeProcess process_{federation_, clock_, Rows(), shared_dir_.path()};
  const common::v1::BatteryId battery_ = testing::Battery(process_.did(), "S-1");
  identity::v1::Mandate mandate_;
  process::Denials denials_{process_.journal(), process_.clock()};
  passport::PassportNode records_{process_, federation_.name(), process_.records().erasures()};
  passport::PassportService passport_{process_.guard(), records_, process_.workers(), process_.seal_key(),
                                      "node"};
  const std::unique_ptr<connector::ConnectorNode> node_ =
      connector::ConnectorNode::Open(process_, {"node", "node", "battery.example", ""}, records_.reader(),
                                     denials_.log())
          .value();
  connector::ConnectorService connector_{process_.guard(), *node_, process_.workers()};
  MandateNode mandates_{process_, shared_dir_.path()};
  MandateService service_{process_.guard(), mandates_.own(), process_.workers()};
  testing::TlsServer server_{federation_, "maker", "node"};
};

TEST_F(MandateServiceTest, NamesHolderAndMandateInTheLeafOfEveryAct) {
  EXPECT_TRUE(RecordOf([&] { return Import("agency", 1); }).has_batch());
  const Record shown = RecordOf([&] { return Show("agency"); });
  EXPECT_EQ(shown.view().what(), "passport");
  EXPECT_EQ(shown.view().battery().serial(), "S-1");
  EXPECT_TRUE(RecordOf([&] { return Propose("agency", "M-2"); }).has_batch());
  EXPECT_TRUE(RecordOf([&] { return Erase("agency"); }).has_erasure());
  EXPECT_TRUE(RecordOf([&] { return SetPolicies("agency"); }).has_policy());
  EXPECT_EQ(RecordOf([&] { return GetPolicies("agency"); }).view().what(), "policies");
}

TEST_F(MandateServiceTest, NamesNoMandateInTheLeavesOfTheOwnOperator) {
  ASSERT_THAT(Import("maker", 1), IsOk());
  EXPECT_FALSE(LastRecord().has_under_mandate());
  ASSERT_THAT(SetPolicies("maker"), IsOk());
  EXPECT_FALSE(LastRecord().has_under_mandate());
  ASSERT_THAT(Erase("maker"), IsOk());
  EXPECT_FALSE(LastRecord().has_under_mandate());
  const uint64_t before = process_.journal().Size();
  ASSERT_THAT(Show("maker"), IsOk());
  ASSERT_THAT(GetPolicies("maker"), IsOk());
  EXPECT_EQ(process_.journal().Size(), before);
}

TEST_F(MandateServiceTest, RefusesTheHolderOfARevokedMandateAtOnceWhileTheRegistrarIsAway) {
  ASSERT_THAT(SetPolicies("agency"), IsOk());
  identity::v1::RevokeMandateRequest request;
  request.set_id(mandate_.id());

  const auto revoked = Call<identity::v1::MandateService>(
      "maker", &identity::v1::MandateService::Stub::RevokeMandate, request);

  ASSERT_THAT(revoked, IsOk());
  EXPECT_FALSE(revoked->filed());
  EXPECT_EQ(LastRecord().mandate().act(), "revoked");
  EXPECT_EQ(LastRecord().mandate().mandate(), mandate_.id());
  for (const absl::Status& status : {Import("agency", 1), Show("agency"), Propose("agency", "M-2"),
                                     Erase("agency"), SetPolicies("agency"), GetPolicies("agency")}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied));
  }
}

TEST_F(MandateServiceTest, LetsNoHolderGrantOrRevoke) {
  identity::v1::GrantMandateRequest grant;
  grant.set_request_id(process_.records().NewRequestId());
  grant.set_holder("agency");
  grant.add_scopes("policy");
  EXPECT_THAT((Call<identity::v1::MandateService>("agency", &identity::v1::MandateService::Stub::GrantMandate,
                                                  grant)),
              StatusIs(absl::StatusCode::kPermissionDenied));
  identity::v1::RevokeMandateRequest revoke;
  revoke.set_id(mandate_.id());
  EXPECT_THAT((Call<identity::v1::MandateService>(
                  "agency", &identity::v1::MandateService::Stub::RevokeMandate, revoke)),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(MandateServiceTest, GrantsAndListsWhileTheRegistrarIsAway) {
  identity::v1::GrantMandateRequest grant;
  grant.set_request_id("00000000-0000-4000-8000-00000000000b");
  grant.set_holder("agency");
  grant.add_scopes("policy");
  const auto granted =
      Call<identity::v1::MandateService>("maker", &identity::v1::MandateService::Stub::GrantMandate, grant);
  ASSERT_THAT(granted, IsOk());
  EXPECT_FALSE(granted->filed());
  EXPECT_THAT(LastRecord().mandate().scopes(), ElementsAre("policy"));

  const auto listed = Call<identity::v1::MandateService>(
      "maker", &identity::v1::MandateService::Stub::ListMandates, identity::v1::ListMandatesRequest());

  ASSERT_THAT(listed, IsOk());
  ASSERT_EQ(listed->mandates_size(), 2);
  EXPECT_EQ(listed->mandates(0).mandate().id(), mandate_.id());
  EXPECT_TRUE(listed->mandates(0).listed());
  EXPECT_FALSE(listed->mandates(1).listed());
}

}  // namespace
}  // namespace tsunagi::mandate
