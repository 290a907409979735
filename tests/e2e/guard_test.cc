// The guard before every method of every service, over real connections.
#include "services/rpc/guard.h"

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/crypto/digest.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "gtest/gtest.h"
#include "tests/e2e/methods.h"
#include "tests/support/counting_service.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_clock.h"
#include "tests/support/federation.h"
#include "tests/support/mandates.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tls_server.h"

namespace tsunagi::e2e {
namespace {

using rpc::AccessRow;
using rpc::Who;
using testing::AllOf;
using testing::CallRaw;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TestCredential;
using testing::TestFederation;

constexpr char kIssueToken[] = "/tsunagi.identity.v1.IdentityService/IssueToken";
constexpr char kRelease[] = "/tsunagi.connector.v1.ConnectorService/Release";

// Open to every participant.
bool IsOpen(Who who) {
  return who == Who::kCertificate || who == Who::kParticipant || who == Who::kAnyFederation;
}

// A process of `oem` that offers every method there is; behind the guard each handler only counts.
class EveryMethodTest : public ::testing::Test {
 protected:
  EveryMethodTest() {
    federation_.Add("oem", {"oem"});
    federation_.Add("dealer", {"dealer"});
    federation_.Add("outsider");
    for (const auto* service : AllServices()) {
      services_.push_back(std::make_unique<testing::CountingService>(*service));
    }
    for (const AccessRow& row : AllRows()) rows_.emplace(row.method, row);
  }
  void SetUp() override {
    std::vector<grpc::Service*> services;
    for (const auto& service : services_) services.push_back(service.get());
    ASSERT_THAT(server_.Start(guard(), services), IsOk());
  }
  virtual rpc::Guard& guard() { return guard_; }

  int Runs() const {
    int runs = 0;
    for (const auto& service : services_) runs += service->runs();
    return runs;
  }
  // A caller that the row of `method` lets in.
  TestCredential Allowed(const std::string& method) {
    const AccessRow& row = rows_.at(method);
    switch (row.who) {
      case Who::kCertificate:
      case Who::kParticipant:
      case Who::kAnyFederation:
        return dealer_;
      case Who::kOwnOperator:
        return operator_;
      case Who::kOwnProcess:
      case Who::kOwnParticipant:
        return federation_.Enrol("oem", row.process.empty() ? "catalog" : row.process);
    }
    return dealer_;
  }
  std::string LabelOf(const std::string& method) const {
    const Who who = rows_.at(method).who;
    return IsOpen(who) ? "dealer" : "oem";
  }
  // The status of every method for this caller, expected to be one of the guard's refusals.
  void ExpectAllRefused(const TestCredential& credential, const std::string& token, absl::StatusCode code,
                        bool with_issue_token = true) {
    const auto channel = server_.Channel(credential, token);
    for (const std::string& method : AllMethods()) {
      if (!with_issue_token && rows_.at(method).who == Who::kCertificate) continue;
      EXPECT_THAT(CallRaw(channel, method), StatusIs(code)) << method;
    }
    EXPECT_EQ(Runs(), 0);
  }

  testing::FakeClock clock_{absl::Now()};
  TestFederation federation_{clock_};
  absl::flat_hash_map<std::string, AccessRow> rows_;
  rpc::Guard guard_{{.own_label = "oem", .federation = "battery.example"},
                    AllRows(),
                    federation_.tokens(),
                    federation_.trust(),
                    clock_};
  std::vector<std::unique_ptr<testing::CountingService>> services_;
  testing::TlsServer server_{federation_, "oem", "node"};
  TestCredential dealer_ = federation_.Enrol("dealer", "node");
  TestCredential operator_ = federation_.Enrol("oem", "operator");
};

TEST_F(EveryMethodTest, IsInTheProtosThatThisTestKnows) {
  // A service whose proto is not linked in would not be tested.
  size_t services = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(TSUNAGI_SOURCE_DIR "/proto")) {
    if (!entry.is_regular_file()) continue;
    const std::string text = ReadFile(entry.path().string(), 1 << 20).value();
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      if (absl::StartsWith(line, "service ")) ++services;
    }
  }

  EXPECT_EQ(AllServices().size(), services);
  EXPECT_GE(AllMethods().size(), 42);
}

TEST_F(EveryMethodTest, HasExactlyOneRow) {
  EXPECT_THAT(guard_.CheckComplete(AllMethods()), IsOk());
  EXPECT_EQ(AllRows().size(), AllMethods().size());
}

