#include "identity/registrar.h"

#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;

TEST(RegistrarTest, ListsItselfWithItsKeys) {
  RegistrarForTest registrar;

  const auto self = registrar.registrar->trust().View()->Find("registrar");

  ASSERT_THAT(self, IsOk());
  EXPECT_THAT((*self)->participant.roles(), ElementsAre("registrar"));
  const Authority& authority = registrar.authority;
  for (const auto& key : {authority.token.id(), authority.approval.id()}) {
    EXPECT_THAT((*self)->FindKey(key, v1::KEY_PURPOSE_SIGNING), IsOk());
  }
  for (const auto& key : {authority.log.id(), authority.witness.id()}) {
    EXPECT_THAT((*self)->FindKey(key, v1::KEY_PURPOSE_LOG), IsOk());
  }
}

TEST(RegistrarTest, ARestartChangesNothingInTheDirectory) {
  RegistrarForTest registrar;
  registrar.Register("maker");
  const uint64_t version = registrar.registrar->trust().View()->directory_version;

  registrar.Restart();

  EXPECT_EQ(registrar.registrar->trust().View()->directory_version, version);
  EXPECT_THAT(registrar.registrar->trust().View()->Find("maker"), IsOk());
}

TEST(RegistrarTest, AnnouncesWhereItListens) {
  RegistrarForTest registrar;

  ASSERT_THAT(registrar.registrar->Announce("127.0.0.1:7000"), IsOk());
  ASSERT_THAT(registrar.registrar->Announce("127.0.0.1:7001"), IsOk());

  const auto self = registrar.registrar->trust().View()->Find("registrar").value();
  ASSERT_EQ(self->participant.endpoints_size(), 1);
  EXPECT_EQ(self->participant.endpoints(0).process(), "registrar");
  EXPECT_EQ(self->participant.endpoints(0).address(), "127.0.0.1:7001");
}

TEST(RegistrarTest, StatusListsAreFreshAndTheirVersionsRise) {
  RegistrarForTest registrar;
  const uint64_t first = registrar.registrar->trust().View()->status_version;

  (void)registrar.StatusList();
  EXPECT_EQ(registrar.registrar->trust().View()->status_version, first);
  registrar.clock.Advance(absl::Seconds(6));
  (void)registrar.StatusList();
  EXPECT_EQ(registrar.registrar->trust().View()->status_version, first + 1);
  registrar.Restart();
  EXPECT_GT(registrar.registrar->trust().View()->status_version, first + 1);
}

TEST(RegistrarTest, ListsVerifyAgainstTheRootAlone) {
  RegistrarForTest registrar;
  registrar.Register("maker");
  TrustStore stranger(registrar.authority.root.certificate, kFederation, registrar.clock);

  EXPECT_THAT(stranger.AcceptDirectory(registrar.Directory()), IsOk());
  EXPECT_THAT(stranger.AcceptStatusList(registrar.StatusList()), IsOk());
  EXPECT_THAT(stranger.View()->Find("maker"), IsOk());
}

TEST(RegistrarTest, ManyAtOnceShareOneSigning) {
  RegistrarForTest registrar;
  registrar.clock.Advance(absl::Seconds(6));
  const uint64_t before = registrar.registrar->trust().View()->status_version;
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        (void)registrar.StatusList();
        ++answered;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(answered, 400);
  EXPECT_EQ(registrar.registrar->trust().View()->status_version, before + 1);
}

TEST(RegistrarTest, TheOperatorIsInvitedOnceByAFileThatOthersCannotRead) {
  RegistrarForTest registrar;
  const std::string path = registrar.folder.File("operator-invitation");
  ASSERT_THAT(registrar.registrar->WriteOperatorInvitation(path), IsOk());
  const std::string text = ReadFile(path, 100).value();
  ASSERT_THAT(registrar.registrar->WriteOperatorInvitation(path), IsOk());

  EXPECT_EQ(ReadFile(path, 100).value(), text);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  EXPECT_THAT(registrar.Enrol("registrar", std::string(absl::StripSuffix(text, "\n")),
                              RegistrarForTest::RequestFor(key, "registrar", "operator")),
              IsOk());
}

TEST(RegistrarTest, EveryActThatFailsToBecomeDurableFails) {
  RegistrarForTest registrar;
  registrar.journal.reset();
  class DeadJournal final : public audit::Journal {
   public:
    explicit DeadJournal(store::Store& store, const crypto::PublicKey& key) : store_(store), key_(key) {}
    const store::Store& store() const override { return store_; }
    void RefuseWrites(absl::Status) override {}
    void Settle() override {}
    absl::Status Health() const override { return absl::OkStatus(); }
    audit::ReadVersion Version() const override { return 0; }
    void Submit(audit::Commit, audit::CommitDone done) override {
      done(absl::UnavailableError("disk is gone"));
    }
    void SubmitErasure(audit::Commit, audit::CommitDone done) override {
      done(absl::UnavailableError("gone"));
    }
    const std::string& origin() const override { return origin_; }
    const crypto::PublicKey& log_key() const override { return key_; }
    std::string LatestCheckpoint() const override { return ""; }
    uint64_t Size() const override { return 0; }
    const audit::BatchCounts& batches() const override { return batches_; }
    absl::StatusOr<audit::v1::LogProof> Prove(uint64_t, absl::string_view) const override {
      return absl::OkStatus();
    }
    absl::StatusOr<std::vector<audit::Digest>> ConsistencyProof(uint64_t, uint64_t) const override {
      return std::vector<audit::Digest>();
    }
    absl::StatusOr<std::vector<Leaf>> Leaves(uint64_t, size_t) const override { return std::vector<Leaf>(); }

   private:
    store::Store& store_;
    const audit::BatchCounts batches_;
    const crypto::PublicKey key_;
    const std::string origin_;
  } dead(*registrar.store, registrar.authority.log.public_key());

  EXPECT_THAT(Registrar::Open({dead,
                               registrar.in_use,
                               registrar.clock,
                               registrar.random,
                               {kFederation, "did.example", "https://127.0.0.1:1"}}),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace tsunagi::identity
