#include "services/process/registrar_log.h"

#include <filesystem>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/audit/epoch.h"
#include "core/audit/journal.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ops/operations_service.h"
#include "tests/support/fake_random.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_server.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::process {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsOk;
using testing::Not;
using testing::StatusIs;
using testing::TestCredential;
using testing::TestFederation;
using enum absl::StatusCode;

constexpr char kLog[] = "registrar.battery.example/registrar";

// Says anything about its log.
class SayingService final : public ops::v1::OperationsService::CallbackService {
 public:
  SayingService(rpc::Guard& guard, ops::v1::GetCheckpointResponse said)
      : guard_(guard), said_(std::move(said)) {}
  grpc::ServerUnaryReactor* GetCheckpoint(grpc::CallbackServerContext* context,
                                          const ops::v1::GetCheckpointRequest*,
                                          ops::v1::GetCheckpointResponse* response) override {
    return guard_.Serve(context, [this, response](const Caller&, const rpc::Finish& finish) {
      *response = said_;
      finish(absl::OkStatus());
    });
  }

 private:
  rpc::Guard& guard_;
  const ops::v1::GetCheckpointResponse said_;
};

// A real OperationsService of a registrar over a log that the test makes, asked by a node of `oem`.
class RegistrarLogTest : public ::testing::Test {
 protected:
  // The log as it is shown; ends with the object.
  struct Shown {
    explicit Shown(RegistrarLogTest& test, uint64_t epoch = 1)
        : journal(audit::Journal::Open(*store, audit::EpochOrigin(kLog, epoch), test.log_key_, test.random_)
                      .value()) {}
    void Append(const std::string& record, int leaves = 1) {
      for (int i = 0; i < leaves; ++i) {
        audit::Commit commit;
        commit.record = record;
        ASSERT_THAT(journal->SubmitAndWait(std::move(commit)), IsOk());
      }
    }
    audit::Checkpoint Last() const {
      return audit::OpenCheckpoint(journal->LatestCheckpoint(), journal->origin(), journal->log_key())
          .value();
    }
    std::unique_ptr<store::Store> store = store::NewMemoryStore();
    std::unique_ptr<audit::Journal> journal;
  };

  RegistrarLogTest() {
    federation_.Add("oem");
    identity::v1::ParticipantKey& key = *federation_.registrar().add_keys();
    key.set_key_id(log_key_.id());
    key.set_purpose(identity::v1::KEY_PURPOSE_LOG);
    key.set_algorithm(log_key_.algorithm());
    key.set_public_key(log_key_.public_key().der());
    key.set_log_origin(kLog);
    *key.mutable_valid_from() = ToProto(clock_.Now());
    federation_.Publish().IgnoreError();
  }

  // What the node makes of the log.
  absl::Status Look(const Shown& shown) {
    ops::OperationsService service(guard_, *shown.journal, {});
    testing::TlsServer server(federation_, "registrar", "registrar");
    RETURN_IF_ERROR(server.Start(guard_, {&service}));
    const TestCredential oem = federation_.Enrol("oem", "node");
    Registrar registrar(server.Channel(oem, federation_.Token("oem", oem)));
    return log_->Look(registrar);
  }
  // A next epoch that names `before`.
  std::unique_ptr<Shown> NextEpoch(const audit::Checkpoint& before, uint64_t epoch = 2) {
    auto next = std::make_unique<Shown>(*this, epoch);
    audit::v1::Record record;
    record.mutable_epoch()->set_origin(before.origin);
    record.mutable_epoch()->set_size(before.size);
    record.mutable_epoch()->set_root(before.root);
    next->Append(Encode(record));
    return next;
  }

  // What the node makes of a registrar that proves leaf `index` as the first one of its epoch.
  absl::Status LookAtAnotherLeaf(const Shown& shown, uint64_t index) {
    ops::v1::GetCheckpointResponse response;
    response.set_checkpoint(shown.journal->LatestCheckpoint());
    *response.mutable_first_leaf() = shown.journal->Prove(index, response.checkpoint()).value();
    SayingService service(guard_, response);
    testing::TlsServer server(federation_, "registrar", "registrar");
    RETURN_IF_ERROR(server.Start(guard_, {&service}));
    const TestCredential oem = federation_.Enrol("oem", "node");
    Registrar registrar(server.Channel(oem, federation_.Token("oem", oem)));
    return log_->Look(registrar);
  }

  const SystemClock clock_;
  testing::FakeRandom random_;
  const crypto::PrivateKey log_key_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  TestFederation federation_{clock_};
  rpc::Guard guard_{{.own_label = "registrar", .federation = "battery.example"},
                    ops::OperationsRows(),
                    federation_.tokens(),
                    federation_.trust(),
                    clock_};
  const testing::TempDir dir_;
  std::optional<RegistrarLog> log_{std::in_place, dir_.path(), federation_.trust()};
};

TEST_F(RegistrarLogTest, FollowsALogThatGrowsAndKeepsItsCheckpoint) {
  Shown shown(*this);
  for (const int leaves : {1, 0, 5, 8}) {
    shown.Append("act", leaves);
    ASSERT_THAT(Look(shown), IsOk());
    EXPECT_EQ(log_->Newest(), shown.journal->LatestCheckpoint());
  }
  EXPECT_THAT(log_->Alarm(), IsEmpty());

  log_.emplace(dir_.path(), federation_.trust());
  EXPECT_EQ(log_->Newest(), shown.journal->LatestCheckpoint()) << "after a restart";
}

