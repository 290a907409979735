#include "core/audit/written_keys.h"

#include <string>

#include "gtest/gtest.h"

namespace tsunagi::audit {
namespace {

TEST(WrittenKeysTest, FindsAKeyThatWasWrittenAfterTheReader) {
  WrittenKeys written(10);
  written.Note("a", 5);

  EXPECT_TRUE(written.Stale({"a"}, 4));
  EXPECT_FALSE(written.Stale({"a"}, 5));
  EXPECT_FALSE(written.Stale({"b"}, 4));
}

TEST(WrittenKeysTest, LooksAtEveryKey) {
  WrittenKeys written(10);
  written.Note("b", 5);

  EXPECT_TRUE(written.Stale({"a", "b", "c"}, 4));
}

TEST(WrittenKeysTest, RemembersTheLatestWrite) {
  WrittenKeys written(10);
  written.Note("a", 5);
  written.Note("a", 6);

  EXPECT_TRUE(written.Stale({"a"}, 5));
}

TEST(WrittenKeysTest, LetsACommitWithoutReadsThrough) {
  WrittenKeys written(1);
  for (uint64_t version = 1; version < 10; ++version) written.Note(std::to_string(version), version);

  EXPECT_FALSE(written.Stale({}, 0));
}

TEST(WrittenKeysTest, RemembersAsManyKeysAsItsLimit) {
  WrittenKeys written(4);
  for (uint64_t version = 1; version <= 4; ++version) written.Note(std::to_string(version), version);
  written.Note("5", 5);

  EXPECT_TRUE(written.Stale({"1"}, 0));
  EXPECT_FALSE(written.Stale({"other"}, 0));
}

TEST(WrittenKeysTest, RefusesAReaderThatIsOlderThanWhatItForgot) {
  WrittenKeys written(4);
  for (uint64_t version = 1; version <= 9; ++version) written.Note(std::to_string(version), version);

  EXPECT_TRUE(written.Stale({"other"}, 3)) << "versions up to 4 are forgotten";
  EXPECT_FALSE(written.Stale({"other"}, 4));
  EXPECT_TRUE(written.Stale({"6"}, 5));
}

TEST(WrittenKeysTest, NeverMissesAConflict) {
  WrittenKeys written(3);
  for (uint64_t version = 1; version <= 200; ++version) {
    written.Note(std::to_string(version % 11), version);
    for (uint64_t key = 0; key < 11; ++key) {
      uint64_t last = version;
      while (last > 0 && last % 11 != key) --last;
      for (uint64_t reader = 0; reader < last; ++reader) {
        ASSERT_TRUE(written.Stale({std::to_string(key)}, reader)) << key << " read at " << reader;
      }
      ASSERT_FALSE(written.Stale({std::to_string(key)}, version));
    }
  }
}

}  // namespace
}  // namespace tsunagi::audit
