#include "identity/enrolment.h"

#include "core/base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/invitations.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

crypto::PrivateKey NewKey() { return crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256); }

class EnrolmentTest : public ::testing::Test {
 protected:
  EnrolmentTest() { registrar_.Register("maker"); }
  std::string Request(absl::string_view label = "maker", absl::string_view process = "node") {
    return RegistrarForTest::RequestFor(key_, label, process);
  }
  std::string RequestWith(const std::vector<std::string>& uris, const std::vector<std::string>& dns_names) {
    return crypto::MakeCertificateRequest(key_, "maker", uris, dns_names).value();
  }
  crypto::Certificate Enrolled() {
    return registrar_.Enrol("maker", registrar_.Invite("maker"), Request()).value();
  }
  v1::CreateInvitationRequest Invitation() {
    v1::CreateInvitationRequest request;
    request.set_request_id(NewUuid(registrar_.random));
    request.set_label("maker");
    request.add_processes("node");
    return request;
  }

  RegistrarForTest registrar_;
  const crypto::PrivateKey key_ = NewKey();
  const std::string uri_ = ProcessUri("node", "maker", kFederation);
  const std::string dns_ = ProcessDnsName("node", "maker", kFederation);
};

TEST_F(EnrolmentTest, AnInvitationGivesACertificateForTheProcess) {
  const auto certificate = registrar_.Enrol("maker", registrar_.Invite("maker"), Request());

  ASSERT_THAT(certificate, IsOk());
  EXPECT_THAT(certificate->uris, ElementsAre(uri_));
  EXPECT_THAT(certificate->dns_names, ElementsAre(dns_));
  EXPECT_EQ(certificate->public_key.id(), key_.id());
  EXPECT_EQ(certificate->not_after, registrar_.clock.Now() + absl::Hours(168));
  EXPECT_THAT(registrar_.Acts(), ElementsAre("registered", "approved", "invited", "enrolled"));
}

TEST_F(EnrolmentTest, CodesHave160BitsAndStandNowhere) {
  const std::string code = registrar_.Invite("maker");

  EXPECT_EQ(code.size(), 32u);
  EXPECT_THAT(code, ::testing::MatchesRegex("[A-Z2-7]+"));
  for (const store::Table table : {store::Table::kState, store::Table::kLog, store::Table::kRecords}) {
    ASSERT_THAT(registrar_.store->Scan(table, "", "",
                                       [&](absl::string_view key, absl::string_view value) {
                                         EXPECT_EQ(key.find(code), absl::string_view::npos);
                                         EXPECT_EQ(value.find(code), absl::string_view::npos);
                                         return true;
                                       }),
                IsOk());
  }
}

TEST_F(EnrolmentTest, TellsWhereToEnrolAndWhichRootToTrust) {
  const auto reply = registrar_.TryInvite(Invitation());

  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->url(), "https://127.0.0.1:1");
  EXPECT_EQ(reply->root_sha256(), ToHex(registrar_.authority.root.certificate.sha256));
}

TEST_F(EnrolmentTest, AnInvitationServesOncePerProcess) {
  const std::string code = registrar_.Invite("maker", {"node", "operator"});
  ASSERT_THAT(registrar_.Enrol("maker", code, Request()), IsOk());

  EXPECT_THAT(registrar_.Enrol("maker", code, Request()), StatusIs(kPermissionDenied, HasSubstr("node")));
  EXPECT_THAT(registrar_.Enrol("maker", code, Request("maker", "operator")), IsOk());
  EXPECT_THAT(registrar_.Enrol("maker", code, Request()), StatusIs(kUnauthenticated));
}

TEST_F(EnrolmentTest, OneOfManyAtOnceUsesTheInvitation) {
  const std::string code = registrar_.Invite("maker");
  std::vector<std::future<bool>> replies;
  for (int i = 0; i < 8; ++i) {
    auto promise = std::make_shared<std::promise<bool>>();
    replies.push_back(promise->get_future());
    registrar_.registrar->enrolment().Enrol({"maker", code, Request(), "192.0.2.1"},
                                            [promise](auto reply) { promise->set_value(reply.ok()); });
  }

  int enrolled = 0;
  for (auto& reply : replies) enrolled += reply.get();
  EXPECT_EQ(enrolled, 1);
}

TEST_F(EnrolmentTest, AnInvitationExpires) {
  v1::CreateInvitationRequest request = Invitation();
  request.set_ttl_seconds(60);
  const std::string code = registrar_.TryInvite(request)->code();
  registrar_.clock.Advance(absl::Seconds(60));

  EXPECT_THAT(registrar_.Enrol("maker", code, Request()), StatusIs(kUnauthenticated));
}

