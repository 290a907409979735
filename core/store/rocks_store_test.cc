// What only a store on disk promises: it survives, refuses what it cannot read, forgets what was scrubbed.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "core/store/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rocksdb/db.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::store {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::IsOkAndHolds;
using ::tsunagi::testing::StatusIs;
using ::tsunagi::testing::TempDir;

constexpr char kSecret[] = "ZE1-123456-of-somebody";

std::unique_ptr<Store> MustOpen(const std::string& path) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenRocksStore(path);
  EXPECT_THAT(store, IsOk());
  return *std::move(store);
}

std::string Slurp(const std::filesystem::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

std::vector<std::string> FilesHolding(const std::string& folder, absl::string_view bytes) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && absl::StrContains(Slurp(entry.path()), bytes))
      found.push_back(entry.path());
  }
  return found;
}

std::filesystem::path FileEndingWith(const std::string& folder, absl::string_view end) {
  std::filesystem::path largest;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!absl::EndsWith(entry.path().string(), end)) continue;
    if (largest.empty() || entry.file_size() > std::filesystem::file_size(largest)) largest = entry.path();
  }
  return largest;
}

void FlipByte(const std::filesystem::path& path, int64_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(offset);
  const char byte = static_cast<char>(file.get() ^ 0x40);
  file.seekp(offset);
  file.put(byte);
}

TEST(RocksStoreTest, SurvivesAReopen) {
  TempDir dir;
  ASSERT_THAT(MustOpen(dir.File("s"))->Apply({Put(Table::kState, "key", "value")}), IsOk());

  EXPECT_THAT(MustOpen(dir.File("s"))->Get(Table::kState, "key"), IsOkAndHolds("value"));
}

TEST(RocksStoreTest, RefusesASecondOpener) {
  TempDir dir;
  const std::unique_ptr<Store> store = MustOpen(dir.File("s"));

  EXPECT_THAT(OpenRocksStore(dir.File("s")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("in use")));
}

void PutRaw(const std::string& path, const std::string& key, const std::string& value) {
  rocksdb::DB* raw = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const char* name : {"default", "state", "log", "records", "person"}) {
    families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  ASSERT_TRUE(rocksdb::DB::Open(rocksdb::DBOptions(), path, families, &handles, &raw).ok());
  const std::unique_ptr<rocksdb::DB> db(raw);
  ASSERT_TRUE(db->Put(rocksdb::WriteOptions(), handles[0], key, value).ok());
  for (rocksdb::ColumnFamilyHandle* handle : handles) ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
}

TEST(RocksStoreTest, RefusesAnotherFormat) {
  TempDir dir;
  MustOpen(dir.File("s"));
  for (const auto& [version, why] : std::map<std::string, std::string>{
           {"1", "format version 1: expected 2, use the program that wrote it"},
           {"3", "format version 3: expected 2, use a newer program"}}) {
    PutRaw(dir.File("s"), "format-version", version);
    EXPECT_THAT(OpenRocksStore(dir.File("s")),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(why)));
  }
}

