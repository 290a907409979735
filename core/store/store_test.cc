// The contract that every backend keeps.
#include "core/store/store.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/store/key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::IsOkAndHolds;
using ::tsunagi::testing::StatusIs;

using Rows = std::vector<std::pair<std::string, std::string>>;

Rows ScanAll(const Store& store, Table table, absl::string_view prefix = "", absl::string_view start = "") {
  Rows rows;
  const absl::Status scanned =
      store.Scan(table, prefix, start, [&](absl::string_view key, absl::string_view value) {
        rows.emplace_back(std::string(key), std::string(value));
        return true;
      });
  EXPECT_THAT(scanned, IsOk());
  return rows;
}

class StoreTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string(GetParam()) == "Memory") {
      store_ = NewMemoryStore();
      return;
    }
    absl::StatusOr<std::unique_ptr<Store>> opened = OpenRocksStore(dir_.File("store"));
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }

  tsunagi::testing::TempDir dir_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreTest, StartsEmpty) {
  for (int i = 0; i < kTableCount; ++i) EXPECT_THAT(ScanAll(*store_, static_cast<Table>(i)), IsEmpty());
}

TEST_P(StoreTest, ReturnsWhatWasPut) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "key", "value")}), IsOk());

  EXPECT_THAT(store_->Get(Table::kState, "key"), IsOkAndHolds("value"));
}

TEST_P(StoreTest, SaysNotFoundForAMissingKey) {
  EXPECT_THAT(store_->Get(Table::kState, "key"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(StoreTest, TellsAnEmptyValueFromAMissingOne) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "key", "")}), IsOk());

  EXPECT_THAT(store_->Get(Table::kState, "key"), IsOkAndHolds(""));
}

TEST_P(StoreTest, KeepsTablesApart) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "key", "state"), Put(Table::kPerson, "key", "person")}),
              IsOk());

  EXPECT_THAT(store_->Get(Table::kState, "key"), IsOkAndHolds("state"));
  EXPECT_THAT(store_->Get(Table::kPerson, "key"), IsOkAndHolds("person"));
  EXPECT_THAT(store_->Get(Table::kLog, "key"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(StoreTest, ReplacesAValue) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "key", "old")}), IsOk());
  ASSERT_THAT(store_->Apply({Put(Table::kState, "key", "new")}), IsOk());

  EXPECT_THAT(store_->Get(Table::kState, "key"), IsOkAndHolds("new"));
}

TEST_P(StoreTest, Deletes) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "key", "value")}), IsOk());
  ASSERT_THAT(store_->Apply({Delete(Table::kState, "key")}), IsOk());

  EXPECT_THAT(store_->Get(Table::kState, "key"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(StoreTest, AcceptsDeletingWhatIsMissing) {
  EXPECT_THAT(store_->Apply({Delete(Table::kState, "key")}), IsOk());
}

TEST_P(StoreTest, ScansSeveralPrefixesInTheGivenOrder) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "a1", "1"), Put(Table::kState, "a2", "2"),
                             Put(Table::kState, "b1", "3"), Put(Table::kState, "c1", "4")}),
              IsOk());
  const std::vector<std::string> prefixes = {"b", "a", "a", "missing", "c"};
  std::vector<std::string> seen;

  const absl::Status scanned = store_->ScanEach(
      Table::kState, prefixes, [&](size_t place, absl::string_view key, absl::string_view value) {
        seen.push_back(absl::StrCat(place, " ", key, " ", value));
        return true;
      });

  EXPECT_THAT(scanned, IsOk());
  EXPECT_THAT(seen, ElementsAre("0 b1 3", "1 a1 1", "1 a2 2", "2 a1 1", "2 a2 2", "4 c1 4"));
}

TEST_P(StoreTest, EndsAScanOfSeveralPrefixesWhenItIsTold) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "a1", "1"), Put(Table::kState, "a2", "2"),
                             Put(Table::kState, "b1", "3")}),
              IsOk());
  int visits = 0;

  EXPECT_THAT(store_->ScanEach(Table::kState, std::vector<std::string>{"a", "b"},
                               [&](size_t, absl::string_view, absl::string_view) { return ++visits < 2; }),
              IsOk());

  EXPECT_EQ(visits, 2);
}