TEST_F(EnrolmentTest, AnInvitationIsForItsParticipantOnly) {
  registrar_.Register("other");
  const std::string code = registrar_.Invite("maker");

  EXPECT_THAT(registrar_.Enrol("other", code, Request("other")), StatusIs(kUnauthenticated));
}

TEST_F(EnrolmentTest, WrongCodesAreThrottledByPeer) {
  const std::string code = registrar_.Invite("maker");
  for (int i = 0; i < Throttle::kMaxFailures; ++i) {
    EXPECT_THAT(registrar_.Enrol("maker", absl::StrCat("GUESS", i), Request()), StatusIs(kUnauthenticated));
  }

  EXPECT_THAT(registrar_.Enrol("maker", code, Request()), StatusIs(kResourceExhausted));
  registrar_.clock.Advance(Throttle::kWindow + absl::Seconds(1));
  EXPECT_THAT(registrar_.Enrol("maker", code, Request()), IsOk());
}

TEST_F(EnrolmentTest, RefusesNamesOfAnotherParticipant) {
  const std::string code = registrar_.Invite("maker");

  EXPECT_THAT(registrar_.Enrol("maker", code, Request("other")),
              StatusIs(kInvalidArgument, HasSubstr("maker")));
}

TEST_F(EnrolmentTest, RefusesAllButExactlyOneUriAndItsDnsName) {
  const std::string code = registrar_.Invite("maker");
  const std::string requests[] = {
      RequestWith({uri_, ProcessUri("operator", "maker", kFederation)}, {dns_}),
      RequestWith({uri_}, {dns_, "www.example.jp"}),
      RequestWith({uri_}, {}),
      RequestWith({}, {dns_}),
      RequestWith({uri_}, {ProcessDnsName("operator", "maker", kFederation)}),
      RequestWith({ProcessUri("node", "maker", "other.example")},
                  {ProcessDnsName("node", "maker", "other.example")}),
      RequestWith({DirectoryUri(kFederation)}, {dns_}),
      "no request",
  };
  for (const std::string& request : requests) {
    EXPECT_THAT(registrar_.Enrol("maker", code, request), StatusIs(kInvalidArgument));
  }
  EXPECT_THAT(registrar_.Enrol("maker", code, Request()), IsOk());
}

TEST_F(EnrolmentTest, RefusesAProcessThatTheInvitationDoesNotName) {
  EXPECT_THAT(registrar_.Enrol("maker", registrar_.Invite("maker"), Request("maker", "operator")),
              StatusIs(kPermissionDenied, HasSubstr("operator")));
}

TEST_F(EnrolmentTest, ASuspendedParticipantNeitherEnrolsNorRenews) {
  const crypto::Certificate certificate = Enrolled();
  const std::string code = registrar_.Invite("maker");
  ASSERT_THAT(registrar_.SetSuspended("maker", true), IsOk());

  EXPECT_THAT(registrar_.Enrol("maker", code, Request()), StatusIs(kPermissionDenied));
  EXPECT_THAT(registrar_.Renew(certificate, Request()), StatusIs(kPermissionDenied));
  EXPECT_THAT(registrar_.TryInvite(Invitation()), StatusIs(kFailedPrecondition));
}

TEST_F(EnrolmentTest, WhoHasLeftNeitherEnrolsNorRenewsNorGetsTokens) {
  const crypto::Certificate certificate = Enrolled();
  const std::string code = registrar_.Invite("maker");
  ASSERT_THAT(registrar_.Leave("maker"), IsOk());

  EXPECT_THAT(registrar_.Enrol("maker", code, Request()), StatusIs(kPermissionDenied, HasSubstr("left")));
  EXPECT_THAT(registrar_.Renew(certificate, Request()), StatusIs(kPermissionDenied, HasSubstr("left")));
  EXPECT_THAT(registrar_.TryInvite(Invitation()), StatusIs(kFailedPrecondition, HasSubstr("left")));
  EXPECT_THAT(WaitFor<v1::IssueTokenResponse>([&](auto done) {
                registrar_.registrar->tokens().Issue(ProcessOf(RegistrarForTest::CallerOf("maker")),
                                                     std::move(done));
              }),
              StatusIs(kPermissionDenied));
}

