// The only file that knows RocksDB. Settings follow what was measured for durability with 7.8
// (docs/formats/keys.md).
#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/store/store.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/listener.h"
#include "rocksdb/options.h"
#include "rocksdb/slice_transform.h"
#include "rocksdb/table.h"
#include "rocksdb/utilities/checkpoint.h"
#include "rocksdb/write_batch.h"

namespace tsunagi::store {
namespace {

constexpr uint32_t kFormatVersion = 2;
constexpr char kFormatKey[] = "format-version";
// Column families by index of Table; `default` holds the format version alone.
constexpr std::array<const char*, kTableCount> kTableNames = {"state", "log", "records", "person"};
constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kManyPrefixes = 64;
// Checksums that go with each key from the batch to the memtable.
constexpr size_t kProtectionBytes = 8;

rocksdb::Slice ToSlice(absl::string_view text) { return {text.data(), text.size()}; }
absl::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(what, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  return absl::UnavailableError(message);
}

absl::Status FromOpen(const rocksdb::Status& status, const std::string& path) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = status.ToString();
  if (status.IsCorruption()) {
    return absl::DataLossError(absl::StrCat("store `", path, "` is corrupt, restore a backup: ", text));
  }
  if (absl::StrContains(text, "LOCK")) {
    return absl::FailedPreconditionError(
        absl::StrCat("store `", path, "` is in use: expected no other process to have it open"));
  }
  if (absl::StrContains(text, "olumn famil")) {
    return absl::FailedPreconditionError(
        absl::StrCat("store `", path, "` has tables that this program does not know: use a newer program"));
  }
  return absl::FailedPreconditionError(absl::StrCat("store `", path, "` cannot be opened: ", text));
}

void LogUnlessOk(const rocksdb::Status& status, absl::string_view what) {
  if (!status.ok())
    log::Error("store failed at its end", {{"act", std::string(what)}, {"cause", status.ToString()}});
}

// Remembers that RocksDB failed in the background: it then refuses writes, and so do we.
class FailStop final : public rocksdb::EventListener {
 public:
  explicit FailStop(std::shared_ptr<std::atomic<bool>> failed) : failed_(std::move(failed)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    failed_->store(true);
    log::Error("store failed, restart to recover", {{"cause", status->ToString()}});
  }

 private:
  const std::shared_ptr<std::atomic<bool>> failed_;
};

// Waits for readers that began before a moment, without holding new ones up.
class ReadGate {
 public:
  // Returns the epoch to Leave.
  size_t Enter() {
    MutexLock lock(mutex_);
    ++readers_[epoch_];
    return epoch_;
  }
  void Leave(size_t epoch) {
    MutexLock lock(mutex_);
    if (--readers_[epoch] == 0) empty_.NotifyAll();
  }
  // One at a time: calls must not overlap.
  void WaitForEarlierReaders() {
    MutexLock lock(mutex_);
    const size_t earlier = epoch_;
    epoch_ = 1 - epoch_;
    while (readers_[earlier] != 0) empty_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar empty_;
  size_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<size_t, 2> readers_ ABSL_GUARDED_BY(mutex_) = {0, 0};
};

// All but the number at the end of a key: rows whose numbers rise are put behind one another without a
// search.
class WithoutNumber final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "tsunagi.WithoutNumber"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), key.size() - sizeof(uint64_t)};
  }
  bool InDomain(const rocksdb::Slice& key) const override { return key.size() > sizeof(uint64_t); }
};

rocksdb::DBOptions DatabaseOptions(std::shared_ptr<std::atomic<bool>> failed) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  // Refuses a log that is damaged in the middle; the default would drop acknowledged writes after the damage.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_bgerror_resume_count = 0;
  options.listeners.push_back(std::make_shared<FailStop>(std::move(failed)));
  options.max_background_jobs = 2;
  options.max_open_files = 128;
  options.max_file_opening_threads = 1;
  options.table_cache_numshardbits = 2;
  options.max_total_wal_size = 32 * kMiB;
  options.db_write_buffer_size = 16 * kMiB;
  options.keep_log_file_num = 2;
  options.max_log_file_size = kMiB;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions TableOptions(rocksdb::CompressionType compression,
                                          const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = cache;
  blocks.block_size = 16 << 10;
  // Index and filter in parts of a block's size: whole ones are as large as the cache, and a scan that runs
  // through a large store would load and unpack them for every row.
  blocks.cache_index_and_filter_blocks = true;
  blocks.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  blocks.partition_filters = true;
  blocks.enable_index_compression = false;
  blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  options.write_buffer_size = 4 * kMiB;
  options.arena_block_size = kMiB / 4;
  options.compression = compression;
  options.bottommost_compression = compression;
  return options;
}

