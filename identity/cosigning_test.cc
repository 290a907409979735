#include "identity/cosigning.h"

#include "core/audit/checkpoint.h"
#include "core/audit/merkle.h"
#include "core/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::HasSubstr;
using tsunagi::testing::IsOk;
using tsunagi::testing::IsOkAndHolds;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

// A real log of the maker's node, beside the registrar.
class CosigningTest : public ::testing::Test {
 protected:
  CosigningTest() {
    registrar_.Register("maker");
    v1::ListKeysRequest request;
    RegistrarForTest::AddKey(key_, v1::KEY_PURPOSE_LOG, origin_, maker_.did(), request);
    (void)registrar_.ListKeys(maker_, request).value();
  }
  static std::unique_ptr<audit::Journal> Open(store::Store& store, const std::string& origin,
                                              const crypto::PrivateKey& key, Random& random) {
    return audit::Journal::Open(store, origin, key, random).value();
  }
  static void Append(audit::Journal& log, int leaves) {
    for (int i = 0; i < leaves; ++i) {
      audit::Commit commit;
      commit.record = absl::StrCat("record ", i);
      ASSERT_THAT(log.SubmitAndWait(std::move(commit)), IsOk());
    }
  }
  v1::CosignCheckpointRequest Request(const audit::Journal& log, uint64_t old_size) {
    v1::CosignCheckpointRequest request;
    request.set_checkpoint(log.LatestCheckpoint());
    request.set_old_size(old_size);
    if (old_size > 0 && old_size <= log.Size()) {
      const std::vector<audit::Digest> proof = log.ConsistencyProof(old_size, log.Size()).value();
      for (const audit::Digest& digest : proof) request.add_consistency(digest);
    }
    return request;
  }
  absl::StatusOr<v1::CosignCheckpointResponse> Cosign(const v1::CosignCheckpointRequest& request) {
    return Cosign(maker_, request);
  }
  absl::StatusOr<v1::CosignCheckpointResponse> Cosign(const Caller& caller,
                                                      const v1::CosignCheckpointRequest& request) {
    return WaitFor<v1::CosignCheckpointResponse>(
        [&](auto done) { registrar_.registrar->cosigning().Cosign(caller, request, std::move(done)); });
  }
  static std::string ReasonOf(const absl::Status& status) {
    return DetailOf(status).value_or(ErrorDetail()).reason();
  }

  RegistrarForTest registrar_;
  const Caller maker_ = RegistrarForTest::CallerOf("maker");
  const std::string origin_ = LogOrigin("node", "maker", kFederation);
  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  std::unique_ptr<store::Store> store_ = store::NewMemoryStore();
  std::unique_ptr<audit::Journal> log_ = Open(*store_, origin_, key_, registrar_.random);
};

TEST_F(CosigningTest, AddsItsLineWithTheTime) {
  Append(*log_, 3);

  const auto reply = Cosign(Request(*log_, 0));

  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(audit::OpenCheckpoint(reply->checkpoint(), origin_, key_.public_key()), IsOk());
  EXPECT_THAT(audit::CosignatureTime(reply->checkpoint(), "registrar.battery.example",
                                     registrar_.authority.witness.public_key()),
              IsOkAndHolds(registrar_.clock.Now()));
  EXPECT_EQ(registrar_.Acts().back(), "cosigned");
}

TEST_F(CosigningTest, FollowsALogThatGrowsAndRemembersItOverARestart) {
  Append(*log_, 2);
  ASSERT_THAT(Cosign(Request(*log_, 0)), IsOk());
  Append(*log_, 3);
  ASSERT_THAT(Cosign(Request(*log_, 2)), IsOk());
  registrar_.Restart();

  EXPECT_THAT(Cosign(Request(*log_, 0)), StatusIs(kFailedPrecondition));
  EXPECT_THAT(Cosign(Request(*log_, 5)), IsOk());
}

