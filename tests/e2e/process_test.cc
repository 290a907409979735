// A participant's process: joining, serving, an outage, a renewal.
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/audit/requests.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/random.h"
#include "core/crypto/certificate.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "services/http/est_client.h"
#include "services/identity/registrar_process.h"
#include "services/mandate/node.h"
#include "services/ops/operations_service.h"
#include "services/process/health.h"
#include "services/process/participant_process.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"
#include "tests/e2e/process_for_test.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::process {
namespace {

using testing::Eventually;
using testing::HasSubstr;
using testing::IsOk;
using testing::Not;
using testing::StatusIs;

TEST_F(ProcessTest, JoinsListsItselfAndIsHealthy) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  EXPECT_EQ(process->did(), did_);
  {
    Running running(*process);

    EXPECT_TRUE(Eventually([&] { return Healthy(); }));
    EXPECT_TRUE(Eventually([&] { return process->ChannelTo("oem", "node").ok(); }));
    const auto self = process->trust().View()->Find("oem");
    ASSERT_THAT(self, IsOk());
    EXPECT_THAT((*self)->FindKey(process->signing_key().id(), identity::v1::KEY_PURPOSE_SIGNING), IsOk());
    EXPECT_THAT((*self)->FindKey(process->journal().log_key().id(), identity::v1::KEY_PURPOSE_LOG), IsOk());
    EXPECT_THAT(running.Stop(), IsOk());
  }
  EXPECT_FALSE(Healthy());
}