// In the order of Table, then `default`. PERSON is not compressed, so that a search of the files for a value
// finds it; hashes and signatures do not compress.
std::vector<rocksdb::ColumnFamilyDescriptor> Descriptors() {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(8 * kMiB, 2, false, 0.5);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (size_t i = 0; i < kTableNames.size(); ++i) {
    const Table table = static_cast<Table>(i);
    const bool compress = table == Table::kState || table == Table::kRecords;
    rocksdb::ColumnFamilyOptions options =
        TableOptions(compress ? rocksdb::kLZ4Compression : rocksdb::kNoCompression, cache);
    if (table == Table::kLog || table == Table::kRecords) {
      options.memtable_insert_with_hint_prefix_extractor = std::make_shared<WithoutNumber>();
    }
    descriptors.emplace_back(kTableNames[i], std::move(options));
  }
  descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName, TableOptions(rocksdb::kNoCompression, cache));
  return descriptors;
}

class RocksStore final : public Store {
 public:
  RocksStore(std::unique_ptr<rocksdb::DB> db, std::vector<rocksdb::ColumnFamilyHandle*> tables,
             std::shared_ptr<std::atomic<bool>> failed)
      : db_(std::move(db)), tables_(std::move(tables)), failed_(std::move(failed)) {}

  // Flushes, so that the next start has nothing to replay.
  ~RocksStore() override {
    if (!failed_->load()) LogUnlessOk(db_->Flush(rocksdb::FlushOptions(), tables_), "flushing the store");
    for (rocksdb::ColumnFamilyHandle* table : tables_) db_->DestroyColumnFamilyHandle(table);
    LogUnlessOk(db_->Close(), "closing the store");
  }