TEST_F(EnrolmentTest, TheFirstCertificateMakesAnApprovedParticipantActive) {
  EXPECT_EQ(registrar_.Entry("maker").state(), v1::PARTICIPANT_STATE_APPROVED);

  const crypto::Certificate first = Enrolled();
  ASSERT_THAT(registrar_.registrar->Refresh(), IsOk());
  const v1::Participant active = registrar_.Entry("maker");
  ASSERT_THAT(registrar_.Renew(first, Request()), IsOk());
  ASSERT_THAT(registrar_.registrar->Refresh(), IsOk());

  EXPECT_EQ(active.state(), v1::PARTICIPANT_STATE_ACTIVE);
  EXPECT_EQ(registrar_.Entry("maker").version(), active.version());
}

TEST_F(EnrolmentTest, RefusesBadInvitations) {
  v1::CreateInvitationRequest request = Invitation();
  request.set_label("nobody");
  EXPECT_THAT(registrar_.TryInvite(request), StatusIs(kNotFound));

  request = Invitation();
  request.clear_processes();
  EXPECT_THAT(registrar_.TryInvite(request), StatusIs(kInvalidArgument, HasSubstr("processes")));
  for (const char* process : {"node", "registrar", "root"}) {
    request = Invitation();
    request.add_processes(process);
    EXPECT_THAT(registrar_.TryInvite(request), StatusIs(kInvalidArgument, HasSubstr(process)));
  }
  request = Invitation();
  request.set_ttl_seconds(30 * 24 * 3600 + 1);
  EXPECT_THAT(registrar_.TryInvite(request), StatusIs(kInvalidArgument, HasSubstr("30 days")));
}

TEST_F(EnrolmentTest, AnInvitationIsNeverShownAgain) {
  const v1::CreateInvitationRequest request = Invitation();
  ASSERT_THAT(registrar_.TryInvite(request), IsOk());

  EXPECT_THAT(registrar_.TryInvite(request), StatusIs(kAlreadyExists));
}

TEST_F(EnrolmentTest, RenewsACertificateForTheSameNamesAndEvenANewKey) {
  const crypto::Certificate first = Enrolled();
  registrar_.clock.Advance(absl::Hours(84));
  const crypto::PrivateKey next = NewKey();

  const auto renewed = registrar_.Renew(first, RegistrarForTest::RequestFor(next, "maker", "node"));

  ASSERT_THAT(renewed, IsOk());
  EXPECT_EQ(renewed->uris, first.uris);
  EXPECT_EQ(renewed->public_key.id(), next.id());
  EXPECT_EQ(renewed->not_after, registrar_.clock.Now() + absl::Hours(168));
}

TEST_F(EnrolmentTest, RenewsFor30DaysAfterExpiryWithTheSameKey) {
  const crypto::Certificate first = Enrolled();
  registrar_.clock.Set(first.not_after + absl::Hours(29 * 24));

  EXPECT_THAT(registrar_.Renew(first, RegistrarForTest::RequestFor(NewKey(), "maker", "node")),
              StatusIs(kUnauthenticated, HasSubstr("same key")));
  EXPECT_THAT(registrar_.Renew(first, Request()), IsOk());

  registrar_.clock.Set(first.not_after + absl::Hours(31 * 24));
  EXPECT_THAT(registrar_.Renew(first, Request()), StatusIs(kUnauthenticated, HasSubstr("30 days")));
}

TEST_F(EnrolmentTest, RenewsForNoOtherNames) {
  const crypto::Certificate first = Enrolled();

  EXPECT_THAT(registrar_.Renew(first, Request("maker", "operator")), StatusIs(kInvalidArgument));
  EXPECT_THAT(registrar_.Renew(first, Request("other")), StatusIs(kInvalidArgument));
}

TEST_F(EnrolmentTest, RenewsNoCertificateOfAnotherAuthority) {
  testing::TempDir folder;
  const Authority other = LoadOrCreateAuthority(folder.path(), kFederation, registrar_.clock.Now()).value();
  const auto forged = IssueProcessCertificate(other, {kFederation, "maker", "node"}, key_.public_key(),
                                              registrar_.clock.Now(), absl::Hours(1))
                          .value();

  EXPECT_THAT(registrar_.Renew(forged, Request()), StatusIs(kUnauthenticated));
  EXPECT_THAT(registrar_.Renew(registrar_.authority.directory.certificate, Request()),
              StatusIs(kUnauthenticated));
  crypto::Certificate none = forged;
  none.der = "no certificate";
  EXPECT_THAT(registrar_.Renew(none, Request()), StatusIs(kUnauthenticated));
}

}  // namespace
}  // namespace tsunagi::identity
