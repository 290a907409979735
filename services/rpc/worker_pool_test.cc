#include "services/rpc/worker_pool.h"

#include <atomic>
#include <future>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::rpc {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(WorkerPoolTest, RunsJobsAtOnceOnItsThreads) {
  WorkerPool pool(2, 8);
  std::promise<void> first;
  std::promise<void> second;
  std::promise<void> both;

  // Each of the two waits for the other: one thread alone would never end.
  ASSERT_THAT(pool.Run([&] {
    first.set_value();
    second.get_future().wait();
    both.set_value();
  }),
              IsOk());
  ASSERT_THAT(pool.Run([&] {
    first.get_future().wait();
    second.set_value();
  }),
              IsOk());

  both.get_future().wait();
}

TEST(WorkerPoolTest, RefusesWhatTheQueueCannotHold) {
  std::promise<void> started;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  WorkerPool pool(1, 1);
  ASSERT_THAT(pool.Run([&] {
    started.set_value();
    released.wait();
  }),
              IsOk());
  started.get_future().wait();
  ASSERT_THAT(pool.Run([&] { released.wait(); }), IsOk());

  EXPECT_THAT(pool.Run([] {}), StatusIs(absl::StatusCode::kResourceExhausted));

  release.set_value();
}

TEST(WorkerPoolTest, FinishesWhatIsQueuedWhenItEnds) {
  std::atomic<int> done = 0;
  {
    WorkerPool pool(2, 64);
    for (int i = 0; i < 50; ++i) ASSERT_THAT(pool.Run([&] { ++done; }), IsOk());
  }

  EXPECT_EQ(done, 50);
}

}  // namespace
}  // namespace tsunagi::rpc