  // Writes the format version into a new store; refuses one of another version, or that has rows and no
  // version.
  absl::Status CheckFormat(const std::string& path) {
    std::string stored;
    const rocksdb::Status got = db_->Get(rocksdb::ReadOptions(), Default(), kFormatKey, &stored);
    if (got.IsNotFound()) return StartFormat(path);
    RETURN_IF_ERROR(FromRocks(got, "reading the format version"));
    uint32_t version = 0;
    if (!absl::SimpleAtoi(stored, &version) || version == 0) {
      return absl::DataLossError(absl::StrCat("store `", path, "` has no readable format version"));
    }
    if (version == kFormatVersion) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("store `", path, "` has format version ", version, ": expected ", kFormatVersion,
                     ", use ", version > kFormatVersion ? "a newer program" : "the program that wrote it"));
  }

  absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override {
    const size_t epoch = gate_.Enter();
    absl::Cleanup leave = [&] { gate_.Leave(epoch); };
    std::string value;
    const rocksdb::Status got = db_->Get(rocksdb::ReadOptions(), Handle(table), ToSlice(key), &value);
    if (got.IsNotFound()) return absl::NotFoundError("no such key");
    RETURN_IF_ERROR(FromRocks(got, "reading the store"));
    return value;
  }

  absl::Status Scan(Table table, absl::string_view prefix, absl::string_view start,
                    const std::function<bool(absl::string_view, absl::string_view)>& visit) const override {
    const size_t epoch = gate_.Enter();
    absl::Cleanup leave = [&] { gate_.Leave(epoch); };
    const std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator(rocksdb::ReadOptions(), Handle(table)));
    for (row->Seek(ToSlice(std::max(prefix, start))); row->Valid(); row->Next()) {
      if (!row->key().starts_with(ToSlice(prefix))) break;
      if (!visit(ToView(row->key()), ToView(row->value()))) break;
    }
    return FromRocks(row->status(), "reading the store");
  }

  absl::Status ScanEach(
      Table table, absl::Span<const std::string> prefixes,
      const std::function<bool(size_t, absl::string_view, absl::string_view)>& visit) const override {
    const size_t epoch = gate_.Enter();
    absl::Cleanup leave = [&] { gate_.Leave(epoch); };
    const std::unique_ptr<rocksdb::Iterator> row(
        db_->NewIterator(OptionsFor(prefixes.size()), Handle(table)));
    bool more = true;
    for (size_t place = 0; more && place < prefixes.size(); ++place) {
      const rocksdb::Slice prefix = ToSlice(prefixes[place]);
      // Behind the rows of one prefix often lie those of the next.
      if (!row->Valid() || !row->key().starts_with(prefix) || place == 0) row->Seek(prefix);
      for (; more && row->Valid() && row->key().starts_with(prefix); row->Next()) {
        more = visit(place, ToView(row->key()), ToView(row->value()));
      }
      RETURN_IF_ERROR(FromRocks(row->status(), "reading the store"));
    }
    return absl::OkStatus();
  }

  absl::Status Apply(const std::vector<Write>& writes) override {
    size_t bytes = 64;
    for (const Write& write : writes) bytes += write.key.size() + write.value.size() + 16;
    rocksdb::WriteBatch batch(bytes, 0, kProtectionBytes, 0);
    for (const Write& write : writes) {
      const rocksdb::Status added = write.deleted ? batch.Delete(Handle(write.table), write.key)
                                                  : batch.Put(Handle(write.table), write.key, write.value);
      RETURN_IF_ERROR(FromRocks(added, "building a batch"));
    }
    if (failed_->load()) return absl::UnavailableError("the store failed earlier: restart to recover");
    rocksdb::WriteOptions durable;
    durable.sync = true;
    return FailStopOn(FromRocks(db_->Write(durable, &batch), "writing the store"));
  }

  absl::Status CopyTo(const std::string& path) const override {
    if (std::error_code error; std::filesystem::exists(path, error)) {
      return absl::FailedPreconditionError(absl::StrCat("`", path, "` exists: expected a new folder"));
    }
    rocksdb::Checkpoint* made = nullptr;
    RETURN_IF_ERROR(FromRocks(rocksdb::Checkpoint::Create(db_.get(), &made), "copying the store"));
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    return FromRocks(checkpoint->CreateCheckpoint(path), "copying the store");
  }

  absl::Status Scrub(Table table) override {
    MutexLock one_at_a_time(scrub_mutex_);
    if (failed_->load()) return absl::UnavailableError("the store failed earlier: restart to recover");
    return FailStopOn(FromRocks(ScrubFiles(Handle(table)), "scrubbing the store"));
  }

 private:
  rocksdb::ColumnFamilyHandle* Handle(Table table) const { return tables_[static_cast<size_t>(table)]; }
  rocksdb::ColumnFamilyHandle* Default() const { return tables_[kTableCount]; }

  // Many prefixes are read once and one after the other: they would push everything else out of the cache.
  static rocksdb::ReadOptions OptionsFor(size_t prefixes) {
    rocksdb::ReadOptions options;
    if (prefixes < kManyPrefixes) return options;
    options.fill_cache = false;
    options.readahead_size = kMiB / 4;
    return options;
  }

  absl::Status StartFormat(const std::string& path) {
    for (int i = 0; i < kTableCount; ++i) {
      bool empty = true;
      RETURN_IF_ERROR(Scan(static_cast<Table>(i), "", "",
                           [&](absl::string_view, absl::string_view) { return empty = false; }));
      if (!empty)
        return absl::DataLossError(absl::StrCat("store `", path, "` has rows but no format version"));
    }
    rocksdb::WriteOptions durable;
    durable.sync = true;
    return FromRocks(db_->Put(durable, Default(), kFormatKey, absl::StrCat(kFormatVersion)),
                     "writing the format version");
  }

  absl::Status FailStopOn(absl::Status status) {
    if (!status.ok()) failed_->store(true);
    return status;
  }

  // Flushing every column family leaves no write in an old WAL; the forced compaction rewrites the table
  // without what was deleted. MANIFEST keeps the smallest and largest key of each file: keys of PERSON must
  // never identify anyone by themselves (they are hashes).
  rocksdb::Status ScrubFiles(rocksdb::ColumnFamilyHandle* table) {
    rocksdb::Status status = db_->Flush(rocksdb::FlushOptions(), tables_);
    if (!status.ok()) return status;
    rocksdb::CompactRangeOptions all;
    all.exclusive_manual_compaction = true;
    all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    status = db_->CompactRange(all, table, nullptr, nullptr);
    if (!status.ok()) return status;
    return DropObsoleteFiles();
  }

  // A file lives on while a reader or a background job holds it: waits for both, then deletes what nothing
  // needs.
  rocksdb::Status DropObsoleteFiles() {
    gate_.WaitForEarlierReaders();
    rocksdb::Status status = db_->PauseBackgroundWork();
    if (!status.ok()) return status;
    status = db_->ContinueBackgroundWork();
    if (!status.ok()) return status;
    status = db_->DisableFileDeletions();
    if (!status.ok()) return status;
    return db_->EnableFileDeletions(/*force=*/true);
  }

  const std::unique_ptr<rocksdb::DB> db_;
  const std::vector<rocksdb::ColumnFamilyHandle*> tables_;
  const std::shared_ptr<std::atomic<bool>> failed_;
  Mutex scrub_mutex_;
  mutable ReadGate gate_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenRocksStore(const std::string& path) {
  auto failed = std::make_shared<std::atomic<bool>>(false);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  RETURN_IF_ERROR(
      FromOpen(rocksdb::DB::Open(DatabaseOptions(failed), path, Descriptors(), &handles, &db), path));
  auto store =
      std::make_unique<RocksStore>(std::unique_ptr<rocksdb::DB>(db), std::move(handles), std::move(failed));
  RETURN_IF_ERROR(store->CheckFormat(path));
  return store;
}

}  // namespace tsunagi::store
