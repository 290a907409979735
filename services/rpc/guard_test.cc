#include "services/rpc/guard.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_connection.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::rpc {
namespace {

using testing::AllOf;
using testing::FakeClock;
using testing::FakeConnection;
using testing::HasSubstr;
using testing::IsOk;
using testing::Not;
using testing::StatusIs;
using testing::TestCredential;
using testing::TestFederation;
using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

constexpr char kCertificate[] = "/t.S/Certificate";
constexpr char kParticipant[] = "/t.S/Participant";
constexpr char kOwnOperator[] = "/t.S/OwnOperator";
constexpr char kOwnProcess[] = "/t.S/OwnProcess";
constexpr char kOwnConnector[] = "/t.S/OwnConnector";
constexpr char kOwnParticipant[] = "/t.S/OwnParticipant";

// The guard of a process of `oem`.
class GuardTest : public ::testing::Test {
 protected:
  GuardTest() {
    federation_.Add("oem", {"oem"});
    federation_.Add("dealer", {"dealer", "recycler"});
  }

  absl::StatusOr<Caller> Check(absl::string_view method, const TestCredential& credential,
                               const std::string& authorization) {
    const FakeConnection connection({credential.leaf_pem});
    Metadata metadata;
    if (!authorization.empty()) metadata.insert({"authorization", authorization});
    return guard_.Check(method, metadata, connection);
  }
  std::string Bearer(absl::string_view label, const TestCredential& credential) {
    return absl::StrCat("Bearer ", federation_.Token(label, credential));
  }

  FakeClock clock_;
  TestFederation federation_{clock_};
  Guard guard_{{"oem", "battery.example", absl::Hours(24)},
               {{kCertificate, Who::kCertificate},
                {kParticipant, Who::kParticipant},
                {kOwnOperator, Who::kOwnOperator},
                {kOwnProcess, Who::kOwnProcess},
                {kOwnConnector, Who::kOwnProcess, "connector"},
                {kOwnParticipant, Who::kOwnParticipant}},
               federation_.tokens(),
               federation_.trust(),
               clock_};
};

TEST_F(GuardTest, SaysWhoCalls) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");

  const absl::StatusOr<Caller> caller = Check(kParticipant, dealer, Bearer("dealer", dealer));

  ASSERT_THAT(caller, IsOk());
  EXPECT_EQ(caller->did(), federation_.DidOf("dealer"));
  EXPECT_EQ(caller->label(), "dealer");
  EXPECT_EQ(caller->process(), "node");
  EXPECT_TRUE(caller->HasRole("recycler"));
  EXPECT_FALSE(caller->HasRole("oem"));
  EXPECT_EQ(caller->certificate_sha256(), dealer.sha256);
  EXPECT_EQ(caller->not_after(), dealer.not_after);
}

TEST_F(GuardTest, RefusesAMethodWithoutRow) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");

  EXPECT_THAT(Check("/t.S/Unknown", dealer, Bearer("dealer", dealer)),
              StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_THAT(Check("", dealer, Bearer("dealer", dealer)), StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_THAT(Check("t.S/Participant", dealer, Bearer("dealer", dealer)),
              StatusIs(absl::StatusCode::kUnimplemented));
}

TEST_F(GuardTest, RefusesAConnectionWithoutCertificateOrWithTwo) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const std::string bearer = Bearer("dealer", dealer);
  const Metadata metadata = {{"authorization", bearer}};

  EXPECT_THAT(guard_.Check(kParticipant, metadata, FakeConnection({})),
              StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(guard_.Check(kParticipant, metadata, FakeConnection({dealer.leaf_pem, dealer.leaf_pem})),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(GuardTest, RefusesTwoUrisInOneCertificate) {
  const TestCredential both = federation_.Issue({"spiffe://battery.example/participant/oem/operator",
                                                 "spiffe://battery.example/participant/dealer/operator"},
                                                {"operator.oem.battery.example.internal"});

  EXPECT_THAT(Check(kOwnOperator, both, Bearer("oem", both)),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("2 URIs")));
}

TEST_F(GuardTest, RefusesACertificateOfAnotherFederation) {
  const TestCredential stranger = federation_.Issue({"spiffe://other.example/participant/dealer/node"},
                                                    {"node.dealer.other.example.internal"});

  EXPECT_THAT(Check(kParticipant, stranger, Bearer("dealer", stranger)),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("federation")));
}

TEST_F(GuardTest, RefusesACertificateFromTheMomentItExpires) {
  const TestCredential dealer = federation_.Enrol("dealer", "node", absl::Minutes(10));
  const std::string bearer = Bearer("dealer", dealer);

  clock_.Set(dealer.not_after - absl::Seconds(1));
  EXPECT_THAT(Check(kParticipant, dealer, bearer), IsOk());
  clock_.Set(dealer.not_after);
  EXPECT_THAT(Check(kParticipant, dealer, bearer),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("expired")));
}

