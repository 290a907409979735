// The narrow interface to what is on disk. Only the Journal writes through it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace tsunagi::store {

// Column families. PERSON holds what can point at a person: uncompressed, erasable.
enum class Table : uint8_t { kState = 0, kLog = 1, kRecords = 2, kPerson = 3 };
inline constexpr int kTableCount = 4;

// One change. `value` is ignored for deletions.
struct Write {
  Table table = Table::kState;
  std::string key;
  std::string value;
  bool deleted = false;
};

inline Write Put(Table table, std::string key, std::string value) {
  return {table, std::move(key), std::move(value), false};
}
inline Write Delete(Table table, std::string key) { return {table, std::move(key), "", true}; }

// Ordered byte keys to byte values. Thread-safe. Absence is NOT_FOUND. Any write error is final: the store
// refuses every later write (fail-stop), and a restart recovers.
class Store {
 public:
  virtual ~Store() = default;

  virtual absl::StatusOr<std::string> Get(Table table, absl::string_view key) const = 0;

  // Calls `visit` for each key that starts with `prefix`, from `start` on (or the prefix, when `start` is
  // empty), in ascending byte order, until it returns false. The view is one instant. Views are valid during
  // the call only.
  virtual absl::Status Scan(
      Table table, absl::string_view prefix, absl::string_view start,
      const std::function<bool(absl::string_view key, absl::string_view value)>& visit) const = 0;

  // Scans each of `prefixes` in turn, all at one instant, and tells `visit` the place of the prefix; ends
  // when `visit` returns false. Cheaper than one scan each, most of all when the prefixes ascend.
  virtual absl::Status ScanEach(Table table, absl::Span<const std::string> prefixes,
                                const std::function<bool(size_t place, absl::string_view key,
                                                         absl::string_view value)>& visit) const = 0;

  // Atomic, and durable when it returns OK.
  virtual absl::Status Apply(const std::vector<Write>& writes) = 0;

  // Makes deletions in `table` final: afterwards no file of the store holds the bytes (flush, compact, drop
  // old WAL).
  virtual absl::Status Scrub(Table table) = 0;

  // Puts a copy of the store as it is now, with every write that was durable before, into the new folder
  // `path` on the same file system. Writes go on meanwhile. FAILED_PRECONDITION when `path` exists, or for a
  // store that is not on disk.
  virtual absl::Status CopyTo(const std::string& path) const = 0;
};

// In memory, for tests and nodes that keep nothing.
std::unique_ptr<Store> NewMemoryStore();

// RocksDB in `path`, created when missing. FAILED_PRECONDITION when its format version is not this
// program's or another process has it open; DATA_LOSS when it is corrupt.
absl::StatusOr<std::unique_ptr<Store>> OpenRocksStore(const std::string& path);

}  // namespace tsunagi::store
