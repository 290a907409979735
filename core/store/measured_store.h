// A store whose writes are counted and timed: for metrics.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/histogram.h"
#include "core/store/store.h"

namespace tsunagi::store {

// Thread-safe, as the store that it holds.
class MeasuredStore final : public Store {
 public:
  explicit MeasuredStore(std::unique_ptr<Store> store) : store_(std::move(store)) {}

  absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override {
    return store_->Get(table, key);
  }
  absl::Status Scan(
      Table table, absl::string_view prefix, absl::string_view start,
      const std::function<bool(absl::string_view key, absl::string_view value)>& visit) const override {
    return store_->Scan(table, prefix, start, visit);
  }
  absl::Status ScanEach(Table table, absl::Span<const std::string> prefixes,
                        const std::function<bool(size_t place, absl::string_view key,
                                                 absl::string_view value)>& visit) const override {
    return store_->ScanEach(table, prefixes, visit);
  }
  absl::Status Scrub(Table table) override { return store_->Scrub(table); }
  absl::Status CopyTo(const std::string& path) const override { return store_->CopyTo(path); }
  absl::Status Apply(const std::vector<Write>& writes) override;

  // Of batches that became durable: how many rows each had, and how long each took.
  Histogram::Reading rows() const { return rows_.Read(); }
  Histogram::Reading nanoseconds() const { return nanoseconds_.Read(); }

 private:
  static constexpr uint64_t kRowBounds[] = {1, 4, 16, 64, 256, 1024, 4096, 16384};
  static constexpr uint64_t kTimeBounds[] = {
      250'000,    500'000,     1'000'000,   2'500'000,   5'000'000,     10'000'000,   25'000'000,
      50'000'000, 100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000};

  const std::unique_ptr<Store> store_;
  Histogram rows_{kRowBounds};
  Histogram nanoseconds_{kTimeBounds};
};

}  // namespace tsunagi::store
