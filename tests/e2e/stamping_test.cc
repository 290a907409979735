// Time stamps of a node's and the registrar's log, from the authority to whoever asks for them.
#include <memory>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "services/rpc/status.h"
#include "tests/e2e/stamping_for_test.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::process {
namespace {

using testing::Eventually;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST_F(StampingTest, ANodesCosignedCheckpointsAreStampedAndListed) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  const Running running(*process);
  audit::v1::Record record;
  *record.mutable_time() = ToProto(clock_.Now());
  for (int i = 0; i < 3; ++i) Append(*process, record);

  ASSERT_TRUE(Eventually([&] { return !StampsOf(process->journal()).empty(); }));

  const audit::KeptStamp kept = StampsOf(process->journal())[0];
  EXPECT_THAT(kept.stamp.checkpoint(), HasSubstr("\xE2\x80\x94 registrar.battery.example "));
  const auto verifier = crypto::TimeStampVerifier::FromPem(*ReadFile(authority_.root_file(), 64 << 10));
  ASSERT_THAT(verifier, IsOk());
  EXPECT_THAT(verifier->Verify(kept.stamp.token(), kept.stamp.checkpoint()), IsOk());

  std::shared_ptr<grpc::Channel> channel;
  ASSERT_TRUE(Eventually([&] {
    const auto found = process->ChannelTo("oem", "node");
    if (found.ok()) channel = *found;
    return found.ok();
  }));
  const auto stub = ops::v1::OperationsService::NewStub(channel);
  const auto list = [&](uint64_t size, int page_size) -> absl::StatusOr<ops::v1::ListStampsResponse> {
    grpc::ClientContext context;
    ops::v1::ListStampsRequest request;
    request.set_size(size);
    request.set_page_size(page_size);
    ops::v1::ListStampsResponse response;
    const absl::Status status = rpc::FromGrpcStatus(stub->ListStamps(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  };
  const auto all = list(0, 0);
  ASSERT_THAT(all, IsOk());
  ASSERT_EQ(all->stamps_size(), 1);
  EXPECT_EQ(all->stamps(0).SerializeAsString(), kept.stamp.SerializeAsString());
  EXPECT_EQ(all->consistency_size(), 0);
  const auto first = list(1, 1);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->stamps_size(), 1);
  const auto proof = process->journal().ConsistencyProof(1, kept.size);
  EXPECT_EQ(std::vector<audit::Digest>(first->consistency().begin(), first->consistency().end()), *proof);
  EXPECT_EQ(list(kept.size + 1, 0)->stamps_size(), 0);
  EXPECT_EQ(list(UINT64_MAX, 0)->stamps_size(), 0);
  EXPECT_THAT(list(0, 51), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("`page_size` is `51`")));
}

TEST_F(StampingTest, AnAuthorityThatFailsIsToldAndStopsNothing) {
  config_.mutable_stamping_authority()->set_url(authority_.Url("/busy"));
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  const Running running(*process);
  audit::v1::Record record;
  *record.mutable_time() = ToProto(clock_.Now());
  Append(*process, record);

  EXPECT_TRUE(Eventually([&] {
    const auto health = CheckHealth(config_, "node");
    return health.ok() && health->notes_size() == 1 &&
           health->notes(0) ==
               "checkpoints are not stamped: the stamping authority answers with status 503: expected 200";
  }));

  EXPECT_TRUE(Healthy());
  Append(*process, record);
}

TEST_F(StampingTest, AProcessDoesNotStartWithoutTheRootOfItsAuthority) {
  config_.mutable_stamping_authority()->set_root_file(dir_.File("missing"));

  EXPECT_THAT(ParticipantProcess::Start(config_, "node", {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("stamping_authority.root_file")));
}

TEST_F(StampingTest, TheRegistrarsOwnCheckpointIsStamped) {
  const audit::Journal& journal = registrar_->registrar().context().journal;

  EXPECT_TRUE(Eventually([&] { return !StampsOf(journal).empty(); }));
}

}  // namespace
}  // namespace tsunagi::process