TEST_P(StoreTest, ScansSeveralPrefixesAtOneInstant) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "a1", "1"), Put(Table::kState, "b1", "old")}), IsOk());
  std::vector<std::string> values;

  const absl::Status scanned =
      store_->ScanEach(Table::kState, std::vector<std::string>{"a", "b"},
                       [&](size_t, absl::string_view, absl::string_view value) {
                         values.emplace_back(value);
                         return store_->Apply({Put(Table::kState, "b1", "new")}).ok();
                       });

  EXPECT_THAT(scanned, IsOk());
  EXPECT_THAT(values, ElementsAre("1", "old"));
}

TEST_P(StoreTest, AcceptsAnEmptyBatch) { EXPECT_THAT(store_->Apply({}), IsOk()); }

TEST_P(StoreTest, AppliesABatchInOrder) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "a", "1"), Delete(Table::kState, "a"),
                             Put(Table::kState, "b", "1"), Put(Table::kState, "b", "2")}),
              IsOk());

  EXPECT_THAT(ScanAll(*store_, Table::kState), ElementsAre(Pair("b", "2")));
}

TEST_P(StoreTest, KeepsAnyBytes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));

  ASSERT_THAT(store_->Apply({Put(Table::kRecords, bytes, bytes)}), IsOk());

  EXPECT_THAT(store_->Get(Table::kRecords, bytes), IsOkAndHolds(bytes));
}

TEST_P(StoreTest, KeepsALargeValue) {
  const std::string large(size_t{6} << 20, 'x');

  ASSERT_THAT(store_->Apply({Put(Table::kRecords, "large", large)}), IsOk());

  EXPECT_THAT(store_->Get(Table::kRecords, "large"), IsOkAndHolds(large));
}

TEST_P(StoreTest, ScansInAscendingByteOrder) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "\xff", "4"), Put(Table::kState, "b", "3"),
                             Put(Table::kState, "a", "1"), Put(Table::kState, "aa", "2")}),
              IsOk());

  EXPECT_THAT(ScanAll(*store_, Table::kState),
              ElementsAre(Pair("a", "1"), Pair("aa", "2"), Pair("b", "3"), Pair("\xff", "4")));
}

TEST_P(StoreTest, ScansOneTable) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "a", "1"), Put(Table::kLog, "b", "2")}), IsOk());

  EXPECT_THAT(ScanAll(*store_, Table::kLog), ElementsAre(Pair("b", "2")));
}

TEST_P(StoreTest, ScansOnlyThePrefix) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "a", ""), Put(Table::kState, "b1", ""),
                             Put(Table::kState, "b2", ""), Put(Table::kState, "c", "")}),
              IsOk());

  EXPECT_THAT(ScanAll(*store_, Table::kState, "b"), ElementsAre(Pair("b1", ""), Pair("b2", "")));
}

TEST_P(StoreTest, ScansAPrefixOfTheHighestBytes) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "\xfe", ""), Put(Table::kState, "\xff\xff", "")}), IsOk());

  EXPECT_THAT(ScanAll(*store_, Table::kState, "\xff"), ElementsAre(Pair("\xff\xff", "")));
}

TEST_P(StoreTest, ScansFromTheStartKey) {
  ASSERT_THAT(store_->Apply(
                  {Put(Table::kState, "b1", ""), Put(Table::kState, "b2", ""), Put(Table::kState, "b3", "")}),
              IsOk());

  EXPECT_THAT(ScanAll(*store_, Table::kState, "b", "b2"), ElementsAre(Pair("b2", ""), Pair("b3", "")));
  EXPECT_THAT(ScanAll(*store_, Table::kState, "b", "a"),
              ElementsAre(Pair("b1", ""), Pair("b2", ""), Pair("b3", "")));
  EXPECT_THAT(ScanAll(*store_, Table::kState, "b", "c"), IsEmpty());
}

