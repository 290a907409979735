// Two federations with real registrars, and a node of the one that a dealer of the other asks.
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/random.h"
#include "core/crypto/certificate.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "services/connector/node.h"
#include "services/connector/service.h"
#include "services/identity/config.h"
#include "services/identity/registrar_process.h"
#include "services/passport/node.h"
#include "services/process/config.h"
#include "services/process/denials.h"
#include "services/process/participant_process.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"
#include "tests/support/caller.h"
#include "tests/support/eventually.h"
#include "tests/support/passport_node.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tsunagi/identity/v1/federation_trust_service.grpc.pb.h"

namespace tsunagi {
namespace {

using common::v1::SECTION_IDENTITY;
using connector::v1::ConnectorService;
using identity::WaitFor;
using identity::v1::FederationTrustService;
using testing::Eventually;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using enum absl::StatusCode;

constexpr char kHome[] = "battery.example";
constexpr char kOther[] = "other.example";
constexpr char kPolicies[] = "rules: [{id: d, action: permit, roles: [dealer], sections: [identity]}]\n";

template <class Response, class Stub, class Request>
absl::StatusOr<Response> Call(Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                              const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  Response response;
  const absl::Status status = rpc::FromGrpcStatus((stub.*method)(&context, request, &response));
  if (!status.ok()) return status;
  return response;
}

// A process that was enrolled by hand.
struct Credential {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
  std::string issuing_pem;
};

// The registrar of a federation, and its operator.
class Registrar {
 public:
  Registrar(const std::string& federation, const std::string& folder)
      : federation_(federation), folder_(folder) {
    internal::v1::RegistrarConfig config;
    config.set_data_dir(folder);
    config.set_listen("127.0.0.1:0");
    config.set_est_listen("127.0.0.1:0");
    config.set_federation(federation);
    config.set_publish_roster(true);
    config.set_federation_refresh_seconds(1);
    config.add_federation_addresses("127.0.0.1");
    auto started = identity::RegistrarProcess::Start(identity::WithDefaults(config), clock_);
    EXPECT_THAT(started, IsOk());
    process_ = *std::move(started);
  }

  identity::Registrar& registrar() { return process_->registrar(); }
  std::string address() const { return absl::StrCat("127.0.0.1:", process_->port()); }
  std::string url() const { return absl::StrCat("https://127.0.0.1:", process_->est_port()); }
  crypto::Certificate Root() const {
    return crypto::ParseCertificatePem(ReadFile(folder_ + "/root.crt", 1 << 16).value()).value();
  }
  std::string RootSha256() const { return ToHex(Root().sha256); }

  void Register(const std::string& label, const std::string& role) {
    identity::v1::ApplyRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_approve(true);
    request.mutable_participant()->set_label(label);
    request.mutable_participant()->set_name_latin(label);
    request.mutable_participant()->add_roles(role);
    ASSERT_THAT(WaitFor<identity::v1::ApplyResponse>(
                    [&](auto done) { registrar().membership().Apply(operator_, request, std::move(done)); }),
                IsOk());
  }
  std::string Invite(const std::string& label, const std::string& process) {
    identity::v1::CreateInvitationRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_label(label);
    request.add_processes(process);
    return WaitFor<identity::v1::CreateInvitationResponse>([&](auto done) {
             registrar().enrolment().CreateInvitation(operator_, request, std::move(done));
           })
        ->code();
  }
  Credential Enrol(const std::string& label, const std::string& process, const std::string& code) {
    auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
    const std::string request =
        crypto::MakeCertificateRequest(key, label, {identity::ProcessUri(process, label, federation_)},
                                       {identity::ProcessDnsName(process, label, federation_)})
            .value();
    const auto certificate = WaitFor<crypto::Certificate>([&](auto done) {
      registrar().enrolment().Enrol({label, code, request, "192.0.2.1"}, std::move(done));
    });
    const auto issuing = registrar().context().authority.Get()->issuing.certificate;
    return {key, certificate.value(), crypto::ToPem(issuing)};
  }
  // For the federation `audience`; for home when it is empty.
  absl::StatusOr<std::string> Token(const Credential& credential, const std::string& label,
                                    const std::string& process, const std::string& audience) {
    const identity::CertifiedProcess who = {label, process, credential.certificate.sha256,
                                            credential.certificate.not_after};
    const auto issued = WaitFor<identity::v1::IssueTokenResponse>(
        [&](auto done) { registrar().tokens().Issue(who, std::move(done), audience); });
    if (!issued.ok()) return issued.status();
    return issued->token();
  }
  // The operator's channel to this registrar.
  std::shared_ptr<grpc::Channel> OperatorChannel() {
    if (channel_ == nullptr) {
      const std::string invitation = ReadFile(folder_ + "/operator-invitation", 1 << 10).value();
      const Credential credential =
          Enrol("registrar", "operator", std::string(absl::StripSuffix(invitation, "\n")));
      channel_ = rpc::NewChannel(
          address(), identity::ProcessDnsName("registrar", "registrar", federation_), credential.key.ToPem(),
          crypto::ToPem(credential.certificate) + credential.issuing_pem, crypto::ToPem(Root()),
          Token(credential, "registrar", "operator", "").value());
    }
    return channel_;
  }
  absl::Status Trust(const Registrar& other, const std::string& root_sha256,
                     const std::vector<std::pair<std::string, std::string>>& roles) {
    identity::v1::TrustFederationRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_federation(other.federation_);
    request.set_root_sha256(root_sha256);
    request.set_url(other.url());
    request.add_did_hosts(other.federation_);
    for (const auto& [theirs, ours] : roles) {
      identity::v1::RoleMapping& mapping = *request.add_roles();
      mapping.set_theirs(theirs);
      mapping.set_ours(ours);
    }
    request.set_reason("agreement of 2026-11-30");
    FederationTrustService::Stub stub(OperatorChannel());
    return Call(stub, &FederationTrustService::Stub::TrustFederation, request).status();
  }
  absl::Status Revoke(const std::string& federation) {
    identity::v1::RevokeFederationRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_federation(federation);
    request.set_reason("they let anybody in");
    FederationTrustService::Stub stub(OperatorChannel());
    return Call(stub, &FederationTrustService::Stub::RevokeFederation, request).status();
  }
  absl::Status SetSuspended(const std::string& label, bool suspended) {
    identity::v1::SetSuspendedRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_participant(label);
    request.set_suspended(suspended);
    request.set_reason("unpaid fees");
    return WaitFor<identity::v1::SetSuspendedResponse>(
               [&](auto done) { registrar().membership().SetSuspended(operator_, request, std::move(done)); })
        .status();
  }