TEST_F(GuardTest, RefusesATokenThatExpiredAfterItWasVerified) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const std::string bearer = absl::StrCat("Bearer ", federation_.Token("dealer", dealer, absl::Minutes(5)));
  ASSERT_THAT(Check(kParticipant, dealer, bearer), IsOk());

  clock_.Advance(absl::Minutes(5) + identity::kClockSkew + absl::Seconds(1));

  EXPECT_THAT(Check(kParticipant, dealer, bearer), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(GuardTest, RefusesAForgedTokenAfterAGoodOneOfTheSameCertificate) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const std::string bearer = Bearer("dealer", dealer);
  ASSERT_THAT(Check(kParticipant, dealer, bearer), IsOk());

  EXPECT_THAT(Check(kParticipant, dealer, bearer + "A"), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(Check(kParticipant, dealer, "Bearer "), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(Check(kParticipant, dealer, bearer), IsOk());
}

TEST_F(GuardTest, RefusesNoTokenAfterTheCertificateOnlyRow) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  ASSERT_THAT(Check(kCertificate, dealer, ""), IsOk());

  EXPECT_THAT(Check(kParticipant, dealer, "Bearer "), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(GuardTest, RefusesAnotherPartysToken) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const TestCredential oem = federation_.Enrol("oem", "operator");

  EXPECT_THAT(Check(kOwnOperator, dealer, Bearer("oem", oem)),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("another certificate")));
}

TEST_F(GuardTest, RefusesTheOwnParticipantsTokenOverAnotherProcessesConnection) {
  const TestCredential node = federation_.Enrol("dealer", "node");
  const TestCredential connector = federation_.Enrol("dealer", "connector");

  EXPECT_THAT(Check(kParticipant, connector, Bearer("dealer", node)),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("another certificate")));
}

TEST_F(GuardTest, DecidesByTheCertificateWhateverActorsTheTokenNames) {
  const TestCredential node = federation_.Enrol("oem", "node");
  const std::string token =
      federation_.Token("oem", node, absl::Hours(1), {{"did:web:registrar.example", "operator"}});

  EXPECT_THAT(Check(kParticipant, node, "Bearer " + token), IsOk());
  EXPECT_THAT(Check(kOwnOperator, node, "Bearer " + token), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(GuardTest, RefusesATokenForAnotherSubjectEvenWhenBoundToTheCertificate) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");

  EXPECT_THAT(Check(kParticipant, dealer, Bearer("oem", dealer)),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("another participant")));
}

TEST_F(GuardTest, RefusesSeveralAuthorizationHeaders) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const std::string bearer = Bearer("dealer", dealer);
  const Metadata twice = {{"authorization", bearer}, {"authorization", bearer}};

  EXPECT_THAT(guard_.Check(kParticipant, twice, FakeConnection({dealer.leaf_pem})),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("several")));
}

TEST_F(GuardTest, NeverShowsTheTokenInARefusal) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const TestCredential oem = federation_.Enrol("oem", "node");
  const std::string token = federation_.Token("oem", oem);

  EXPECT_THAT(Check(kParticipant, dealer, absl::StrCat("Bearer ", token)),
              StatusIs(absl::StatusCode::kUnauthenticated, Not(HasSubstr(token.substr(0, 16)))));
}