TEST_F(RegistrarLogTest, FindsOutALogThatLostLeaves) {
  Shown shown(*this);
  shown.Append("act", 3);
  ASSERT_THAT(Look(shown), IsOk());
  const std::string kept = log_->Newest();
  Shown restored(*this);
  restored.Append("act", 2);

  EXPECT_THAT(Look(restored), StatusIs(kDataLoss, HasSubstr("2 leaves after 3")));

  EXPECT_THAT(log_->Alarm(), HasSubstr("2 leaves after 3"));
  EXPECT_EQ(log_->Newest(), kept);
  ASSERT_THAT(Look(shown), IsOk());
  EXPECT_THAT(log_->Alarm(), IsEmpty());
}

TEST_F(RegistrarLogTest, FindsOutAForkThatHasGrownPastIt) {
  Shown shown(*this);
  shown.Append("act", 3);
  ASSERT_THAT(Look(shown), IsOk());
  Shown fork(*this);
  fork.Append("other act", 7);

  EXPECT_THAT(Look(fork), StatusIs(kDataLoss, HasSubstr("does not go on from the tree of 3")));
  EXPECT_THAT(log_->Alarm(), Not(IsEmpty()));
}

TEST_F(RegistrarLogTest, FollowsANewEpochThatNamesWhatItSaw) {
  Shown shown(*this);
  shown.Append("act", 3);
  ASSERT_THAT(Look(shown), IsOk());
  const std::string before = log_->Newest();
  const auto next = NextEpoch(shown.Last());

  ASSERT_THAT(Look(*next), IsOk());
  next->Append("act", 4);
  ASSERT_THAT(Look(*next), IsOk());

  EXPECT_EQ(log_->Newest(), next->journal->LatestCheckpoint());
  EXPECT_THAT(log_->Alarm(), IsEmpty());
  EXPECT_EQ(ReadFile(dir_.File("registrar-checkpoint-1"), 1 << 14).value_or(""), before);
}

TEST_F(RegistrarLogTest, SaysWhatANewEpochLeavesOut) {
  Shown shown(*this);
  shown.Append("act", 2);
  const audit::Checkpoint old = shown.Last();
  shown.Append("act", 3);
  ASSERT_THAT(Look(shown), IsOk());

  ASSERT_THAT(Look(*NextEpoch(old)), IsOk());

  EXPECT_THAT(log_->Alarm(), HasSubstr("from leaf 2, this process saw 5"));
}

TEST_F(RegistrarLogTest, RefusesANewEpochThatNamesAnotherTree) {
  Shown shown(*this);
  shown.Append("act", 3);
  ASSERT_THAT(Look(shown), IsOk());
  audit::Checkpoint other = shown.Last();
  other.root = crypto::Sha256("another tree");

  EXPECT_THAT(Look(*NextEpoch(other)), StatusIs(kDataLoss, HasSubstr("another tree")));
}

TEST_F(RegistrarLogTest, RefusesANewEpochThatNamesNoneOrAnotherEpoch) {
  Shown shown(*this);
  shown.Append("act", 3);
  ASSERT_THAT(Look(shown), IsOk());
  Shown nameless(*this, 2);
  nameless.Append(Encode(audit::v1::Record()));
  EXPECT_THAT(Look(nameless), StatusIs(kDataLoss, HasSubstr("names no epoch before")));

  EXPECT_THAT(Look(*NextEpoch(shown.Last(), 3)), StatusIs(kDataLoss, HasSubstr("another epoch")));
  Shown empty(*this, 2);
  EXPECT_THAT(Look(empty), StatusIs(kDataLoss));
  EXPECT_EQ(log_->Newest(), shown.journal->LatestCheckpoint());
}

TEST_F(RegistrarLogTest, TakesNoOtherLeafForTheFirst) {
  Shown shown(*this);
  shown.Append("act", 3);
  ASSERT_THAT(Look(shown), IsOk());
  Shown late(*this, 2);
  late.Append(Encode(audit::v1::Record()));
  audit::v1::Record record;
  record.mutable_epoch()->set_origin(kLog);
  record.mutable_epoch()->set_size(shown.Last().size);
  record.mutable_epoch()->set_root(shown.Last().root);
  late.Append(Encode(record));

  EXPECT_THAT(LookAtAnotherLeaf(late, 1), StatusIs(kDataLoss, HasSubstr("does not prove its first leaf")));
}

TEST_F(RegistrarLogTest, RefusesAnEpochThatHasEnded) {
  Shown shown(*this);
  shown.Append("act", 3);
  const auto next = NextEpoch(shown.Last());
  ASSERT_THAT(Look(*next), IsOk());

  EXPECT_THAT(Look(shown), StatusIs(kDataLoss, HasSubstr("epoch 1 after 2")));
}

TEST_F(RegistrarLogTest, RefusesALogUnderAnotherKey) {
  Shown shown(*this);
  shown.Append("act", 1);
  const auto stolen = audit::SignCheckpoint(
      {kLog, 1, shown.Last().root}, crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519));
  ASSERT_THAT(WriteFileAtomically(dir_.File("registrar-checkpoint"), stolen, 0600), IsOk());
  log_.emplace(dir_.path(), federation_.trust());

  EXPECT_THAT(Look(shown), StatusIs(kDataLoss));
}

}  // namespace
}  // namespace tsunagi::process
