#include "core/crypto/library.h"

#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tsunagi::crypto {
namespace {

int DrawRandom() {
  std::array<unsigned char, 8> drawn;
  return RAND_bytes(drawn.data(), static_cast<int>(drawn.size()));
}

// Exit handlers run in reverse: this one, registered before OpenSSL is first used, runs after OpenSSL's own
// would.
void ExitAsRandomWorks() { _exit(DrawRandom() == 1 ? 0 : 1); }

// main() of the tests calls KeepLibraryUntilExit(). The death test starts this program anew, so OpenSSL is
// untouched.
TEST(LibraryDeathTest, IsThereForThreadsThatRunWhileTheProcessExits) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        std::atexit(ExitAsRandomWorks);
        DrawRandom();
        std::exit(2);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace tsunagi::crypto