 private:
  const std::string federation_;
  const std::string folder_;
  const SystemClock clock_{};
  SystemRandom random_;
  const Caller operator_ = CallerForTest::Make("did:web:x.example", "registrar", "operator");
  std::unique_ptr<identity::RegistrarProcess> process_;
  std::shared_ptr<grpc::Channel> channel_;
};

// `maker`'s node with one battery, which dealers may see the identity of.
class MakerNode {
 public:
  explicit MakerNode(const internal::v1::NodeConfig& config)
      : process_(process::ParticipantProcess::Start(config, "node", connector::ConnectorRows()).value()),
        denials_(process_->journal(), process_->clock()),
        erasures_(passport::ErasureList::Open(config.shared_dir() + "/erasures").value()),
        records_(*process_, config.federation(), *erasures_),
        node_(connector::ConnectorNode::Open(*process_,
                                             {"node", "node", config.federation(), config.policies()},
                                             records_.reader(), denials_.log())
                  .value()),
        service_(process_->guard(), *node_, process_->workers()) {
    passport::v1::ImportFactsRequest request;
    request.set_request_id(NewUuid(process_->random()));
    *request.add_facts() = testing::Registered(Battery());
    EXPECT_THAT(
        records_.writer().ImportFacts(CallerForTest::Make(process_->did(), "maker", "operator"), request),
        IsOk());
    thread_ = std::thread([this] { EXPECT_THAT(process_->Serve({&service_}), IsOk()); });
  }
  ~MakerNode() {
    process_->Stop();
    thread_.join();
  }

  common::v1::BatteryId Battery() const { return testing::Battery(process_->did(), "S-1"); }

 private:
  const std::unique_ptr<process::ParticipantProcess> process_;
  process::Denials denials_;
  const std::unique_ptr<passport::ErasureList> erasures_;
  passport::PassportNode records_;
  const std::unique_ptr<connector::ConnectorNode> node_;
  connector::ConnectorService service_;
  std::thread thread_;
};

class FederationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    home_.Register("maker", "cell-maker");
    other_.Register("dealer", "car-dealer");
    ASSERT_THAT(WriteFileAtomically(dir_.File("code"), home_.Invite("maker", "node") + "\n", 0600), IsOk());
    ASSERT_THAT(WriteFileAtomically(dir_.File("policies"), kPolicies, 0600), IsOk());
    internal::v1::NodeConfig config;
    config.set_data_dir(dir_.File("node"));
    config.set_listen("127.0.0.1:0");
    config.set_federation(kHome);
    config.set_participant("maker");
    config.mutable_registrar()->set_address(home_.address());
    config.mutable_registrar()->set_est_url(home_.url());
    config.mutable_registrar()->set_root_sha256(home_.RootSha256());
    config.mutable_invitation()->set_code_file(dir_.File("code"));
    config.set_policies(dir_.File("policies"));
    config.set_trust_refresh_seconds(1);
    node_ = std::make_unique<MakerNode>(process::WithDefaults(config));
    dealer_ = std::make_unique<Credential>(other_.Enrol("dealer", "node", other_.Invite("dealer", "node")));
  }

