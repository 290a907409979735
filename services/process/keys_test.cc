#include "services/process/keys.h"

#include <sys/stat.h>

#include <string>
#include <thread>
#include <vector>

#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_random.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::process {
namespace {

using testing::FakeRandom;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(KeysTest, MakesWhatIsMissingAndFindsItAgain) {
  const testing::TempDir dir;
  FakeRandom random;

  const auto made = LoadKeys(dir.File("data"), dir.File("shared"), random);
  const auto found = LoadKeys(dir.File("data"), dir.File("shared"), random);

  ASSERT_THAT(made, IsOk());
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(made->tls.id(), found->tls.id());
  EXPECT_EQ(made->log.id(), found->log.id());
  EXPECT_EQ(made->signing.id(), found->signing.id());
  EXPECT_EQ(made->seal, found->seal);
  EXPECT_EQ(made->node, found->node);
  EXPECT_EQ(made->seal.size(), 32);
  EXPECT_NE(made->seal, made->node);
}

TEST(KeysTest, SharesTheParticipantsKeysBetweenItsProcesses) {
  const testing::TempDir dir;
  FakeRandom random;

  const auto catalog = LoadKeys(dir.File("catalog"), dir.File("shared"), random);
  const auto passport = LoadKeys(dir.File("passport"), dir.File("shared"), random);

  ASSERT_THAT(catalog, IsOk());
  ASSERT_THAT(passport, IsOk());
  EXPECT_EQ(catalog->signing.id(), passport->signing.id());
  EXPECT_EQ(catalog->seal, passport->seal);
  EXPECT_NE(catalog->tls.id(), passport->tls.id());
  EXPECT_NE(catalog->log.id(), passport->log.id());
}

TEST(KeysTest, AgreesWhenProcessesStartAtOnce) {
  const testing::TempDir dir;
  FakeRandom random;
  std::vector<std::string> ids(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < ids.size(); ++i) {
    threads.emplace_back([&, i] {
      const auto keys = LoadKeys(dir.File(std::to_string(i)), dir.File("shared"), random);
      if (keys.ok()) ids[i] = keys->signing.id() + keys->seal;
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (const std::string& id : ids) EXPECT_EQ(id, ids[0]);
  EXPECT_FALSE(ids[0].empty());
}

TEST(KeysTest, ClosesTheFoldersToOthers) {
  const testing::TempDir dir;
  FakeRandom random;
  ASSERT_EQ(::mkdir(dir.File("data").c_str(), 0755), 0);

  ASSERT_THAT(LoadKeys(dir.File("data"), dir.File("data"), random), IsOk());

  struct stat info = {};
  ASSERT_EQ(::stat(dir.File("data").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST(KeysTest, RefusesASecretThatOthersCanRead) {
  const testing::TempDir dir;
  FakeRandom random;
  ASSERT_THAT(LoadKeys(dir.File("data"), dir.File("data"), random), IsOk());
  ASSERT_EQ(::chmod(dir.File("data/seal.key").c_str(), 0644), 0);

  EXPECT_THAT(LoadKeys(dir.File("data"), dir.File("data"), random),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("seal.key")));
}

TEST(KeysTest, KeepsTheSigningKeyThatItReplaces) {
  const testing::TempDir dir;
  FakeRandom random;
  const auto before = LoadKeys(dir.File("data"), dir.File("shared"), random);
  ASSERT_THAT(before, IsOk());

  const auto next = RotateSigningKey(dir.File("shared"));

  ASSERT_THAT(next, IsOk());
  const auto after = LoadKeys(dir.File("data"), dir.File("shared"), random);
  ASSERT_THAT(after, IsOk());
  EXPECT_EQ(after->signing.id(), *next);
  EXPECT_NE(after->signing.id(), before->signing.id());
  EXPECT_EQ(after->seal, before->seal);
  const std::string kept = dir.File("shared/signing-" + before->signing.id() + ".key");
  EXPECT_EQ(ReadFile(kept, 1 << 16).value(), before->signing.ToPem());
  struct stat info = {};
  ASSERT_EQ(::stat(kept.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(KeysTest, RefusesADamagedSecret) {
  const testing::TempDir dir;
  FakeRandom random;
  ASSERT_THAT(LoadKeys(dir.File("data"), dir.File("data"), random), IsOk());
  ASSERT_THAT(WriteFileAtomically(dir.File("data/node.key"), "short", 0600), IsOk());

  EXPECT_THAT(LoadKeys(dir.File("data"), dir.File("data"), random),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("node.key")));
}

}  // namespace
}  // namespace tsunagi::process
