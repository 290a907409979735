#include "services/identity/registrar_process.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/crypto/envelope.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "services/http/client.h"
#include "services/http/est_client.h"
#include "services/identity/config.h"
#include "services/identity/service.h"
#include "services/process/health.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"
#include "tsunagi/identity/v1/membership_service.grpc.pb.h"

namespace tsunagi::identity {
namespace {

using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

constexpr char kName[] = "battery.example";

internal::v1::RegistrarConfig Config(const std::string& data_dir) {
  internal::v1::RegistrarConfig config;
  config.set_data_dir(data_dir);
  config.set_listen("127.0.0.1:0");
  config.set_est_listen("127.0.0.1:0");
  config.set_federation(kName);
  return WithDefaults(config);
}

// A process of a participant as a client of the registrar.
class Client {
 public:
  Client(const RegistrarProcess& process, const std::string& label, const std::string& process_name,
         const std::string& code)
      : address_(absl::StrCat("127.0.0.1:", process.port())),
        url_(absl::StrCat("https://127.0.0.1:", process.est_port())) {
    const crypto::Certificate root =
        const_cast<RegistrarProcess&>(process).registrar().context().authority.Get()->root.certificate;
    root_pem_ = crypto::ToPem(root);
    const auto request = crypto::MakeCertificateRequest(key_, label, {ProcessUri(process_name, label, kName)},
                                                        {ProcessDnsName(process_name, label, kName)})
                             .value();
    const auto chain = http::SimpleEnroll(url_, {root}, label, code, request).value();
    for (const crypto::Certificate& certificate : chain) chain_pem_ += crypto::ToPem(certificate);
    channel_ = NewChannel("");
    channel_ = NewChannel(Call(&v1::IdentityService::Stub::IssueToken, v1::IssueTokenRequest())->token());
  }

  std::shared_ptr<grpc::Channel> NewChannel(const std::string& token) const {
    return rpc::NewChannel(address_, ProcessDnsName("registrar", "registrar", kName), key_.ToPem(),
                           chain_pem_, root_pem_, token);
  }

  // From now on calls with a token of the HTTPS edge.
  void TakeTokenOverHttps() {
    http::HttpsCall call;
    call.method = "POST";
    call.url = url_ + "/oauth/token";
    call.root_pem = root_pem_;
    call.key_pem = key_.ToPem();
    call.certificate_pem = chain_pem_;
    call.content_type = "application/x-www-form-urlencoded";
    call.body = "grant_type=client_credentials";
    channel_ = NewChannel(nlohmann::json::parse(http::Fetch(call)->body)["access_token"].get<std::string>());
  }

