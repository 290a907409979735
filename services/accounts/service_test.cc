// People and apps over real connections: what the guard makes of accounts and sessions.
#include "services/accounts/service.h"

#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ops/operations_service.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_server.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::people {
namespace {

using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TestCredential;
using testing::TestFederation;

using Accounts = v1::AccountService;
using Operations = ops::v1::OperationsService;

constexpr char kPassword[] = "correct horse battery";

std::vector<rpc::AccessRow> Rows() {
  std::vector<rpc::AccessRow> rows = AccountRows();
  for (const rpc::AccessRow& row : ops::OperationsRows()) rows.push_back(row);
  return rows;
}

// A process of one participant with its people and its log.
class Node {
 public:
  Node(TestFederation& federation, const Clock& clock, const std::string& label)
      : guard_({.own_label = label, .federation = "battery.example"}, Rows(), federation.tokens(),
               federation.trust(), clock, &sessions_),
        sessions_(clock),
        journal_(
            audit::Journal::Open(*store_, absl::StrCat(label, ".battery.example/node"), log_key_, random_)
                .value()),
        people_(People::Open(*journal_, clock, random_, sessions_, folder_.File("sessions"),
                             crypto::kLeastPasswordCost)
                    .value()),
        openid_(OpenIdSignIns::Open({}, *people_, clock, random_).value()),
        accounts_(guard_, *people_, sessions_, *openid_),
        operations_(guard_, *journal_,
                    {[] { return ops::v1::GetHealthResponse(); },
                     [](const auto& done) { done(absl::UnavailableError("no certificate here")); }}),
        server_(federation, label, "node") {}

  absl::Status Start() { return server_.Start(guard_, {&accounts_, &operations_}); }
  testing::TlsServer& server() { return server_; }
  audit::Journal& journal() { return *journal_; }

 private:
  testing::TempDir folder_;
  testing::FakeRandom random_;
  const crypto::PrivateKey log_key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  const std::unique_ptr<store::Store> store_ = store::NewMemoryStore();
  rpc::Guard guard_;
  SessionTable sessions_;
  const std::unique_ptr<audit::Journal> journal_;
  const std::unique_ptr<People> people_;
  const std::unique_ptr<OpenIdSignIns> openid_;
  AccountService accounts_;
  ops::OperationsService operations_;
  testing::TlsServer server_;  // ends before what it serves
};

class AccountServiceTest : public ::testing::Test {
 protected:
  AccountServiceTest() {
    federation_.Add("oem", {"oem"});
    federation_.Add("dealer", {"dealer"});
  }
  void SetUp() override { ASSERT_THAT(node_.Start(), IsOk()); }

  // Calls as the operator of `label`, with these session headers.
  template <class Service, class Request, class Response>
  absl::StatusOr<Response> CallAs(Node& node, const std::string& label, const TestCredential& credential,
                                  grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                        Response*),
                                  const Request& request, const std::vector<std::string>& sessions) {
    typename Service::Stub stub(node.server().Channel(credential, federation_.Token(label, credential)));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    for (const std::string& session : sessions) context.AddMetadata(rpc::kSessionHeader, session);
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }
  template <class Service, class Request, class Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                      Response*),
                                const Request& request, const std::vector<std::string>& sessions = {}) {
    return CallAs<Service>(node_, "oem", operator_, method, request, sessions);
  }

  absl::StatusOr<std::string> Create(Role role, const std::vector<std::string>& sessions = {}) {
    v1::CreateAccountRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_display_name("Sato");
    request.set_role(role);
    request.set_password(kPassword);
    const auto created = Call<Accounts>(&Accounts::Stub::CreateAccount, request, sessions);
    if (!created.ok()) return created.status();
    return created->account().id();
  }
  absl::StatusOr<std::string> SignIn(const std::string& account) {
    v1::SignInRequest request;
    request.set_account(account);
    request.set_password(kPassword);
    const auto response = Call<Accounts>(&Accounts::Stub::SignIn, request);
    if (!response.ok()) return response.status();
    return response->session();
  }
  absl::Status ListLeaves(const std::vector<std::string>& sessions) {
    return Call<Operations>(&Operations::Stub::ListLeaves, ops::v1::ListLeavesRequest(), sessions).status();
  }
  absl::Status ListAccounts(const std::vector<std::string>& sessions) {
    return Call<Accounts>(&Accounts::Stub::ListAccounts, v1::ListAccountsRequest(), sessions).status();
  }

  testing::FakeClock clock_{absl::Now()};
  testing::FakeRandom random_;
  TestFederation federation_{clock_};
  TestCredential operator_ = federation_.Enrol("oem", "operator");
  Node node_{federation_, clock_, "oem"};
};

TEST_F(AccountServiceTest, LeavesEveryRightToTheCertificateUntilAnAdministratorExists) {
  EXPECT_THAT(ListLeaves({}), IsOk());
  ASSERT_THAT(Create(kAdministrator), IsOk());

  EXPECT_THAT(ListLeaves({}), StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("sign-in")));
  EXPECT_THAT(Create(kAdministrator), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(Call<Operations>(&Operations::Stub::GetHealth, ops::v1::GetHealthRequest()), IsOk());
}