TEST_F(EveryMethodTest, OnlyIssueTokenNeedsNoToken) {
  for (const auto& [method, row] : rows_) {
    EXPECT_EQ(row.who == Who::kCertificate, method == kIssueToken) << method;
  }
}

// ADR 0010: what reads records without a Grant.
TEST_F(EveryMethodTest, ShowsRecordsWithoutAGrantToTheOwnOperatorAlone) {
  EXPECT_EQ(rows_.at("/tsunagi.passport.v1.PassportService/GetPassport").who, Who::kOwnOperator);
}

TEST_F(EveryMethodTest, RunsForACallerThatItsRowNames) {
  int expected = 0;
  for (const std::string& method : AllMethods()) {
    const TestCredential caller = Allowed(method);
    const absl::Status ignored =
        CallRaw(server_.Channel(caller, federation_.Token(LabelOf(method), caller)), method);
    EXPECT_EQ(Runs(), ++expected) << method << ": " << ignored;
  }
}

TEST_F(EveryMethodTest, GetsNoHandshakeWithoutCertificate) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(
      std::make_shared<grpc::experimental::StaticDataCertificateProvider>(federation_.root_pem()));
  options.watch_root_certs();
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("node.oem.battery.example.internal");
  const auto channel =
      grpc::CreateCustomChannel(server_.address(), grpc::experimental::TlsCredentials(options), arguments);

  for (const std::string& method : AllMethods()) {
    EXPECT_THAT(CallRaw(channel, method), StatusIs(absl::StatusCode::kUnavailable)) << method;
  }
  EXPECT_EQ(Runs(), 0);
}

TEST_F(EveryMethodTest, GetsNoHandshakeWithACertificateOfAnotherAuthority) {
  TestFederation forged(clock_);
  const TestCredential caller = forged.Enrol("oem", "operator");
  const auto channel = server_.Channel(caller, federation_.Token("oem", operator_));

  for (const std::string& method : AllMethods()) {
    EXPECT_THAT(CallRaw(channel, method), StatusIs(absl::StatusCode::kUnavailable)) << method;
  }
  EXPECT_EQ(Runs(), 0);
}

TEST_F(EveryMethodTest, IsRefusedWithoutTokenExceptIssueToken) {
  ExpectAllRefused(dealer_, "", absl::StatusCode::kUnauthenticated, /*with_issue_token=*/false);
  ExpectAllRefused(operator_, "", absl::StatusCode::kUnauthenticated, /*with_issue_token=*/false);

  EXPECT_THAT(CallRaw(server_.Channel(dealer_, ""), kIssueToken), IsOk());
  EXPECT_EQ(Runs(), 1);
}

TEST_F(EveryMethodTest, IsRefusedWithAnotherPartysToken) {
  const std::string stolen = federation_.Token("oem", operator_);

  ExpectAllRefused(dealer_, stolen, absl::StatusCode::kUnauthenticated, /*with_issue_token=*/false);
}

TEST_F(EveryMethodTest, IsRefusedInAWrongRoleOrSuspended) {
  const std::string token = federation_.Token("dealer", dealer_);
  const auto channel = server_.Channel(dealer_, token);
  for (const auto& [method, row] : rows_) {
    if (IsOpen(row.who)) continue;
    EXPECT_THAT(CallRaw(channel, method), StatusIs(absl::StatusCode::kPermissionDenied)) << method;
  }
  EXPECT_EQ(Runs(), 0);

  ASSERT_THAT(federation_.Suspend("dealer"), IsOk());

  ExpectAllRefused(dealer_, token, absl::StatusCode::kPermissionDenied);
}