  template <class Stub, class Request, class Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    Stub stub(channel_);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    Response response;
    const absl::Status status = rpc::FromGrpcStatus((stub.*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

 private:
  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const std::string address_;
  const std::string url_;
  std::string root_pem_;
  std::string chain_pem_;
  std::shared_ptr<grpc::Channel> channel_;
};

class RegistrarProcessTest : public ::testing::Test {
 protected:
  RegistrarProcessTest() { process_ = RegistrarProcess::Start(Config(folder_.path()), clock_).value(); }
  Client Operator() {
    const std::string code = ReadFile(folder_.File("operator-invitation"), 100).value();
    return Client(*process_, "registrar", "operator", std::string(absl::StripSuffix(code, "\n")));
  }
  Client Join(Client& by, const std::string& label) {
    v1::ApplyRequest application;
    application.set_request_id(NewUuid(random_));
    application.mutable_participant()->set_label(label);
    application.mutable_participant()->set_name_latin(label);
    const auto applied = by.Call(&v1::MembershipService::Stub::Apply, application);
    v1::ApproveRequest approval;
    approval.set_request_id(NewUuid(random_));
    approval.set_id(applied->pending_id());
    EXPECT_THAT(by.Call(&v1::MembershipService::Stub::Approve, approval), IsOk());
    v1::CreateInvitationRequest invitation;
    invitation.set_request_id(NewUuid(random_));
    invitation.set_label(label);
    invitation.add_processes("node");
    const auto created = by.Call(&v1::IdentityService::Stub::CreateInvitation, invitation).value();
    EXPECT_EQ(created.url(), absl::StrCat("https://127.0.0.1:", process_->est_port()));
    return Client(*process_, label, "node", created.code());
  }

  const SystemClock clock_{};
  SystemRandom random_;
  testing::TempDir folder_;
  std::unique_ptr<RegistrarProcess> process_;
};

TEST_F(RegistrarProcessTest, ATokenOfTheHttpsEdgeOpensGrpc) {
  Client registrar = Operator();
  Client maker = Join(registrar, "maker");

  maker.TakeTokenOverHttps();

  EXPECT_THAT(maker.Call(&v1::IdentityService::Stub::GetDirectory, v1::GetDirectoryRequest()), IsOk());
}

TEST_F(RegistrarProcessTest, ACompanyJoinsFromTheOperatorsInvitation) {
  Client registrar = Operator();
  Client maker = Join(registrar, "maker");

  const auto directory = maker.Call(&v1::IdentityService::Stub::GetDirectory, v1::GetDirectoryRequest());
  ASSERT_THAT(directory, IsOk());
  TrustStore trust(crypto::ParseCertificatePem(ReadFile(folder_.File("root.crt"), 1 << 16).value()).value(),
                   kName, clock_);
  EXPECT_THAT(trust.AcceptDirectory(directory->directory()), IsOk());
  EXPECT_THAT(trust.View()->Find("maker"), IsOk());
  v1::GetDirectoryRequest again;
  again.set_known_version(trust.View()->directory_version);
  EXPECT_FALSE(maker.Call(&v1::IdentityService::Stub::GetDirectory, again)->has_directory());
  const auto status = maker.Call(&v1::IdentityService::Stub::GetStatusList, v1::GetStatusListRequest());
  EXPECT_THAT(trust.AcceptStatusList(status->status_list()), IsOk());
}

TEST_F(RegistrarProcessTest, OperatorsMethodsAreTheOperatorsOnly) {
  Client registrar = Operator();
  Client maker = Join(registrar, "maker");

  using Membership = v1::MembershipService::Stub;
  EXPECT_THAT(maker.Call(&Membership::Apply, v1::ApplyRequest()), StatusIs(kPermissionDenied));
  EXPECT_THAT(maker.Call(&Membership::Approve, v1::ApproveRequest()), StatusIs(kPermissionDenied));
  EXPECT_THAT(maker.Call(&Membership::Decline, v1::DeclineRequest()), StatusIs(kPermissionDenied));
  EXPECT_THAT(maker.Call(&Membership::UpdateParticipant, v1::UpdateParticipantRequest()),
              StatusIs(kPermissionDenied));
  EXPECT_THAT(maker.Call(&Membership::SetSuspended, v1::SetSuspendedRequest()), StatusIs(kPermissionDenied));
  EXPECT_THAT(maker.Call(&Membership::Leave, v1::LeaveRequest()), StatusIs(kPermissionDenied));
  EXPECT_THAT(maker.Call(&Membership::ListPending, v1::ListPendingRequest()), StatusIs(kPermissionDenied));
  EXPECT_THAT(maker.Call(&v1::IdentityService::Stub::CreateInvitation, v1::CreateInvitationRequest()),
              StatusIs(kPermissionDenied));
  EXPECT_THAT(maker.Call(&v1::IdentityService::Stub::ApproveAmendment, v1::ApproveAmendmentRequest()),
              StatusIs(kPermissionDenied));
  EXPECT_THAT(maker.Call(&v1::MembershipService::Stub::ListParticipants, v1::ListParticipantsRequest()),
              IsOk());
}

TEST_F(RegistrarProcessTest, ASuspendedCompanyIsRefusedOnItsNextCall) {
  Client registrar = Operator();
  Client maker = Join(registrar, "maker");
  v1::SetSuspendedRequest request;
  request.set_request_id(NewUuid(random_));
  request.set_participant("maker");
  request.set_suspended(true);
  request.set_reason("test");
  ASSERT_THAT(registrar.Call(&v1::MembershipService::Stub::SetSuspended, request), IsOk());

  EXPECT_THAT(maker.Call(&v1::MembershipService::Stub::ListParticipants, v1::ListParticipantsRequest()),
              StatusIs(kPermissionDenied));
  EXPECT_THAT(maker.Call(&v1::IdentityService::Stub::IssueToken, v1::IssueTokenRequest()),
              StatusIs(kPermissionDenied));
}

TEST_F(RegistrarProcessTest, WhoHasLeftIsRefusedOnItsNextCall) {
  Client registrar = Operator();
  Client maker = Join(registrar, "maker");
  v1::LeaveRequest request;
  request.set_request_id(NewUuid(random_));
  request.set_participant("maker");
  request.set_reason("test");
  ASSERT_THAT(registrar.Call(&v1::MembershipService::Stub::Leave, request), IsOk());

  EXPECT_THAT(maker.Call(&v1::MembershipService::Stub::ListParticipants, v1::ListParticipantsRequest()),
              StatusIs(kPermissionDenied));
  EXPECT_THAT(maker.Call(&v1::IdentityService::Stub::IssueToken, v1::IssueTokenRequest()),
              StatusIs(kPermissionDenied));
}

TEST_F(RegistrarProcessTest, TwoPersonApprovalIsConfigured) {
  internal::v1::RegistrarConfig config = Config(folder_.path());
  config.set_two_person_approval(true);
  process_.reset();
  process_ = RegistrarProcess::Start(config, clock_).value();
  Client registrar = Operator();
  v1::ApplyRequest application;
  application.set_request_id(NewUuid(random_));
  application.mutable_participant()->set_label("maker");
  application.mutable_participant()->set_name_latin("maker");

  EXPECT_THAT(registrar.Call(&v1::MembershipService::Stub::Apply, application),
              StatusIs(kFailedPrecondition, HasSubstr("--person")));
}

TEST_F(RegistrarProcessTest, GoesOnAfterARestart) {
  Client registrar = Operator();
  Client maker = Join(registrar, "maker");
  internal::v1::RegistrarConfig config = Config(folder_.path());
  config.set_listen(absl::StrCat("127.0.0.1:", process_->port()));
  process_.reset();

  process_ = RegistrarProcess::Start(config, clock_).value();

  EXPECT_THAT(process_->registrar().trust().View()->Find("maker"), IsOk());
  EXPECT_THAT(maker.Call(&v1::MembershipService::Stub::ListParticipants, v1::ListParticipantsRequest()),
              IsOk());
}

TEST_F(RegistrarProcessTest, TellsItsHealth) {
  internal::v1::NodeConfig own;
  own.set_data_dir(folder_.path());
  own.set_federation(kName);
  own.set_participant("registrar");

  const auto health = process::CheckHealth(own, "registrar");

  ASSERT_THAT(health, IsOk());
  EXPECT_EQ(health->state(), ops::v1::HEALTH_STATE_SERVING);
  EXPECT_GT(health->certificate_expires_in_seconds(), 6 * 24 * 3600);
}

TEST_F(RegistrarProcessTest, IsNotHealthyOnceItsJournalRefusesWrites) {
  internal::v1::NodeConfig own;
  own.set_data_dir(folder_.path());
  own.set_federation(kName);
  own.set_participant("registrar");
  process_->registrar().context().journal.RefuseWrites(absl::UnavailableError("the store failed: restart"));

  const auto health = process::CheckHealth(own, "registrar");

  ASSERT_THAT(health, IsOk());
  EXPECT_EQ(health->state(), ops::v1::HEALTH_STATE_NOT_SERVING);
  EXPECT_THAT(health->notes(), ::testing::Contains(HasSubstr("the store failed: restart")));
}

TEST(RegistrarConfigTest, ReportsEveryMistakeOfAFileAtOnceWithItsLine) {
  const testing::TempDir dir;
  const std::string path = dir.File("registrar.yaml");
  ASSERT_THAT(WriteFileAtomically(path, R"(data_dir: /tmp/x
listen: nowhere
federation: Battery
token_seconds: 86401
stamping_authority:
  url: ftp://stamps.example
  root_file: /tmp/stamps.pem
federation_addresses: [10.1.2.3, 10.1.2.03]
)",
                                  0600),
              IsOk());

  EXPECT_THAT(
      LoadConfig(path),
      StatusIs(kInvalidArgument, absl::StrReplaceAll(R"(FILE: `est_listen` is missing: expected host:port
FILE:2: `listen` is `nowhere`: expected host:port
FILE:3: `federation` is `Battery`: expected a DNS name in lower case such as battery.example
FILE:4: `token_seconds` is `86401`: expected 60 to 86400 (24 h)
FILE:6: `stamping_authority.url` is `ftp://stamps.example`: expected an https:// or http:// URL
FILE:8: `federation_addresses` is `10.1.2.03`: expected an IP address such as 10.1.2.3)",
                                                     {{"FILE", path}})));
}

TEST(IdentityRowsTest, EveryMethodHasARow) {
  const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
      "tsunagi.identity.v1.IdentityService");
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(static_cast<size_t>(service->method_count()), IdentityRows().size());
}

}  // namespace
}  // namespace tsunagi::identity