TEST_F(ProcessTest, KeepsItsKeysToItself) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);

  struct stat info = {};
  ASSERT_EQ(::stat(config_.data_dir().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  for (const char* name : {"tls.key", "log.key", "signing.key", "seal.key", "node.key", "token"}) {
    ASSERT_EQ(::stat(absl::StrCat(config_.data_dir(), "/", name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(ProcessTest, HasItsCheckpointsCosigned) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  const auto cosigned = [&] {
    return process->journal().store().Get(store::Table::kState, ops::CosignedKey());
  };

  std::string last;
  for (int round = 0; round < 2; ++round) {
    audit::Commit commit;
    commit.record = absl::StrCat("record ", round);
    ASSERT_THAT(process->journal().SubmitAndWait(std::move(commit)), IsOk());
    ASSERT_TRUE(Eventually([&] { return cosigned().ok() && *cosigned() != last; }));
    last = *cosigned();
  }

  EXPECT_THAT(last, HasSubstr("registrar.battery.example"));
}

TEST_F(ProcessTest, CatchesUpWhenTheReplyToACosigningWasLost) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  audit::Commit first;
  first.record = "first";
  ASSERT_THAT(process->journal().SubmitAndWait(std::move(first)), IsOk());
  const auto cosigned = [&] {
    return process->journal().store().Get(store::Table::kState, ops::CosignedKey());
  };
  ASSERT_TRUE(Eventually([&] { return cosigned().ok(); }));

  // As if the process had been killed before it kept the note.
  audit::Commit lost;
  lost.writes.push_back(store::Delete(store::Table::kState, ops::CosignedKey()));
  lost.record = "second";
  ASSERT_THAT(process->journal().SubmitAndWait(std::move(lost)), IsOk());

  EXPECT_TRUE(Eventually([&] { return cosigned().ok(); }));
}

TEST_F(ProcessTest, FilesItsMandatesAndWhatItRevokedDuringAnOutage) {
  identity::v1::ApplyRequest agency;
  agency.set_request_id(NewUuid(random_));
  agency.set_approve(true);
  agency.mutable_participant()->set_label("agency");
  agency.mutable_participant()->set_name_latin("Agency");
  ASSERT_THAT(identity::WaitFor<identity::v1::ApplyResponse>([&](auto done) {
                registrar_->registrar().membership().Apply(operator_, agency, std::move(done));
              }),
              IsOk());
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  mandate::MandateNode mandates(*process, config_.data_dir());
  Running running(*process);
  // What this process's directory lists.
  const auto mandate = [&]() -> std::optional<identity::CheckedMandate> {
    const auto self = process->trust().View()->Find("oem");
    if (!self.ok() || (*self)->mandates.empty()) return std::nullopt;
    return (*self)->mandates[0];
  };
  ASSERT_TRUE(Eventually([&] {
    const auto self = process->trust().View()->Find("oem");
    return self.ok() && (*self)->KeyCountsAt(process->signing_key().id(), clock_.Now()).ok();
  }));
  identity::v1::GrantMandateRequest grant;
  grant.set_request_id(NewUuid(random_));
  grant.set_holder("agency");
  grant.add_scopes("policy");

  const auto granted = mandates.own().Grant(operator_, grant);

  ASSERT_THAT(granted, IsOk());
  EXPECT_TRUE(granted->filed());
  ASSERT_TRUE(Eventually([&] { return mandate().has_value(); }));
  registrar_.reset();
  identity::v1::RevokeMandateRequest revoke;
  revoke.set_id(grant.request_id());
  const auto revoked = mandates.own().Revoke(operator_, revoke);
  ASSERT_THAT(revoked, IsOk());
  EXPECT_FALSE(revoked->filed());
  EXPECT_FALSE(mandate()->revoked_at.has_value());

  StartRegistrar(address_, est_address_);

  EXPECT_TRUE(Eventually([&] { return mandate()->revoked_at.has_value(); }));
}

TEST_F(ProcessTest, RestartsWhileTheRegistrarIsAway) {
  ASSERT_NE(Start(), nullptr);
  registrar_.reset();

  const auto process = Start();

  ASSERT_NE(process, nullptr);
  EXPECT_EQ(process->did(), did_);
  Running running(*process);
  EXPECT_TRUE(Eventually([&] { return Healthy(); }));
}

TEST_F(ProcessTest, FollowsTheRegistrarAgainAfterItsOutage) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  registrar_.reset();
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  const uint64_t before = process->trust().View()->status_version;

  StartRegistrar(address_, est_address_);

  EXPECT_TRUE(Eventually([&] { return process->trust().View()->status_version > before; }));
}

TEST_F(ProcessTest, IsNotHealthyOnceItsJournalRefusesWrites) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  process->journal().RefuseWrites(absl::UnavailableError("the store failed: restart"));

  const auto health = CheckHealth(config_, "node");

  ASSERT_THAT(health, IsOk());
  EXPECT_EQ(health->state(), ops::v1::HEALTH_STATE_NOT_SERVING);
  EXPECT_THAT(health->notes(), testing::Contains(HasSubstr("the store failed: restart")));
}

// The operator of the company, enrolled and with a token.
class CompanyOperator {
 public:
  CompanyOperator(const identity::v1::CreateInvitationResponse& invitation, const std::string& registrar) {
    const std::string uri = rpc::ProcessUri("operator", "oem", kFederation);
    const auto request = crypto::MakeCertificateRequest(
        key_, "operator.oem", {uri}, {rpc::ProcessDnsName("operator", "oem", kFederation)});
    const auto root = http::FetchRoot(invitation.url(), invitation.root_sha256());
    const auto chain = http::SimpleEnroll(invitation.url(), {*root}, "oem", invitation.code(), *request);
    root_pem_ = crypto::ToPem(*root);
    for (const crypto::Certificate& certificate : *chain) chain_pem_ += crypto::ToPem(certificate);
    identity::v1::IssueTokenResponse response;
    grpc::ClientContext context;
    const auto stub = identity::v1::IdentityService::NewStub(ChannelTo(registrar, "registrar", "registrar"));
    EXPECT_TRUE(stub->IssueToken(&context, {}, &response).ok());
    token_ = response.token();
  }
  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address, absl::string_view process,
                                           absl::string_view label) const {
    return rpc::NewChannel(address, rpc::ProcessDnsName(process, label, kFederation), key_.ToPem(),
                           chain_pem_, root_pem_, token_);
  }

 private:
  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  std::string root_pem_, chain_pem_, token_;
};

TEST_F(ProcessTest, RenewsItsCertificateWhenItsOperatorAsks) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy(); }));
  const auto invitation = InviteProcess("operator");
  ASSERT_THAT(invitation, IsOk());
  const CompanyOperator company(*invitation, address_);
  const std::string before = *ReadFile(config_.data_dir() + "/tls.crt", 64 << 10);
  const std::string listen = *ReadFile(config_.data_dir() + "/listen", 256);

  const auto stub = ops::v1::OperationsService::NewStub(
      company.ChannelTo(std::string(absl::StripTrailingAsciiWhitespace(listen)), "node", "oem"));
  grpc::ClientContext context;
  ops::v1::RenewCertificateResponse renewed;
  const absl::Status status = rpc::FromGrpcStatus(stub->RenewCertificate(&context, {}, &renewed));

  EXPECT_THAT(status, IsOk());
  const std::string after = *ReadFile(config_.data_dir() + "/tls.crt", 64 << 10);
  EXPECT_NE(after, before);
  EXPECT_EQ(*FromProto(renewed.expire_time()), crypto::ParseCertificatesPem(after)->at(0).not_after);
  EXPECT_TRUE(Healthy());
}

TEST_F(ProcessTest, ForgetsRepliesThatAreOver) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  const std::string id = NewUuid(random_);
  const audit::RequestKey request{did_, "ImportFacts", id, "digest"};
  audit::Commit old;
  audit::RememberReply(request, "reply", clock_.Now() - absl::Hours(24 * 8), old.writes);
  ASSERT_THAT(process->journal().SubmitAndWait(std::move(old)), IsOk());

  const Running running(*process);

  EXPECT_TRUE(
      Eventually([&] { return !audit::FindReply(process->journal().store(), request)->has_value(); }));
}

TEST_F(ProcessTest, RefusesToStartWithoutAnInvitation) {
  config_.mutable_invitation()->clear_code_file();

  EXPECT_THAT(ParticipantProcess::Start(config_, "node", {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("invitation")));
}

TEST_F(ProcessTest, RefusesAnotherRootThanTheInvitationNames) {
  config_.mutable_registrar()->set_root_sha256(std::string(64, '0'));

  EXPECT_THAT(ParticipantProcess::Start(config_, "node", {}), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(ProcessTest, EnrolsOnlyOnceWithOneInvitation) {
  ASSERT_NE(Start(), nullptr);
  std::filesystem::remove_all(config_.data_dir());

  EXPECT_THAT(ParticipantProcess::Start(config_, "node", {}), Not(IsOk()));
}

}  // namespace
}  // namespace tsunagi::process