TEST_F(EveryMethodTest, IsClosedToAnotherFederationsParticipantsButForFour) {
  TestFederation other(clock_, "other.example");
  other.Add("dealer", {"dealer"});
  ASSERT_THAT(federation_.PublishBundle(), IsOk());
  ASSERT_THAT(federation_.PublishFederationTrust({other.AsTrusted({})}), IsOk());
  ASSERT_THAT(federation_.trust().AcceptRoster(other.MakeRoster()), IsOk());
  const TestCredential guest = other.Enrol("dealer", "operator");
  const std::string token = other.TokenFor(federation_.name(), "dealer", guest);
  EXPECT_THAT(CallRaw(server_.Channel(guest, token), kRelease), StatusIs(absl::StatusCode::kUnavailable));

  server_.ShowRoots(federation_.trust().ClientRootsPem());

  ASSERT_TRUE(testing::Eventually([&] { return CallRaw(server_.Channel(guest, token), kRelease).ok(); }));
  const auto live = server_.Channel(guest, token);
  std::vector<std::string> open;
  for (const std::string& method : AllMethods()) {
    const absl::Status status = CallRaw(live, method);
    if (!absl::IsPermissionDenied(status)) open.push_back(method.substr(method.rfind('/') + 1));
  }
  EXPECT_THAT(open,
              ::testing::UnorderedElementsAre("FindHolders", "Release", "ReleaseStream", "RequestAgreement"));

  identity::v1::TrustedFederation revoked = other.AsTrusted({});
  *revoked.mutable_until() = ToProto(clock_.Now());
  ASSERT_THAT(federation_.PublishFederationTrust({revoked}), IsOk());
  const int before = Runs();
  for (const std::string& method : AllMethods()) {
    EXPECT_THAT(CallRaw(live, method), StatusIs(absl::StatusCode::kPermissionDenied)) << method;
  }
  EXPECT_EQ(Runs(), before);
  server_.ShowRoots(federation_.trust().ClientRootsPem());
  EXPECT_TRUE(testing::Eventually(
      [&] { return absl::IsUnavailable(CallRaw(server_.Channel(guest, token), kRelease)); }));
}

TEST_F(EveryMethodTest, IsOpenUnderAMandateInItsOwnScopeAlone) {
  const TestCredential holder = federation_.Enrol("dealer", "operator");
  testing::TestGrantor oem(federation_, clock_, "oem");
  for (const absl::string_view scope : identity::MandateScopes()) {
    federation_.Entry("oem").clear_mandates();
    ASSERT_THAT(oem.List(oem.Make("dealer", {scope})), IsOk());
    const auto channel = server_.Channel(holder, federation_.Token("dealer", holder));
    int opened = 0;
    for (const auto& [method, row] : rows_) {
      if (IsOpen(row.who)) continue;
      const absl::Status status = CallRaw(channel, method);
      EXPECT_EQ(status.code() != absl::StatusCode::kPermissionDenied, row.scope == scope)
          << method << " in " << scope << ": " << status;
      opened += row.scope == scope ? 1 : 0;
    }
    EXPECT_GE(opened, 1) << scope;
  }
}

// What a mandate never lets anybody do.
TEST_F(EveryMethodTest, HasNoScopeForMandatesAgreementsOperationsOrTheRegistrar) {
  for (const auto& [method, row] : rows_) {
    if (row.scope.empty()) continue;
    EXPECT_TRUE(absl::StrContains(method, ".PassportService/") || absl::EndsWith(method, "Policies"))
        << method;
    EXPECT_EQ(row.who, Who::kOwnOperator) << method;
  }
}

TEST_F(EveryMethodTest, IsRefusedForTheWrongProcessOfTheOwnParticipant) {
  const TestCredential catalog = federation_.Enrol("oem", "catalog");
  const auto as_catalog = server_.Channel(catalog, federation_.Token("oem", catalog));
  const auto as_operator = server_.Channel(operator_, federation_.Token("oem", operator_));

  for (const auto& [method, row] : rows_) {
    if (row.who == Who::kOwnOperator || (row.who == Who::kOwnProcess && !row.process.empty())) {
      EXPECT_THAT(CallRaw(as_catalog, method), StatusIs(absl::StatusCode::kPermissionDenied)) << method;
    }
    if (row.who == Who::kOwnProcess) {
      EXPECT_THAT(CallRaw(as_operator, method), StatusIs(absl::StatusCode::kPermissionDenied)) << method;
    }
  }
  EXPECT_EQ(Runs(), 0);
}

TEST_F(EveryMethodTest, IsRefusedWithTwoUrisInTheCertificate) {
  const TestCredential both = federation_.Issue({"spiffe://battery.example/participant/oem/operator",
                                                 "spiffe://battery.example/participant/dealer/node"},
                                                {"operator.oem.battery.example.internal"});

  ExpectAllRefused(both, federation_.Token("oem", both), absl::StatusCode::kUnauthenticated);
}