TEST_F(CosigningTest, TellsTheSizeToProveFrom) {
  Append(*log_, 2);
  ASSERT_THAT(Cosign(Request(*log_, 0)), IsOk());
  Append(*log_, 3);

  const auto refused = Cosign(Request(*log_, 0));

  ASSERT_THAT(refused, StatusIs(kFailedPrecondition));
  EXPECT_EQ(ReasonOf(refused.status()), "OLD_SIZE_WRONG");
  EXPECT_EQ(DetailOf(refused.status())->expected(), "2");
}

TEST_F(CosigningTest, RefusesASmallerView) {
  Append(*log_, 1);
  const v1::CosignCheckpointRequest early = Request(*log_, 0);
  Append(*log_, 2);
  ASSERT_THAT(Cosign(Request(*log_, 0)), IsOk());

  const auto refused = Cosign(early);

  ASSERT_THAT(refused, StatusIs(kFailedPrecondition));
  EXPECT_EQ(ReasonOf(refused.status()), "VIEW_SMALLER");
}

TEST_F(CosigningTest, NeverCosignsTwoViewsOfOneLog) {
  Append(*log_, 2);
  ASSERT_THAT(Cosign(Request(*log_, 0)), IsOk());
  const auto fork_store = store::NewMemoryStore();
  const auto fork = Open(*fork_store, origin_, key_, registrar_.random);

  Append(*fork, 2);
  const auto same_size = Cosign(Request(*fork, 2));
  ASSERT_THAT(same_size, StatusIs(kFailedPrecondition));
  EXPECT_EQ(ReasonOf(same_size.status()), "VIEW_FORKED");

  Append(*fork, 5);
  const auto larger = Cosign(Request(*fork, 2));
  ASSERT_THAT(larger, StatusIs(kFailedPrecondition));
  EXPECT_EQ(ReasonOf(larger.status()), "VIEW_FORKED");
}

TEST_F(CosigningTest, RefusesAGrowingLogWithoutItsProof) {
  Append(*log_, 2);
  ASSERT_THAT(Cosign(Request(*log_, 0)), IsOk());
  Append(*log_, 3);
  v1::CosignCheckpointRequest request = Request(*log_, 2);
  request.clear_consistency();

  EXPECT_THAT(Cosign(request), StatusIs(kFailedPrecondition));
}

TEST_F(CosigningTest, RefusesAnotherProcessesLog) {
  Append(*log_, 1);

  EXPECT_THAT(Cosign(RegistrarForTest::CallerOf("maker", "catalog"), Request(*log_, 0)),
              StatusIs(kPermissionDenied, HasSubstr("maker.battery.example/catalog")));
  registrar_.Register("other");
  EXPECT_THAT(Cosign(RegistrarForTest::CallerOf("other"), Request(*log_, 0)), StatusIs(kPermissionDenied));
}

TEST_F(CosigningTest, RefusesACheckpointThatTheListedKeyDidNotSign) {
  const auto other = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  v1::CosignCheckpointRequest request;
  request.set_checkpoint(audit::SignCheckpoint({origin_, 1, audit::LeafHash("x")}, other));

  EXPECT_THAT(Cosign(request), StatusIs(kInvalidArgument));
  request.set_checkpoint("no note");
  EXPECT_THAT(Cosign(request), StatusIs(kInvalidArgument));
  request.set_checkpoint(std::string(20000, 'x'));
  EXPECT_THAT(Cosign(request), StatusIs(kInvalidArgument, HasSubstr("too long")));
}

TEST_F(CosigningTest, RefusesASuspendedParticipant) {
  Append(*log_, 1);
  ASSERT_THAT(registrar_.SetSuspended("maker", true), IsOk());

  EXPECT_THAT(Cosign(Request(*log_, 0)), StatusIs(kPermissionDenied, HasSubstr("suspended")));
}

}  // namespace
}  // namespace tsunagi::identity
