// A store that fails, waits or is copied at a chosen write.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "core/store/store.h"

namespace tsunagi::testing {

// Wraps `inner`, which must outlive it. Thread-safe, except that the hooks are set before it is used.
class FaultStore final : public store::Store {
 public:
  explicit FaultStore(store::Store& inner) : inner_(inner) {}

  // Lets `writes` more calls of Apply through; later ones are UNAVAILABLE and write nothing.
  void FailAfter(int writes) {
    MutexLock lock(mutex_);
    writes_left_ = writes;
  }
  void FailScrubs() {
    MutexLock lock(mutex_);
    scrubs_fail_ = true;
  }
  // Called before each write reaches the inner store, on the writer's thread; may block it.
  void BeforeApply(std::function<void(const std::vector<store::Write>&)> hook) {
    before_apply_ = std::move(hook);
  }
  // Called before each scrub, on the scrubber's thread; may block it.
  void BeforeScrub(std::function<void()> hook) { before_scrub_ = std::move(hook); }

  int applies() const {
    MutexLock lock(mutex_);
    return applies_;
  }
  int scrubs() const {
    MutexLock lock(mutex_);
    return scrubs_;
  }

  absl::StatusOr<std::string> Get(store::Table table, absl::string_view key) const override {
    return inner_.Get(table, key);
  }
  absl::Status Scan(store::Table table, absl::string_view prefix, absl::string_view start,
                    const std::function<bool(absl::string_view, absl::string_view)>& visit) const override {
    return inner_.Scan(table, prefix, start, visit);
  }
  absl::Status ScanEach(
      store::Table table, absl::Span<const std::string> prefixes,
      const std::function<bool(size_t, absl::string_view, absl::string_view)>& visit) const override {
    return inner_.ScanEach(table, prefixes, visit);
  }
  absl::Status Apply(const std::vector<store::Write>& writes) override {
    if (before_apply_) before_apply_(writes);
    MutexLock lock(mutex_);
    ++applies_;
    if (writes_left_ == 0) return absl::UnavailableError("injected failure of a write");
    if (writes_left_ > 0) --writes_left_;
    return inner_.Apply(writes);
  }
  absl::Status CopyTo(const std::string& path) const override { return inner_.CopyTo(path); }
  absl::Status Scrub(store::Table table) override {
    if (before_scrub_) before_scrub_();
    MutexLock lock(mutex_);
    ++scrubs_;
    if (scrubs_fail_) return absl::UnavailableError("injected failure of a scrub");
    return inner_.Scrub(table);
  }

 private:
  store::Store& inner_;
  std::function<void(const std::vector<store::Write>&)> before_apply_;
  std::function<void()> before_scrub_;
  mutable Mutex mutex_;
  int writes_left_ ABSL_GUARDED_BY(mutex_) = -1;
  bool scrubs_fail_ ABSL_GUARDED_BY(mutex_) = false;
  int applies_ ABSL_GUARDED_BY(mutex_) = 0;
  int scrubs_ ABSL_GUARDED_BY(mutex_) = 0;
};

// What a killed process would leave behind: the rows as they are now.
inline std::unique_ptr<store::Store> CopyOf(const store::Store& store) {
  std::unique_ptr<store::Store> copy = store::NewMemoryStore();
  std::vector<store::Write> writes;
  for (int i = 0; i < store::kTableCount; ++i) {
    const auto table = static_cast<store::Table>(i);
    const absl::Status scanned =
        store.Scan(table, "", "", [&](absl::string_view key, absl::string_view value) {
          writes.push_back(store::Put(table, std::string(key), std::string(value)));
          return true;
        });
    if (!scanned.ok()) return nullptr;
  }
  if (!copy->Apply(writes).ok()) return nullptr;
  return copy;
}

}  // namespace tsunagi::testing
