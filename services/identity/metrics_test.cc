// The registrar's metrics, scraped from a registrar that runs, and moved by real acts.
#include "services/identity/metrics.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/http/est_client.h"
#include "services/identity/config.h"
#include "services/identity/registrar_process.h"
#include "tests/support/caller.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scrape.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tsunagi/identity/v1/membership_service.pb.h"

namespace tsunagi::identity {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using tsunagi::testing::IsOk;
using tsunagi::testing::Samples;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

constexpr char kName[] = "battery.example";

std::string Refused(absl::string_view act, absl::string_view reason) {
  return absl::StrCat("tsunagi_registrar_refusals_total{act=\"", act, "\",reason=\"", reason, "\"}");
}
std::string Participants(absl::string_view state) {
  return absl::StrCat("tsunagi_registrar_participants{state=\"", state, "\"}");
}
std::string Expires(absl::string_view key) {
  return absl::StrCat("tsunagi_registrar_key_expires_in_seconds{key=\"", key, "\"}");
}
constexpr char kEnrolled[] = "tsunagi_registrar_certificates_issued_total{kind=\"enrolment\"}";

class RegistrarMetricsTest : public ::testing::Test {
 protected:
  RegistrarMetricsTest() {
    internal::v1::RegistrarConfig config;
    config.set_data_dir(folder_.path());
    config.set_listen("127.0.0.1:0");
    config.set_est_listen("127.0.0.1:0");
    config.mutable_metrics()->set_listen("127.0.0.1:0");
    config.set_federation(kName);
    process_ = RegistrarProcess::Start(WithDefaults(config), clock_).value();
    url_ = absl::StrCat("https://127.0.0.1:", process_->est_port());
  }

  Registrar& registrar() { return process_->registrar(); }
  Samples Scrape() { return testing::Scrape(folder_.path()); }

  v1::ApplyResponse Apply(const std::string& label, bool approve) {
    v1::ApplyRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_approve(approve);
    request.mutable_participant()->set_label(label);
    request.mutable_participant()->set_name_latin(label);
    return WaitFor<v1::ApplyResponse>(
               [&](auto done) { registrar().membership().Apply(operator_, request, std::move(done)); })
        .value();
  }
  std::string Invite(const std::string& label) {
    v1::CreateInvitationRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_label(label);
    request.add_processes("node");
    return WaitFor<v1::CreateInvitationResponse>([&](auto done) {
             registrar().enrolment().CreateInvitation(operator_, request, std::move(done));
           })
        .value()
        .code();
  }
  // Over the HTTPS edge, as a newcomer does.
  absl::Status Enrol(const std::string& label, const std::string& code, const std::string& name) {
    const auto request = crypto::MakeCertificateRequest(key_, label, {ProcessUri("node", name, kName)},
                                                        {ProcessDnsName("node", name, kName)})
                             .value();
    const auto chain = http::SimpleEnroll(url_, {registrar().context().authority.Get()->root.certificate},
                                          label, code, request);
    if (chain.ok()) certificate_ = chain->front();
    return chain.status();
  }
  void SetSuspended(const std::string& label, bool suspended) {
    v1::SetSuspendedRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_participant(label);
    request.set_suspended(suspended);
    request.set_reason("test");
    ASSERT_THAT(WaitFor<v1::SetSuspendedResponse>([&](auto done) {
                  registrar().membership().SetSuspended(operator_, request, std::move(done));
                }),
                IsOk());
  }