  // Both registrars, since the other one issues no tokens for federations that it does not trust.
  void TrustEachOther() {
    ASSERT_THAT(home_.Trust(other_, other_.RootSha256(), {{"car-dealer", "dealer"}}), IsOk());
    ASSERT_THAT(other_.Trust(home_, home_.RootSha256(), {}), IsOk());
  }
  // A new connection of the dealer to the maker's node, with a token for this federation.
  std::unique_ptr<ConnectorService::Stub> Connect() {
    std::string address = ReadFile(dir_.File("node") + "/listen", 100).value_or("127.0.0.1:1\n");
    return ConnectorService::NewStub(rpc::NewChannel(
        std::string(absl::StripSuffix(address, "\n")), identity::ProcessDnsName("node", "maker", kHome),
        dealer_->key.ToPem(), crypto::ToPem(dealer_->certificate) + dealer_->issuing_pem,
        crypto::ToPem(home_.Root()), other_.Token(*dealer_, "dealer", "node", kHome).value_or("none")));
  }
  absl::StatusOr<connector::v1::ReleaseResponse> Release(ConnectorService::Stub& stub) {
    connector::v1::RequestAgreementRequest agreement;
    agreement.set_request_id(NewUuid(random_));
    agreement.add_sections(SECTION_IDENTITY);
    agreement.set_purpose("reuse");
    const auto agreed = Call(stub, &ConnectorService::Stub::RequestAgreement, agreement);
    if (!agreed.ok()) return agreed.status();
    connector::v1::Agreement made;
    EXPECT_TRUE(made.ParseFromString(agreed->agreement().payload()));
    EXPECT_EQ(made.consumer(), absl::StrCat("did:web:", kOther, ":participants:dealer"));
    connector::v1::ReleaseRequest request;
    request.set_agreement(made.id());
    *request.mutable_subject()->mutable_battery() = node_->Battery();
    request.add_sections(SECTION_IDENTITY);
    request.set_purpose("reuse");
    return Call(stub, &ConnectorService::Stub::Release, request);
  }
  absl::Status Try() {
    const auto stub = Connect();
    return Release(*stub).status();
  }

  const testing::TempDir dir_;
  SystemRandom random_;
  Registrar home_{kHome, dir_.File("home")};
  Registrar other_{kOther, dir_.File("other")};
  std::unique_ptr<MakerNode> node_;
  std::unique_ptr<Credential> dealer_;
};

TEST_F(FederationTest, ADealerOfAnotherFederationIsLetInUnderAMappedRoleUntilTheTrustIsRevoked) {
  // Nobody of another federation gets as far as the handshake.
  EXPECT_THAT(Try(), StatusIs(kUnavailable));
  EXPECT_THAT(other_.Token(*dealer_, "dealer", "node", kHome), StatusIs(kNotFound));

  TrustEachOther();
  ASSERT_TRUE(Eventually([&] { return Try().ok(); })) << Try();
  const auto live = Connect();
  ASSERT_THAT(Release(*live), IsOk());

  ASSERT_THAT(other_.SetSuspended("dealer", true), IsOk());
  EXPECT_TRUE(Eventually([&] { return absl::IsPermissionDenied(Release(*live).status()); }));
  ASSERT_THAT(other_.SetSuspended("dealer", false), IsOk());
  ASSERT_TRUE(Eventually([&] { return Release(*live).ok(); }));

  ASSERT_THAT(home_.Revoke(kOther), IsOk());
  EXPECT_TRUE(Eventually([&] { return absl::IsPermissionDenied(Release(*live).status()); }));
  EXPECT_THAT(Release(*live), StatusIs(kPermissionDenied, HasSubstr("trusted no more")));
  // And the roots are out of the handshake.
  EXPECT_TRUE(Eventually([&] { return absl::IsUnavailable(Try()); }));
}

TEST_F(FederationTest, ABundleIsTakenByTheFingerprintThatTheOperatorWasGivenOnly) {
  EXPECT_THAT(home_.Trust(other_, home_.RootSha256(), {}),
              StatusIs(kUnauthenticated, HasSubstr(other_.RootSha256())));
  EXPECT_THAT(home_.Trust(other_, other_.RootSha256(), {{"car-dealer", "authority"}}),
              StatusIs(kInvalidArgument, HasSubstr("roles.ours")));
  EXPECT_EQ(home_.registrar().trust().View()->federations->version, 0);
}

TEST_F(FederationTest, ARotatedIssuingCaIsFollowed) {
  TrustEachOther();
  ASSERT_TRUE(Eventually([&] { return Try().ok(); }));
  const Caller operator_of_other = CallerForTest::Make("did:web:x.example", "registrar", "operator");
  identity::v1::RotateKeyRequest rotation;
  rotation.set_key(identity::v1::AUTHORITY_KEY_ISSUING);
  rotation.set_reason("yearly");
  for (const bool use : {false, true}) {
    rotation.set_request_id(NewUuid(random_));
    rotation.set_put_into_use(use);
    ASSERT_THAT(other_.registrar().anchors().Rotate(operator_of_other, rotation), IsOk());
  }

  *dealer_ = other_.Enrol("dealer", "node", other_.Invite("dealer", "node"));

  EXPECT_TRUE(Eventually([&] { return Try().ok(); })) << Try();
}

}  // namespace
}  // namespace tsunagi
