#include "core/store/measured_store.h"

#include <numeric>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::store {
namespace {

using ::testing::ElementsAre;
using tsunagi::testing::IsOk;
using tsunagi::testing::IsOkAndHolds;

uint64_t Count(const Histogram::Reading& reading) {
  return std::accumulate(reading.counts.begin(), reading.counts.end(), uint64_t{0});
}

TEST(MeasuredStoreTest, CountsTheRowsAndTheTimeOfEachBatch) {
  MeasuredStore store(NewMemoryStore());

  ASSERT_THAT(store.Apply({Put(Table::kState, "a", "1"), Put(Table::kState, "b", "2")}), IsOk());
  ASSERT_THAT(store.Apply({Delete(Table::kState, "a")}), IsOk());

  EXPECT_EQ(store.rows().sum, 3u);
  EXPECT_EQ(Count(store.rows()), 2u);
  EXPECT_EQ(Count(store.nanoseconds()), 2u);
  EXPECT_GT(store.nanoseconds().sum, 0u);
}

TEST(MeasuredStoreTest, IsTheStoreThatItHolds) {
  MeasuredStore store(NewMemoryStore());
  ASSERT_THAT(store.Apply({Put(Table::kState, "a", "1"), Put(Table::kPerson, "b", "2")}), IsOk());
  std::vector<std::string> seen;
  const auto note = [&](absl::string_view key, absl::string_view) {
    seen.emplace_back(key);
    return true;
  };

  EXPECT_THAT(store.Get(Table::kState, "a"), IsOkAndHolds("1"));
  ASSERT_THAT(store.Scan(Table::kPerson, "", "", note), IsOk());
  ASSERT_THAT(store.ScanEach(
                  Table::kState, {"a"},
                  [&](size_t, absl::string_view key, absl::string_view value) { return note(key, value); }),
              IsOk());
  EXPECT_THAT(store.Scrub(Table::kPerson), IsOk());

  EXPECT_THAT(seen, ElementsAre("b", "a"));
}

}  // namespace
}  // namespace tsunagi::store