TEST_F(GuardTest, RefusesAParticipantThatIsNotListed) {
  const TestCredential newcomer = federation_.Enrol("newcomer", "node");

  EXPECT_THAT(Check(kParticipant, newcomer, Bearer("newcomer", newcomer)),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("not in the directory")));
  EXPECT_THAT(Check(kCertificate, newcomer, ""), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(GuardTest, RefusesASuspendedParticipantOnTheNextCall) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const std::string bearer = Bearer("dealer", dealer);
  ASSERT_THAT(Check(kParticipant, dealer, bearer), IsOk());

  ASSERT_THAT(federation_.Suspend("dealer"), IsOk());

  EXPECT_THAT(Check(kParticipant, dealer, bearer),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("suspended")));
  EXPECT_THAT(Check(kCertificate, dealer, ""), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(GuardTest, RefusesACertificateOfARemovedIssuingCaOnTheNextCall) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const std::string bearer = Bearer("dealer", dealer);
  ASSERT_THAT(Check(kParticipant, dealer, bearer), IsOk());
  ASSERT_THAT(federation_.PublishBundle(), IsOk());
  ASSERT_THAT(Check(kParticipant, dealer, bearer), IsOk());

  ASSERT_THAT(federation_.PublishBundle([](auto& bundle) { bundle.mutable_anchors(1)->set_removed(true); }),
              IsOk());

  EXPECT_THAT(Check(kParticipant, dealer, bearer),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("no issuing CA that counts")));
  EXPECT_THAT(Check(kCertificate, dealer, ""), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(GuardTest, RefusesACertificateFromTheMomentItsIssuingCaRetires) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const std::string bearer = Bearer("dealer", dealer);
  const absl::Time until = clock_.Now() + absl::Hours(1);
  ASSERT_THAT(federation_.PublishBundle(
                  [&](auto& bundle) { *bundle.mutable_anchors(1)->mutable_valid_until() = ToProto(until); }),
              IsOk());
  ASSERT_THAT(Check(kParticipant, dealer, bearer), IsOk());

  clock_.Set(until);

  EXPECT_THAT(Check(kParticipant, dealer, bearer), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(GuardTest, RefusesEveryoneOnceTheStatusListIsTooOld) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");

  clock_.Advance(absl::Hours(24));
  EXPECT_THAT(Check(kParticipant, dealer, Bearer("dealer", dealer)), IsOk());
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(Check(kParticipant, dealer, Bearer("dealer", dealer)),
              StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_THAT(federation_.PublishStatus(), IsOk());
  EXPECT_THAT(Check(kParticipant, dealer, Bearer("dealer", dealer)), IsOk());
}

TEST_F(GuardTest, CountsEachRefusalUnderItsReasonAndNoOther) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  const TestCredential newcomer = federation_.Enrol("newcomer", "node");
  const std::string bearer = Bearer("dealer", dealer);
  std::vector<uint64_t> expected(kDenials, 0);
  const auto refused = [&](Denial reason, absl::string_view method, const TestCredential& credential,
                           const std::string& authorization) {
    ASSERT_FALSE(Check(method, credential, authorization).ok());
    ++expected[static_cast<size_t>(reason)];
    for (size_t i = 0; i < kDenials; ++i) {
      EXPECT_EQ(guard_.counts().denied(static_cast<Denial>(i)), expected[i])
          << NameOf(reason) << " counted as " << NameOf(static_cast<Denial>(i));
    }
  };
  ASSERT_THAT(Check(kParticipant, dealer, bearer), IsOk());

  refused(Denial::kUnknownMethod, "/t.S/Unknown", dealer, bearer);
  refused(Denial::kToken, kParticipant, dealer, "");
  refused(Denial::kNotListed, kParticipant, newcomer, Bearer("newcomer", newcomer));
  refused(Denial::kNotAllowed, kOwnOperator, dealer, bearer);
  refused(Denial::kCertificate, kParticipant, TestFederation(clock_, "other.example").Enrol("dealer", "node"),
          bearer);
  ASSERT_THAT(federation_.Suspend("dealer"), IsOk());
  refused(Denial::kSuspended, kParticipant, dealer, bearer);
  clock_.Advance(absl::Hours(24) + absl::Seconds(1));
  refused(Denial::kStatusListAge, kParticipant, dealer, bearer);
}

TEST_F(GuardTest, AsksTheCertificateOnlyRowForNoToken) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");

  EXPECT_THAT(Check(kCertificate, dealer, ""), IsOk());
  EXPECT_THAT(Check(kParticipant, dealer, ""), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(GuardTest, NamesMethodsWithoutRowAndRowsWithoutMethod) {
  const std::vector<std::string> methods = {kCertificate, kParticipant,    kOwnOperator,
                                            kOwnProcess,  kOwnParticipant, "/t.S/New"};

  EXPECT_THAT(guard_.CheckComplete(methods),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("`/t.S/New` has no access row"), HasSubstr(kOwnConnector))));
}