TEST_F(EveryMethodTest, IsRefusedOnALiveConnectionWhoseCertificateExpired) {
  const TestCredential short_lived = federation_.Enrol("oem", "operator", absl::Minutes(10));
  const auto channel = server_.Channel(short_lived, federation_.Token("oem", short_lived));
  ASSERT_THAT(CallRaw(channel, kRelease), IsOk());
  const int before = Runs();

  clock_.Advance(absl::Minutes(11));

  for (const std::string& method : AllMethods()) {
    EXPECT_THAT(CallRaw(channel, method), StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("expired")))
        << method;
  }
  EXPECT_EQ(Runs(), before);
}

TEST_F(EveryMethodTest, IsRefusedWithAnExpiredToken) {
  const std::string token = federation_.Token("oem", operator_, absl::Minutes(5));
  clock_.Advance(absl::Minutes(7));

  ExpectAllRefused(operator_, token, absl::StatusCode::kUnauthenticated, /*with_issue_token=*/false);
}

TEST_F(EveryMethodTest, IsRefusedWithTwoAuthorizationHeaders) {
  const auto channel = server_.Channel(operator_, federation_.Token("oem", operator_));
  const std::string again = "Bearer " + federation_.Token("oem", operator_);

  for (const std::string& method : AllMethods()) {
    if (rows_.at(method).who == Who::kCertificate) continue;
    EXPECT_THAT(CallRaw(channel, method, {{"authorization", again}}),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("several")))
        << method;
  }
  EXPECT_EQ(Runs(), 0);
}

TEST_F(EveryMethodTest, IsNotOpenedByForgedHeaders) {
  const testing::RawMetadata forged = {
      {"x-forwarded-client-cert", "URI=spiffe://battery.example/participant/oem/operator"},
      {"x-tsunagi-peer", "spiffe://battery.example/participant/oem/operator"},
      {"x-forwarded-for", "127.0.0.1"},
      {"x-spiffe-id", "spiffe://battery.example/participant/oem/operator"},
      {"peer_spiffe_id", "spiffe://battery.example/participant/oem/operator"}};
  const auto channel = server_.Channel(dealer_, federation_.Token("dealer", dealer_));

  for (const auto& [method, row] : rows_) {
    if (IsOpen(row.who)) continue;
    EXPECT_THAT(CallRaw(channel, method, forged), StatusIs(absl::StatusCode::kPermissionDenied)) << method;
  }
  EXPECT_EQ(Runs(), 0);
}

TEST_F(EveryMethodTest, IsAloneInHavingARoute) {
  const auto channel = server_.Channel(operator_, federation_.Token("oem", operator_));

  for (const char* method : {"/tsunagi.connector.v1.ConnectorService/release", "/x.Y/Z",
                             "//tsunagi.connector.v1.ConnectorService/Release",
                             "/tsunagi.connector.v1.ConnectorService/Release/"}) {
    EXPECT_THAT(CallRaw(channel, method), StatusIs(absl::StatusCode::kUnimplemented)) << method;
  }
  EXPECT_EQ(Runs(), 0);
}

// The rows that are open to the own operator, as the people of `oem` meet them once it has accounts.
class EveryOperatorMethodTest : public EveryMethodTest {
 protected:
  void SetUp() override {
    sessions_.SetRequired();
    EveryMethodTest::SetUp();
  }
  rpc::Guard& guard() override { return guard_with_accounts_; }

  // The header of a session with this role.
  testing::RawMetadata SignIn(people::Role role) {
    const std::string token(32, static_cast<char>('a' + role));
    const absl::Time now = clock_.Now();
    sessions_.Put({crypto::Sha256(token), "a-0123456789", role, operator_.sha256, now, now + absl::Hours(12),
                   now, now});
    return {{rpc::kSessionHeader, ToBase64Url(token)}};
  }
  static bool IsOperators(const AccessRow& row) {
    return row.who == Who::kOwnOperator || row.who == Who::kOwnParticipant;
  }
  // Calls every method of an own-operator row and expects it to run exactly where `allowed` says.
  void ExpectRuns(const testing::RawMetadata& session, absl::StatusCode refusal,
                  const std::function<bool(const AccessRow&)>& allowed) {
    const auto channel = server_.Channel(operator_, federation_.Token("oem", operator_));
    int expected = Runs();
    for (const auto& [method, row] : rows_) {
      if (!IsOperators(row)) continue;
      const absl::Status status = CallRaw(channel, method, session);
      if (!allowed(row)) {
        EXPECT_THAT(status, StatusIs(refusal)) << method;
      } else {
        ++expected;
      }
      EXPECT_EQ(Runs(), expected) << method << ": " << status;
    }
  }

