#include "passport/records/evidence_cache.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tsunagi::passport {
namespace {

using ::testing::IsNull;
using ::testing::Pointee;

EvidenceCache::Evidence EvidenceOf(const std::string& digest) {
  return std::make_shared<const std::string>("evidence of " + digest);
}

TEST(EvidenceCacheTest, FindsWhatWasAddedAndNothingElse) {
  EvidenceCache cache(2);
  cache.Add("a", EvidenceOf("a"));

  EXPECT_THAT(cache.Find("a"), Pointee(std::string("evidence of a")));
  EXPECT_THAT(cache.Find("b"), IsNull());
}

TEST(EvidenceCacheTest, KeepsAtMostTwiceItsLimit) {
  EvidenceCache cache(10);
  int destroyed = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto counted = [&destroyed](const std::string* evidence) {
      ++destroyed;
      delete evidence;
    };
    cache.Add(absl::StrCat(i), EvidenceCache::Evidence(new std::string("x"), counted));
    EXPECT_LE(i + 1 - destroyed, 20);
  }
  for (int i = 990; i < 1000; ++i) EXPECT_NE(cache.Find(absl::StrCat(i)), nullptr) << i;
}

TEST(EvidenceCacheTest, KeepsWhatIsUsed) {
  EvidenceCache cache(10);
  cache.Add("used", EvidenceOf("used"));
  for (int i = 0; i < 1000; ++i) {
    cache.Add(absl::StrCat(i), EvidenceOf("other"));
    ASSERT_THAT(cache.Find("used"), Pointee(std::string("evidence of used"))) << i;
  }
}

}  // namespace
}  // namespace tsunagi::passport
