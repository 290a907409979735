#include "identity/revoked_mandates.h"

#include <filesystem>

#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::identity {
namespace {

using tsunagi::testing::IsOk;

constexpr char kOne[] = "00000000-0000-4000-8000-000000000001";
constexpr char kTwo[] = "00000000-0000-4000-8000-000000000002";

class RevokedMandatesTest : public ::testing::Test {
 protected:
  const testing::TempDir folder_;
  RevokedMandates revoked_{folder_.path()};
};

TEST_F(RevokedMandatesTest, KnowsWhatAnotherProcessAdds) {
  RevokedMandates other(folder_.path());
  EXPECT_FALSE(other.Contains(kOne));
  ASSERT_THAT(revoked_.Add(kOne), IsOk());

  EXPECT_TRUE(other.Contains(kOne));
  EXPECT_FALSE(other.Contains(kTwo));
  ASSERT_THAT(revoked_.Add(kTwo), IsOk());
  EXPECT_TRUE(other.Contains(kTwo));
}

TEST_F(RevokedMandatesTest, KnowsThemAfterARestart) {
  ASSERT_THAT(revoked_.Add(kOne), IsOk());
  ASSERT_THAT(revoked_.Add(kOne), IsOk());

  EXPECT_TRUE(RevokedMandates(folder_.path()).Contains(kOne));
}

TEST_F(RevokedMandatesTest, LosesNoneAfterALineThatACrashCutShort) {
  ASSERT_THAT(WriteNewFile(folder_.File("revoked-mandates"), "00000000-0000", 0600), IsOk());
  ASSERT_THAT(revoked_.Add(kOne), IsOk());

  EXPECT_TRUE(RevokedMandates(folder_.path()).Contains(kOne));
}

TEST_F(RevokedMandatesTest, CountsEveryMandateAsRevokedWhenTheListIsGoneOrCannotBeRead) {
  ASSERT_THAT(revoked_.Add(kOne), IsOk());
  ASSERT_TRUE(revoked_.Contains(kOne));
  std::filesystem::remove(folder_.File("revoked-mandates"));
  EXPECT_TRUE(revoked_.Contains(kTwo));

  std::filesystem::create_directory(folder_.File("revoked-mandates"));
  EXPECT_TRUE(RevokedMandates(folder_.path()).Contains(kTwo));
}

}  // namespace
}  // namespace tsunagi::identity
