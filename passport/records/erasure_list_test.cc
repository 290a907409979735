#include "passport/records/erasure_list.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/full_disk.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::passport {
namespace {

using ::testing::ElementsAre;
using testing::FullDisk;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

const ErasedPart kFirst{std::string(32, 'a'), 0};
const ErasedPart kSecond{std::string(32, 'b'), 17};

class ErasureListTest : public ::testing::Test {
 protected:
  std::unique_ptr<ErasureList> Open() { return ErasureList::Open(path_).value(); }
  void Write(absl::string_view text) { ASSERT_THAT(WriteFileAtomically(path_, text, 0600), IsOk()); }

  const testing::TempDir folder_;
  const std::string path_ = folder_.File("erasures");
};

TEST_F(ErasureListTest, StartsEmptyInAFileOfItsOwner) {
  EXPECT_EQ(Open()->size(), 0u);

  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(ErasureListTest, GoesOnWhereItStopped) {
  EXPECT_THAT(Open()->Add({kFirst}), IsOkAndHolds(1u));
  EXPECT_THAT(Open()->Add({kSecond}), IsOkAndHolds(2u));

  const auto list = Open();

  EXPECT_EQ(list->size(), 2u);
  EXPECT_THAT(list->After(0), IsOkAndHolds(ElementsAre(kFirst, kSecond)));
  EXPECT_THAT(list->After(1), IsOkAndHolds(ElementsAre(kSecond)));
  EXPECT_THAT(list->After(2), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(list->After(3), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(ReadFile(path_, 1000).value(),
            absl::StrCat(ToHex(kFirst.first), " 0\n", ToHex(kSecond.first), " 17\n"));
}

TEST_F(ErasureListTest, CutsOffWhatACrashLeftUnfinished) {
  ASSERT_THAT(Open()->Add({kFirst}), IsOk());
  Write(absl::StrCat(ReadFile(path_, 1000).value(), ToHex(kSecond.first), " 1"));

  const auto list = Open();

  ASSERT_THAT(list->Add({kSecond}), IsOkAndHolds(2u));
  EXPECT_THAT(list->After(0), IsOkAndHolds(ElementsAre(kFirst, kSecond)));
}

TEST_F(ErasureListTest, NamesALineThatItCannotRead) {
  const std::string good = absl::StrCat(ToHex(kFirst.first), " 0\n");
  for (const char* bad : {"x 1\n", "aabb 1\n", "\x01\n"}) {
    Write(absl::StrCat(good, bad));
    EXPECT_THAT(ErasureList::Open(path_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("line 2"))) << bad;
  }
  Write(absl::StrCat(good, ToHex(kSecond.first), " -1\n"));
  EXPECT_THAT(ErasureList::Open(path_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("line 2")));
}

TEST_F(ErasureListTest, CountsNothingThatIsNotOnDisk) {
  const auto list = Open();
  {
    const FullDisk full;
    EXPECT_FALSE(list->Add({kFirst}).ok());
  }

  EXPECT_EQ(list->size(), 0u);
}

}  // namespace
}  // namespace tsunagi::passport