TEST_F(AccountServiceTest, LetsEachRoleCallItsMethods) {
  const std::string admin = *SignIn(*Create(kAdministrator));
  const std::string viewer = *SignIn(*Create(kViewer, {admin}));
  const std::string auditor = *SignIn(*Create(kAuditor, {admin}));
  const std::string op = *SignIn(*Create(kOperator, {admin}));

  EXPECT_THAT(ListLeaves({viewer}), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("`viewer`")));
  EXPECT_THAT(ListLeaves({auditor}), IsOk());
  EXPECT_THAT(ListAccounts({op}), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(Create(kViewer, {op}), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(ListAccounts({admin}), IsOk());
}

TEST_F(AccountServiceTest, RefusesADisabledAccountsSessionOnTheNextCall) {
  const std::string admin = *SignIn(*Create(kAdministrator));
  const std::string id = *Create(kAuditor, {admin});
  const std::string session = *SignIn(id);
  ASSERT_THAT(ListLeaves({session}), IsOk());
  v1::DisableAccountRequest request;
  request.set_request_id(NewUuid(random_));
  request.set_account(id);
  ASSERT_THAT(Call<Accounts>(&Accounts::Stub::DisableAccount, request, {admin}), IsOk());

  EXPECT_THAT(ListLeaves({session}), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(AccountServiceTest, RefusesIdleAndExpiredSessions) {
  const std::string id = *Create(kAdministrator);
  const std::string session = *SignIn(id);
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(ListLeaves({session}), StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("idle")));

  const std::string used = *SignIn(id);
  for (int i = 0; i < 15; ++i) {
    clock_.Advance(absl::Minutes(45));
    ASSERT_THAT(ListLeaves({used}), IsOk());
  }
  clock_.Advance(absl::Minutes(45));
  EXPECT_THAT(ListLeaves({used}), StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("12 hours")));
}

TEST_F(AccountServiceTest, RefusesTwoSessionHeaders) {
  const std::string session = *SignIn(*Create(kAdministrator));

  EXPECT_THAT(ListLeaves({session, session}),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("several")));
}

TEST_F(AccountServiceTest, RefusesASessionFromAnotherCertificate) {
  const std::string session = *SignIn(*Create(kAdministrator));
  const TestCredential another = federation_.Enrol("oem", "operator");

  EXPECT_THAT(CallAs<Operations>(node_, "oem", another, &Operations::Stub::ListLeaves,
                                 ops::v1::ListLeavesRequest(), {session}),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("another certificate")));
}

TEST_F(AccountServiceTest, RefusesASessionOfAnotherCompany) {
  const std::string session = *SignIn(*Create(kAdministrator));
  Node dealer(federation_, clock_, "dealer");
  ASSERT_THAT(dealer.Start(), IsOk());
  const TestCredential dealers = federation_.Enrol("dealer", "operator");

  // At its own node it opens nothing, and at the company's node it does not make up for the certificate.
  EXPECT_THAT(CallAs<Operations>(dealer, "dealer", dealers, &Operations::Stub::ListLeaves,
                                 ops::v1::ListLeavesRequest(), {session}),
              StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(CallAs<Operations>(node_, "dealer", dealers, &Operations::Stub::ListLeaves,
                                 ops::v1::ListLeavesRequest(), {session}),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(AccountServiceTest, EndsASessionAtSignOut) {
  const std::string session = *SignIn(*Create(kAdministrator));
  ASSERT_THAT(Call<Accounts>(&Accounts::Stub::SignOut, v1::SignOutRequest(), {session}), IsOk());

  EXPECT_THAT(ListLeaves({session}), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(AccountServiceTest, LetsAnAppDoWhatItsRoleMay) {
  const std::string admin = *SignIn(*Create(kAdministrator));
  v1::CreateClientRequest request;
  request.set_request_id(NewUuid(random_));
  request.set_display_name("log archive");
  request.set_role(kAuditor);
  const auto client = Call<Accounts>(&Accounts::Stub::CreateClient, request, {admin});
  ASSERT_THAT(client, IsOk());
  v1::SignInRequest sign_in;
  sign_in.set_account(client->client().id());
  sign_in.set_secret(client->secret());
  const auto session = Call<Accounts>(&Accounts::Stub::SignIn, sign_in);
  ASSERT_THAT(session, IsOk());

  EXPECT_THAT(ListLeaves({session->session()}), IsOk());
  EXPECT_THAT(ListAccounts({session->session()}), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(AccountServiceTest, NamesTheAccountInTheLeafOfAnAct) {
  const std::string id = *Create(kAdministrator);
  const std::string admin = *SignIn(id);
  ASSERT_THAT(Create(kViewer, {admin}), IsOk());

  const std::vector<audit::Journal::Leaf> leaves = node_.journal().Leaves(0, 100).value();
  audit::v1::Record record;
  ASSERT_TRUE(record.ParseFromString(leaves.back().record));
  EXPECT_EQ(record.account(), id);
  EXPECT_EQ(record.people().act(), "account-created");
}

TEST_F(AccountServiceTest, LogsNoNameAndNoPassword) {
  ::testing::internal::CaptureStderr();
  const std::string admin = *SignIn(*Create(kAdministrator));
  v1::SignInRequest wrong;
  wrong.set_account("a-0000000000");
  wrong.set_password("a wrong password");
  EXPECT_THAT(Call<Accounts>(&Accounts::Stub::SignIn, wrong), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(ListAccounts({}), StatusIs(absl::StatusCode::kUnauthenticated));
  const std::string log = ::testing::internal::GetCapturedStderr();

  EXPECT_THAT(log, HasSubstr("call denied"));
  for (const std::string& secret :
       {std::string("Sato"), std::string(kPassword), std::string("a wrong password"), admin}) {
    EXPECT_THAT(log, ::testing::Not(HasSubstr(secret)));
  }
}

}  // namespace
}  // namespace tsunagi::people
