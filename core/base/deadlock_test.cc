#include "core/base/deadlock.h"

#include <cstdlib>

#include "gtest/gtest.h"

namespace tsunagi {
namespace {

void LockInBothOrders() {
  absl::Mutex first;
  absl::Mutex second;
  for (const bool turned : {false, true}) {
    const absl::MutexLock outer(turned ? &second : &first);
    const absl::MutexLock inner(turned ? &first : &second);
  }
}

TEST(DeadlockDetectionTest, EndsNoProcess) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        StopDeadlockDetection();
        LockInBothOrders();
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace tsunagi