TEST_P(StoreTest, StopsAScanWhenTold) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "a", ""), Put(Table::kState, "b", "")}), IsOk());
  int visited = 0;

  ASSERT_THAT(store_->Scan(Table::kState, "", "",
                           [&](absl::string_view, absl::string_view) { return ++visited < 1; }),
              IsOk());

  EXPECT_EQ(visited, 1);
}

TEST_P(StoreTest, ScansOneInstantWhileItIsWritten) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "a", "old"), Put(Table::kState, "c", "old")}), IsOk());
  Rows rows;

  ASSERT_THAT(store_->Scan(Table::kState, "", "",
                           [&](absl::string_view key, absl::string_view value) {
                             if (rows.empty()) {
                               EXPECT_THAT(store_->Apply({Put(Table::kState, "b", "new"),
                                                          Put(Table::kState, "c", "new")}),
                                           IsOk());
                             }
                             rows.emplace_back(std::string(key), std::string(value));
                             return true;
                           }),
              IsOk());

  EXPECT_THAT(rows, ElementsAre(Pair("a", "old"), Pair("c", "old")));
  EXPECT_THAT(ScanAll(*store_, Table::kState),
              ElementsAre(Pair("a", "old"), Pair("b", "new"), Pair("c", "new")));
}

TEST_P(StoreTest, LetsAScanReadTheStore) {
  ASSERT_THAT(store_->Apply({Put(Table::kState, "a", "1"), Put(Table::kLog, "a", "2")}), IsOk());
  std::string found;

  ASSERT_THAT(store_->Scan(Table::kState, "", "",
                           [&](absl::string_view key, absl::string_view) {
                             found = store_->Get(Table::kLog, key).value();
                             return true;
                           }),
              IsOk());

  EXPECT_EQ(found, "2");
}

TEST_P(StoreTest, ShowsABatchWholeOrNotAtAll) {
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  ASSERT_THAT(store_->Apply({Put(Table::kState, "a", "0"), Put(Table::kState, "b", "0")}), IsOk());
  std::thread reader([&] {
    while (!stop) {
      const Rows rows = ScanAll(*store_, Table::kState);
      if (rows.size() != 2 || rows[0].second != rows[1].second) ++torn;
    }
  });

  for (int i = 0; i < 50; ++i) {
    const std::string value = absl::StrCat(i);
    ASSERT_THAT(store_->Apply({Put(Table::kState, "a", value), Put(Table::kState, "b", value)}), IsOk());
  }
  stop = true;
  reader.join();

  EXPECT_EQ(torn, 0);
}

TEST_P(StoreTest, KeepsTheRestWhenScrubbed) {
  ASSERT_THAT(store_->Apply({Put(Table::kPerson, "erased", "x"), Put(Table::kPerson, "kept", "y"),
                             Put(Table::kState, "state", "z")}),
              IsOk());
  ASSERT_THAT(store_->Apply({Delete(Table::kPerson, "erased")}), IsOk());

  ASSERT_THAT(store_->Scrub(Table::kPerson), IsOk());

  EXPECT_THAT(ScanAll(*store_, Table::kPerson), ElementsAre(Pair("kept", "y")));
  EXPECT_THAT(store_->Get(Table::kState, "state"), IsOkAndHolds("z"));
}

TEST_P(StoreTest, ScrubsAnEmptyTable) { EXPECT_THAT(store_->Scrub(Table::kPerson), IsOk()); }

TEST_P(StoreTest, WritesAfterAScrub) {
  ASSERT_THAT(store_->Scrub(Table::kPerson), IsOk());

  ASSERT_THAT(store_->Apply({Put(Table::kPerson, "key", "value")}), IsOk());

  EXPECT_THAT(store_->Get(Table::kPerson, "key"), IsOkAndHolds("value"));
}

INSTANTIATE_TEST_SUITE_P(Backends, StoreTest, ::testing::Values("Memory", "Rocks"),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace tsunagi::store