  people::SessionTable sessions_{clock_};
  rpc::Guard guard_with_accounts_{{.own_label = "oem", .federation = "battery.example"},
                                  AllRows(),
                                  federation_.tokens(),
                                  federation_.trust(),
                                  clock_,
                                  &sessions_};
};

TEST_F(EveryOperatorMethodTest, IsRefusedForAViewerUnlessItIsAViewers) {
  ExpectRuns(SignIn(people::kViewer), absl::StatusCode::kPermissionDenied,
             [](const AccessRow& row) { return row.role == people::kNoRole || row.role == people::kViewer; });
}

TEST_F(EveryOperatorMethodTest, IsRefusedForAnOperatorWhenItIsAnAdministratorsOrAuditors) {
  ExpectRuns(SignIn(people::kOperator), absl::StatusCode::kPermissionDenied, [](const AccessRow& row) {
    return row.role != people::kAdministrator && row.role != people::kAuditor;
  });
}

TEST_F(EveryOperatorMethodTest, RunsForAnAdministrator) {
  ExpectRuns(SignIn(people::kAdministrator), absl::StatusCode::kOk, [](const AccessRow&) { return true; });
}

TEST_F(EveryOperatorMethodTest, IsRefusedWithoutSessionUnlessItNeedsNone) {
  ExpectRuns({}, absl::StatusCode::kUnauthenticated,
             [](const AccessRow& row) { return row.role == people::kNoRole; });
}

TEST_F(EveryOperatorMethodTest, IsRefusedWithTwoSessionHeadersOrAMadeUpOne) {
  const testing::RawMetadata one = SignIn(people::kAdministrator);
  const auto nowhere = [](const AccessRow&) { return false; };

  ExpectRuns({one[0], one[0]}, absl::StatusCode::kUnauthenticated, nowhere);
  ExpectRuns({{rpc::kSessionHeader, ToBase64Url(std::string(32, 'z'))}}, absl::StatusCode::kUnauthenticated,
             nowhere);
}

TEST_F(EveryOperatorMethodTest, IsNotOpenedToOthersByAnAdministratorsSession) {
  const testing::RawMetadata session = SignIn(people::kAdministrator);
  const TestCredential dealers = federation_.Enrol("dealer", "operator");
  const auto channel = server_.Channel(dealers, federation_.Token("dealer", dealers));

  for (const auto& [method, row] : rows_) {
    if (!IsOperators(row)) continue;
    EXPECT_THAT(CallRaw(channel, method, session), StatusIs(absl::StatusCode::kPermissionDenied)) << method;
  }
  EXPECT_EQ(Runs(), 0);
}

// A row that forgets its role must not open more than it should.
TEST_F(EveryOperatorMethodTest, NeedsTheAdministratorWhenItsRowNamesNoRole) {
  EXPECT_EQ(AccessRow({"/x.Y/Z", Who::kOwnOperator}).role, people::kAdministrator);
  for (const auto& [method, row] : rows_) {
    EXPECT_EQ(IsOperators(row) && row.role == people::kNoRole,
              method == "/tsunagi.identity.v1.AccountService/SignIn" ||
                  method == "/tsunagi.identity.v1.AccountService/BeginOpenIdSignIn" ||
                  method == "/tsunagi.identity.v1.AccountService/CompleteOpenIdSignIn" ||
                  method == "/tsunagi.ops.v1.OperationsService/GetHealth")
        << method;
  }
}

TEST_F(EveryMethodTest, LogsARefusalAsOneJsonLine) {
  const auto channel = server_.Channel(dealer_, federation_.Token("dealer", dealer_));

  ::testing::internal::CaptureStderr();
  ASSERT_THAT(CallRaw(channel, "/tsunagi.ops.v1.OperationsService/ListLeaves"),
              StatusIs(absl::StatusCode::kPermissionDenied));
  const std::string line = ::testing::internal::GetCapturedStderr();

  EXPECT_THAT(line, AllOf(HasSubstr(R"("message":"call denied")"),
                          HasSubstr(R"("method":"/tsunagi.ops.v1.OperationsService/ListLeaves")"),
                          HasSubstr(R"("peer":"spiffe://battery.example/participant/dealer/node")"),
                          HasSubstr(R"("code":"PERMISSION_DENIED")"), HasSubstr(R"("reason":)")));
}

}  // namespace
}  // namespace tsunagi::e2e