  // TLS looks at the machine's clock.
  testing::FakeClock clock_{absl::Now()};
  SystemRandom random_;
  const testing::TempDir folder_;
  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const Caller operator_ = CallerForTest::Make("did:web:battery.example:participants:registrar", "registrar",
                                               "operator", {"registrar"});
  std::string url_;
  std::unique_ptr<RegistrarProcess> process_;
  std::optional<crypto::Certificate> certificate_;  // that was issued last
};

TEST_F(RegistrarMetricsTest, AFailedEnrolmentCountsUnderItsReason) {
  Apply("maker", true);
  const std::string code = Invite("maker");
  Samples before = Scrape();
  ASSERT_FALSE(before.empty());

  EXPECT_THAT(Enrol("maker", "wrong", "maker"), StatusIs(kUnauthenticated));
  Samples after = Scrape();
  EXPECT_EQ(after[Refused("enrolment", "unauthenticated")],
            before[Refused("enrolment", "unauthenticated")] + 1);
  EXPECT_EQ(after[kEnrolled], before[kEnrolled]);

  EXPECT_FALSE(Enrol("maker", code, "other").ok());
  after = Scrape();
  EXPECT_EQ(after[Refused("enrolment", "invalid")], before[Refused("enrolment", "invalid")] + 1);

  EXPECT_THAT(Enrol("maker", code, "maker"), IsOk());
  after = Scrape();
  EXPECT_EQ(after[kEnrolled], before[kEnrolled] + 1);
  EXPECT_EQ(after[Refused("enrolment", "unauthenticated")],
            before[Refused("enrolment", "unauthenticated")] + 1);
}

TEST_F(RegistrarMetricsTest, AThrottledInvitationIsToldFromAWrongOne) {
  for (int i = 0; i < Throttle::kMaxFailures; ++i) {
    ASSERT_THAT(Enrol("maker", "wrong", "maker"), StatusIs(kUnauthenticated));
  }
  ASSERT_EQ(Scrape()[Refused("enrolment", "throttled")], 0);

  EXPECT_THAT(Enrol("maker", "wrong", "maker"), StatusIs(kResourceExhausted));

  Samples after = Scrape();
  EXPECT_EQ(after[Refused("enrolment", "throttled")], 1);
  EXPECT_EQ(after[Refused("enrolment", "unauthenticated")], Throttle::kMaxFailures);
}

TEST_F(RegistrarMetricsTest, ASuspensionRaisesTheVersionAndMovesTheParticipant) {
  Apply("maker", true);
  ASSERT_THAT(Enrol("maker", Invite("maker"), "maker"), IsOk());
  ASSERT_THAT(registrar().Refresh(), IsOk());
  Samples before = Scrape();
  ASSERT_EQ(before[Participants("suspended")], 0);

  SetSuspended("maker", true);

  Samples after = Scrape();
  EXPECT_GT(after["tsunagi_status_list_version"], before["tsunagi_status_list_version"]);
  EXPECT_EQ(after[Participants("suspended")], 1);
  EXPECT_EQ(after[Participants("active")], before[Participants("active")] - 1);
}

TEST_F(RegistrarMetricsTest, CountsParticipantsByState) {
  ASSERT_THAT(registrar().Refresh(), IsOk());
  Samples before = Scrape();
  EXPECT_EQ(before[Participants("active")], 1);  // the registrar
  EXPECT_EQ(before["tsunagi_registrar_pending_approvals"], 0);

  Apply("maker", true);
  Apply("dealer", false);
  ASSERT_THAT(registrar().Refresh(), IsOk());

  Samples after = Scrape();
  EXPECT_EQ(after[Participants("approved")], 1);
  EXPECT_EQ(after["tsunagi_registrar_pending_approvals"], 1);
}

TEST_F(RegistrarMetricsTest, TheClockMovesAgesAndWhatExpires) {
  Samples before = Scrape();
  EXPECT_GT(before[Expires("root")], 29 * 365 * 86400.0);
  for (const char* key : {"issuing", "directory", "status"}) {
    EXPECT_GT(before[Expires(key)], 14 * 365 * 86400.0) << key;
  }

  clock_.Advance(absl::Hours(1));

  Samples after = Scrape();
  for (const char* key : {"root", "issuing", "directory", "status"}) {
    EXPECT_EQ(after[Expires(key)], before[Expires(key)] - 3600) << key;
  }
  EXPECT_EQ(after["tsunagi_certificate_expires_in_seconds"],
            before["tsunagi_certificate_expires_in_seconds"] - 3600);
  EXPECT_EQ(after["tsunagi_trust_bundle_age_seconds"], before["tsunagi_trust_bundle_age_seconds"] + 3600);
}

TEST_F(RegistrarMetricsTest, CountsTokensAndCredentialsOnceEachThatWasSigned) {
  Apply("maker", true);
  ASSERT_THAT(Enrol("maker", Invite("maker"), "maker"), IsOk());
  const CertifiedProcess process = {"maker", "node", certificate_->sha256, certificate_->not_after};
  const auto ask = [&](CredentialKind kind) {
    return WaitFor<std::string>(
               [&](auto done) { registrar().credentials().Get(process, kind, std::move(done)); })
        .status();
  };
  ASSERT_THAT(WaitFor<v1::IssueTokenResponse>(
                  [&](auto done) { registrar().tokens().Issue(process, std::move(done)); }),
              IsOk());
  for (int i = 0; i < 2; ++i) ASSERT_THAT(ask(CredentialKind::kMembership), IsOk());
  ASSERT_THAT(ask(CredentialKind::kRoles), StatusIs(kNotFound));

  Samples samples = Scrape();
  EXPECT_EQ(samples["tsunagi_registrar_tokens_issued_total{grant=\"client_credentials\"}"], 1);
  EXPECT_EQ(samples["tsunagi_registrar_credentials_issued_total{kind=\"membership\"}"], 1);
  EXPECT_EQ(samples[Refused("roles", "not_found")], 1);
}

TEST_F(RegistrarMetricsTest, NameNoParticipant) {
  Apply("secret-maker", true);
  ASSERT_THAT(Enrol("secret-maker", Invite("secret-maker"), "secret-maker"), IsOk());
  EXPECT_FALSE(Enrol("secret-maker", "wrong", "secret-maker").ok());

  const std::string text = testing::ScrapeText(folder_.path());

  ASSERT_THAT(text, HasSubstr("tsunagi_registrar_refusals_total"));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
  EXPECT_THAT(text, Not(HasSubstr("did:")));
  EXPECT_THAT(text, Not(HasSubstr("127.0.0.1")));
}

TEST(RegistrarMetricsConfigTest, AnAddressThatOthersReachIsAMistake) {
  internal::v1::RegistrarConfig config;
  config.set_data_dir("/tmp/x");
  config.set_listen("127.0.0.1:1");
  config.set_est_listen("127.0.0.1:2");
  config.set_federation(kName);
  EXPECT_TRUE(MistakesIn(config).empty());

  config.mutable_metrics()->set_listen("0.0.0.0:9464");
  ASSERT_EQ(MistakesIn(config).size(), 1u);
  EXPECT_EQ(MistakesIn(config)[0].field, "metrics.listen");
}

}  // namespace
}  // namespace tsunagi::identity
