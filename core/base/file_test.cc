#include "core/base/file.h"

#include <sys/stat.h>

#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;
using testing::TempDir;

int ModeOf(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 ? static_cast<int>(info.st_mode & 0777) : -1;
}

size_t FilesIn(const TempDir& dir) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(dir.path()), {}));
}

TEST(FileTest, ReadsWhatItWroteWithTheGivenMode) {
  const TempDir dir;
  const std::string content("a\0b", 3);

  ASSERT_THAT(WriteFileAtomically(dir.File("x"), content, 0640), IsOk());

  EXPECT_THAT(ReadFile(dir.File("x"), 3), IsOkAndHolds(content));
  EXPECT_EQ(ModeOf(dir.File("x")), 0640);
}

TEST(FileTest, NamesAMissingFile) {
  EXPECT_THAT(ReadFile("/nowhere/x", 10), StatusIs(StatusCode::kNotFound, HasSubstr("`/nowhere/x`")));
}

TEST(FileTest, RefusesAFileAboveTheBound) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("x"), std::string(100000, 'x'), 0600), IsOk());

  EXPECT_THAT(ReadFile(dir.File("x"), 100000), IsOk());
  EXPECT_THAT(ReadFile(dir.File("x"), 99999), StatusIs(StatusCode::kInvalidArgument, HasSubstr("99999")));
}

TEST(FileTest, RefusesAFolder) {
  const TempDir dir;

  EXPECT_FALSE(ReadFile(dir.path(), 10).ok());
}

TEST(FileTest, ReplacesAFileAndLeavesNothingElse) {
  const TempDir dir;

  ASSERT_THAT(WriteFileAtomically(dir.File("x"), "old", 0600), IsOk());
  ASSERT_THAT(WriteFileAtomically(dir.File("x"), "new", 0600), IsOk());

  EXPECT_THAT(ReadFile(dir.File("x"), 10), IsOkAndHolds("new"));
  EXPECT_EQ(FilesIn(dir), 1u);
}

TEST(FileTest, LeavesNothingBehindWhenTheWriteFails) {
  const TempDir dir;
  std::filesystem::create_directory(dir.File("x"));

  EXPECT_FALSE(WriteFileAtomically(dir.File("x"), "new", 0600).ok());

  EXPECT_EQ(FilesIn(dir), 1u);
}

TEST(FileTest, ANewFileNeverReplacesAnother) {
  const TempDir dir;

  ASSERT_THAT(WriteNewFile(dir.File("x"), "first", 0600), IsOk());
  EXPECT_THAT(WriteNewFile(dir.File("x"), "second", 0600), StatusIs(StatusCode::kAlreadyExists));

  EXPECT_THAT(ReadFile(dir.File("x"), 10), IsOkAndHolds("first"));
  EXPECT_EQ(FilesIn(dir), 1u);
}

TEST(FileTest, RefusesASecretThatOthersCanAccess) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("secret"), "s", 0600), IsOk());
  EXPECT_THAT(ReadSecretFile(dir.File("secret"), 10), IsOkAndHolds("s"));

  for (const mode_t mode : {0640, 0604, 0620, 0601}) {
    ASSERT_EQ(::chmod(dir.File("secret").c_str(), mode), 0);
    EXPECT_THAT(ReadSecretFile(dir.File("secret"), 10),
                StatusIs(StatusCode::kFailedPrecondition, HasSubstr("chmod 600")));
  }
}

TEST(FileTest, AppendsToAFileThatExists) {
  const TempDir dir;
  const std::string path = dir.File("list");
  EXPECT_THAT(AppendToFile(path, "a\n"), StatusIs(StatusCode::kNotFound));
  ASSERT_THAT(WriteFileAtomically(path, "", 0600), IsOk());

  EXPECT_THAT(AppendToFile(path, "a\n"), IsOk());
  EXPECT_THAT(AppendToFile(path, "b\n"), IsOk());

  EXPECT_THAT(ReadFile(path, 100), IsOkAndHolds("a\nb\n"));
}

}  // namespace
}  // namespace tsunagi