TEST_F(GuardTest, IsCompleteWithARowForEachMethod) {
  EXPECT_THAT(guard_.CheckComplete(
                  {kCertificate, kParticipant, kOwnOperator, kOwnProcess, kOwnConnector, kOwnParticipant}),
              IsOk());
}

struct Authorization {
  const char* name;
  const char* value;  // $ stands for a valid token
};

class WrongAuthorization : public GuardTest, public ::testing::WithParamInterface<Authorization> {};

TEST_P(WrongAuthorization, IsRefused) {
  const TestCredential dealer = federation_.Enrol("dealer", "node");
  std::string value = GetParam().value;
  if (const size_t at = value.find('$'); at != std::string::npos) {
    value.replace(at, 1, federation_.Token("dealer", dealer));
  }

  EXPECT_THAT(Check(kParticipant, dealer, value), StatusIs(absl::StatusCode::kUnauthenticated));
}

INSTANTIATE_TEST_SUITE_P(GuardTest, WrongAuthorization,
                         ::testing::Values(Authorization{"Missing", ""}, Authorization{"NoScheme", "$"},
                                           Authorization{"AnotherScheme", "Basic $"},
                                           Authorization{"SchemeInLowerCase", "bearer $"},
                                           Authorization{"TwoSpaces", "Bearer  $"},
                                           Authorization{"Empty", "Bearer "},
                                           Authorization{"SomethingAfterTheToken", "Bearer $ x"},
                                           Authorization{"CutToken", "Bearer eyJhbGciOiJFUzI1NiJ9.e30."}),
                         [](const auto& param) { return param.param.name; });

struct RowCase {
  const char* name;
  const char* method;
  const char* label;
  const char* process;
  bool allowed;
};

class Rows : public GuardTest, public ::testing::WithParamInterface<RowCase> {};

TEST_P(Rows, DecideByParticipantAndProcess) {
  const TestCredential credential = federation_.Enrol(GetParam().label, GetParam().process);

  const absl::Status status =
      Check(GetParam().method, credential, Bearer(GetParam().label, credential)).status();

  EXPECT_EQ(status.code(), GetParam().allowed ? absl::StatusCode::kOk : absl::StatusCode::kPermissionDenied)
      << status;
}

INSTANTIATE_TEST_SUITE_P(
    GuardTest, Rows,
    ::testing::Values(RowCase{"ParticipantForAnyone", kParticipant, "dealer", "node", true},
                      RowCase{"ParticipantForOurselves", kParticipant, "oem", "operator", true},
                      RowCase{"OperatorForOurs", kOwnOperator, "oem", "operator", true},
                      RowCase{"OperatorNotForAnothers", kOwnOperator, "dealer", "operator", false},
                      RowCase{"OperatorNotForOurProcess", kOwnOperator, "oem", "node", false},
                      RowCase{"ProcessForOurs", kOwnProcess, "oem", "catalog", true},
                      RowCase{"ProcessNotForOurOperator", kOwnProcess, "oem", "operator", false},
                      RowCase{"ProcessNotForAnothers", kOwnProcess, "dealer", "connector", false},
                      RowCase{"ConnectorForOurs", kOwnConnector, "oem", "connector", true},
                      RowCase{"ConnectorNotForOurCatalog", kOwnConnector, "oem", "catalog", false},
                      RowCase{"ConnectorNotForAnothers", kOwnConnector, "dealer", "connector", false},
                      RowCase{"OwnForOperator", kOwnParticipant, "oem", "operator", true},
                      RowCase{"OwnForProcess", kOwnParticipant, "oem", "passport", true},
                      RowCase{"OwnNotForAnothers", kOwnParticipant, "dealer", "operator", false}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace tsunagi::rpc