TEST(RocksStoreTest, RefusesAnUnreadableFormat) {
  TempDir dir;
  MustOpen(dir.File("s"));
  PutRaw(dir.File("s"), "format-version", "x");

  EXPECT_THAT(OpenRocksStore(dir.File("s")), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(RocksStoreTest, RefusesTablesOfANewerProgram) {
  TempDir dir;
  {
    rocksdb::DB* raw = nullptr;
    rocksdb::Options options;
    options.create_if_missing = true;
    ASSERT_TRUE(rocksdb::DB::Open(options, dir.File("t"), &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    ASSERT_TRUE(db->CreateColumnFamily(rocksdb::ColumnFamilyOptions(), "future", &handle).ok());
    ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
  }

  EXPECT_THAT(OpenRocksStore(dir.File("t")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("newer program")));
}

TEST(RocksStoreTest, RefusesAPathThatIsNoFolder) {
  TempDir dir;
  std::ofstream(dir.File("file")) << "x";

  EXPECT_THAT(OpenRocksStore(dir.File("file")), StatusIs(absl::StatusCode::kFailedPrecondition));
}

// The folder as a killed process would leave it: what is in the files now.
std::string KilledCopy(const TempDir& dir) {
  std::filesystem::copy(dir.File("s"), dir.File("copy"), std::filesystem::copy_options::recursive);
  return dir.File("copy");
}

TEST(RocksStoreTest, HasWhatWasAppliedWhenTheProcessDies) {
  TempDir dir;
  const std::unique_ptr<Store> store = MustOpen(dir.File("s"));
  ASSERT_THAT(store->Apply({Put(Table::kState, "key", "value"), Put(Table::kLog, "leaf", "x")}), IsOk());

  const std::unique_ptr<Store> after = MustOpen(KilledCopy(dir));

  EXPECT_THAT(after->Get(Table::kState, "key"), IsOkAndHolds("value"));
  EXPECT_THAT(after->Get(Table::kLog, "leaf"), IsOkAndHolds("x"));
}

TEST(RocksStoreTest, RefusesALogThatIsDamagedInTheMiddle) {
  TempDir dir;
  const std::unique_ptr<Store> store = MustOpen(dir.File("s"));
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(store->Apply({Put(Table::kState, absl::StrCat(i), std::string(100, 'x'))}), IsOk());
  }
  const std::string killed = KilledCopy(dir);
  FlipByte(FileEndingWith(killed, ".log"), 3000);

  EXPECT_THAT(OpenRocksStore(killed), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("restore a backup")));
}

TEST(RocksStoreTest, ReplaysNothingAfterACleanEnd) {
  TempDir dir;
  ASSERT_THAT(MustOpen(dir.File("s"))->Apply({Put(Table::kState, "key", "a value to look for")}), IsOk());

  for (const std::string& file : FilesHolding(dir.File("s"), "a value to look for")) {
    EXPECT_FALSE(absl::EndsWith(file, ".log")) << file;
  }
}

TEST(RocksStoreTest, NoticesADamagedTable) {
  TempDir dir;
  {
    const std::unique_ptr<Store> store = MustOpen(dir.File("s"));
    ASSERT_THAT(store->Apply({Put(Table::kPerson, "key", std::string(20000, 'x'))}), IsOk());
    ASSERT_THAT(store->Scrub(Table::kPerson), IsOk());
  }
  FlipByte(FileEndingWith(dir.File("s"), ".sst"), 100);

  const absl::StatusOr<std::unique_ptr<Store>> store = OpenRocksStore(dir.File("s"));

  const absl::Status status = store.ok() ? (*store)->Get(Table::kPerson, "key").status() : store.status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
}

TEST(RocksStoreTest, KeepsPersonValuesReadableInItsFiles) {
  TempDir dir;
  const std::unique_ptr<Store> store = MustOpen(dir.File("s"));
  ASSERT_THAT(store->Apply({Put(Table::kPerson, "key", kSecret)}), IsOk());

  // A search that finds nothing after erasure proves something only if it finds the value before.
  EXPECT_THAT(FilesHolding(dir.File("s"), kSecret), Not(IsEmpty()));
  ASSERT_THAT(store->Scrub(Table::kPerson), IsOk());
  EXPECT_THAT(FilesHolding(dir.File("s"), kSecret), Not(IsEmpty()));
}

struct ScrubCase {
  const char* name;
  // Whether the value reaches a table file before it is deleted.
  bool flushed;
  bool reopened;
  int neighbours;
};

class RocksScrubTest : public ::testing::TestWithParam<ScrubCase> {};

TEST_P(RocksScrubTest, LeavesTheValueInNoFile) {
  TempDir dir;
  std::unique_ptr<Store> store = MustOpen(dir.File("s"));
  std::vector<Write> writes = {Put(Table::kPerson, "key", absl::StrCat("before ", kSecret, " after")),
                               Put(Table::kState, "state", "kept"), Put(Table::kLog, "leaf", "kept")};
  for (int i = 0; i < GetParam().neighbours; ++i) {
    writes.push_back(Put(Table::kPerson, absl::StrCat("n", i), std::string(500, 'n')));
  }
  ASSERT_THAT(store->Apply(writes), IsOk());
  if (GetParam().flushed) {
    ASSERT_THAT(store->Scrub(Table::kPerson), IsOk());
  }
  if (GetParam().reopened) {
    store.reset();
    store = MustOpen(dir.File("s"));
  }
  ASSERT_THAT(FilesHolding(dir.File("s"), kSecret), Not(IsEmpty()));
  ASSERT_THAT(store->Apply({Delete(Table::kPerson, "key"), Put(Table::kLog, "leaf2", "kept")}), IsOk());

  ASSERT_THAT(store->Scrub(Table::kPerson), IsOk());

  EXPECT_THAT(FilesHolding(dir.File("s"), kSecret), IsEmpty());
  EXPECT_THAT(store->Get(Table::kLog, "leaf2"), IsOkAndHolds("kept"));
  store.reset();
  store = MustOpen(dir.File("s"));
  EXPECT_THAT(FilesHolding(dir.File("s"), kSecret), IsEmpty());
  EXPECT_THAT(store->Get(Table::kState, "state"), IsOkAndHolds("kept"));
}

INSTANTIATE_TEST_SUITE_P(Histories, RocksScrubTest,
                         ::testing::Values(ScrubCase{"InTheWalOnly", false, false, 0},
                                           ScrubCase{"InATableFile", true, false, 0},
                                           ScrubCase{"RecoveredFromTheWal", false, true, 0},
                                           ScrubCase{"InATableFileAfterAReopen", true, true, 0},
                                           ScrubCase{"AmongManyRows", true, false, 20000}),
                         [](const auto& param) { return param.param.name; });

TEST(RocksStoreTest, ScrubsAReplacedValue) {
  TempDir dir;
  const std::unique_ptr<Store> store = MustOpen(dir.File("s"));
  ASSERT_THAT(store->Apply({Put(Table::kPerson, "key", kSecret)}), IsOk());
  ASSERT_THAT(store->Scrub(Table::kPerson), IsOk());
  ASSERT_THAT(store->Apply({Put(Table::kPerson, "key", "other")}), IsOk());

  ASSERT_THAT(store->Scrub(Table::kPerson), IsOk());

  EXPECT_THAT(FilesHolding(dir.File("s"), kSecret), IsEmpty());
}

TEST(RocksStoreTest, ScrubWaitsForAScanThatStillSeesTheValue) {
  TempDir dir;
  const std::unique_ptr<Store> store = MustOpen(dir.File("s"));
  ASSERT_THAT(store->Apply({Put(Table::kPerson, "key", kSecret)}), IsOk());
  ASSERT_THAT(store->Scrub(Table::kPerson), IsOk());
  Mutex mutex;
  CondVar changed;
  bool scanning = false;
  bool scrubbed = false;
  bool scrubbed_during_scan = false;
  std::thread scan([&] {
    EXPECT_THAT(store->Scan(Table::kPerson, "", "",
                            [&](absl::string_view, absl::string_view) {
                              MutexLock lock(mutex);
                              scanning = true;
                              changed.NotifyAll();
                              while (!scrubbed && changed.WaitFor(mutex, std::chrono::milliseconds(300))) {
                              }
                              scrubbed_during_scan = scrubbed;
                              return true;
                            }),
                IsOk());
  });
  {
    MutexLock lock(mutex);
    while (!scanning) changed.Wait(mutex);
  }
  ASSERT_THAT(store->Apply({Delete(Table::kPerson, "key")}), IsOk());

  ASSERT_THAT(store->Scrub(Table::kPerson), IsOk());
  const std::vector<std::string> left = FilesHolding(dir.File("s"), kSecret);
  {
    MutexLock lock(mutex);
    scrubbed = true;
    changed.NotifyAll();
  }
  scan.join();

  EXPECT_FALSE(scrubbed_during_scan);
  EXPECT_THAT(left, IsEmpty());
}

}  // namespace
}  // namespace tsunagi::store
