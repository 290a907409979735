#include "core/base/histogram.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tsunagi {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kBounds[] = {10, 100};

TEST(HistogramTest, CountsABoundInItsOwnBucketAndWhatIsLargerThanAllInTheLast) {
  Histogram histogram(kBounds);

  for (const uint64_t value : {0, 10, 11, 100, 101, 5000}) histogram.Observe(value);

  EXPECT_THAT(histogram.Read().counts, ElementsAre(2, 2, 2));
  EXPECT_EQ(histogram.Read().sum, 5222u);
}

TEST(HistogramTest, LosesNothingWhenThreadsObserveAtOnce) {
  Histogram histogram(kBounds);
  const auto observe = [&] {
    for (int i = 0; i < 10'000; ++i) histogram.Observe(7);
  };

  std::thread other(observe);
  observe();
  other.join();

  EXPECT_THAT(histogram.Read().counts, ElementsAre(20'000, 0, 0));
  EXPECT_EQ(histogram.Read().sum, 140'000u);
}

TEST(HistogramTest, WithoutBoundsIsACountAndASum) {
  Histogram histogram({});

  histogram.Observe(3);

  EXPECT_THAT(histogram.Read().counts, ElementsAre(1));
}

}  // namespace
}  // namespace tsunagi
