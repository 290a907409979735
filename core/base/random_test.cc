#include "core/base/random.h"

#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "gtest/gtest.h"
#include "tests/support/fake_random.h"

namespace tsunagi {
namespace {

TEST(SystemRandomTest, GivesAsManyBytesAsAsked) {
  SystemRandom random;

  for (const size_t size : {0u, 1u, 16u, 1024u, 1025u, 100000u}) EXPECT_EQ(random.Bytes(size).size(), size);
}

TEST(SystemRandomTest, NeverRepeatsAcrossRefillsAndThreads) {
  SystemRandom random;
  std::set<std::string> seen;
  std::set<std::string> seen_by_other;

  std::thread other([&] {
    for (int i = 0; i < 500; ++i) seen_by_other.insert(random.Bytes(16));
  });
  for (int i = 0; i < 500; ++i) seen.insert(random.Bytes(16));
  other.join();
  seen.merge(seen_by_other);

  EXPECT_EQ(seen.size(), 1000u);
}

TEST(SystemRandomTest, AForkedChildDoesNotRepeatItsParent) {
  SystemRandom random;
  random.Bytes(16);
  int channel[2];
  ASSERT_EQ(pipe(channel), 0);

  const pid_t child = fork();
  if (child == 0) {
    const std::string bytes = random.Bytes(16);
    _exit(write(channel[1], bytes.data(), bytes.size()) == 16 ? 0 : 1);
  }
  std::string from_child(16, '\0');
  ASSERT_EQ(read(channel[0], from_child.data(), 16), 16);
  int status = 0;
  waitpid(child, &status, 0);

  EXPECT_NE(from_child, random.Bytes(16));
  close(channel[0]);
  close(channel[1]);
}

TEST(UuidTest, IsVersion4) {
  testing::FakeRandom random;

  const std::string uuid = NewUuid(random);

  EXPECT_TRUE(IsUuid(uuid));
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
  EXPECT_NE(uuid, NewUuid(random));
}

TEST(UuidTest, RefusesOtherForms) {
  EXPECT_TRUE(IsUuid("00000000-0000-0000-0000-000000000000"));
  for (const char* bad : {"", "00000000000000000000000000000000", "00000000-0000-0000-0000-00000000000A",
                          "{00000000-0000-0000-0000-00000000000}", "00000000-0000-0000-0000-0000000000000",
                          "0000000-00000-0000-0000-000000000000"}) {
    EXPECT_FALSE(IsUuid(bad)) << bad;
  }
}

}  // namespace
}  // namespace tsunagi
