#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/base/mutex.h"
#include "core/store/store.h"

namespace tsunagi::store {
namespace {

using Rows = std::map<std::string, std::string, std::less<>>;

bool StartsWith(absl::string_view text, absl::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Rows are shared with running scans and copied on the first write beside one, so that a scan sees one
// instant without holding the lock.
class MemoryStore final : public Store {
 public:
  absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override {
    MutexLock lock(mutex_);
    const Rows& rows = *tables_[static_cast<size_t>(table)];
    const auto found = rows.find(key);
    if (found == rows.end()) return absl::NotFoundError("no such key");
    return found->second;
  }

  absl::Status Scan(Table table, absl::string_view prefix, absl::string_view start,
                    const std::function<bool(absl::string_view, absl::string_view)>& visit) const override {
    std::shared_ptr<Rows> rows = Share(table);
    for (auto row = rows->lower_bound(std::max(prefix, start));
         row != rows->end() && StartsWith(row->first, prefix); ++row) {
      if (!visit(row->first, row->second)) break;
    }
    GiveBack(std::move(rows));
    return absl::OkStatus();
  }

  absl::Status ScanEach(
      Table table, absl::Span<const std::string> prefixes,
      const std::function<bool(size_t, absl::string_view, absl::string_view)>& visit) const override {
    std::shared_ptr<Rows> rows = Share(table);
    bool more = true;
    for (size_t place = 0; more && place < prefixes.size(); ++place) {
      for (auto row = rows->lower_bound(prefixes[place]);
           more && row != rows->end() && StartsWith(row->first, prefixes[place]); ++row) {
        more = visit(place, row->first, row->second);
      }
    }
    GiveBack(std::move(rows));
    return absl::OkStatus();
  }

  absl::Status Apply(const std::vector<Write>& writes) override {
    MutexLock lock(mutex_);
    for (const Write& write : writes) {
      Rows& rows = Writable(write.table);
      if (write.deleted) {
        rows.erase(write.key);
      } else {
        rows.insert_or_assign(write.key, write.value);
      }
    }
    return absl::OkStatus();
  }

  absl::Status Scrub(Table) override { return absl::OkStatus(); }

  absl::Status CopyTo(const std::string&) const override {
    return absl::FailedPreconditionError("a store in memory has no files to copy");
  }

 private:
  std::shared_ptr<Rows> Share(Table table) const {
    MutexLock lock(mutex_);
    return tables_[static_cast<size_t>(table)];
  }

  // Under the lock: Writable() counts on it.
  void GiveBack(std::shared_ptr<Rows> rows) const {
    MutexLock lock(mutex_);
    rows.reset();
  }

  Rows& Writable(Table table) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::shared_ptr<Rows>& rows = tables_[static_cast<size_t>(table)];
    if (rows.use_count() > 1) rows = std::make_shared<Rows>(*rows);
    return *rows;
  }

  mutable Mutex mutex_;
  mutable std::array<std::shared_ptr<Rows>, kTableCount> tables_ ABSL_GUARDED_BY(mutex_) = {
      std::make_shared<Rows>(), std::make_shared<Rows>(), std::make_shared<Rows>(), std::make_shared<Rows>()};
};

}  // namespace

std::unique_ptr<Store> NewMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace tsunagi::store
