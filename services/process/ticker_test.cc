#include "services/process/ticker.h"

#include <atomic>
#include <future>

#include "gtest/gtest.h"

namespace tsunagi::process {
namespace {

TEST(TickerTest, RunsAgainAndAgain) {
  std::atomic<int> runs = 0;
  std::promise<void> three;
  const Ticker ticker(absl::Milliseconds(1), [&] {
    if (++runs == 3) three.set_value();
  });

  three.get_future().wait();
}

TEST(TickerTest, RunsAtOnceWhenWoken) {
  std::promise<void> ran;
  Ticker ticker(absl::Hours(1), [&] { ran.set_value(); });

  ticker.Wake();

  ran.get_future().wait();
}

TEST(TickerTest, EndsWithoutARunThatIsNotDue) {
  std::atomic<int> runs = 0;
  {
    const Ticker ticker(absl::Hours(1), [&] { ++runs; });
  }

  EXPECT_EQ(runs, 0);
}

}  // namespace
}  // namespace tsunagi::process
