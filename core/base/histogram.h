// How often a number was how large.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tsunagi {

// Lock-free: any thread observes and reads at any time. A reading may miss what is being observed; its
// buckets are counts of their own, so that they always add up.
class Histogram {
 public:
  static constexpr size_t kMaxBounds = 15;

  // `bounds` are the largest numbers of the buckets, rising, at most kMaxBounds; they must outlive the
  // histogram. One bucket more takes what is larger than all.
  explicit Histogram(std::span<const uint64_t> bounds)
      : bounds_(bounds.first(std::min(bounds.size(), kMaxBounds))) {}

  void Observe(uint64_t value) {
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    counts_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  struct Reading {
    std::span<const uint64_t> bounds;
    std::vector<uint64_t> counts;  // one more than bounds; each bucket's own, not added up
    uint64_t sum = 0;
  };
  Reading Read() const {
    Reading reading = {bounds_, {}, sum_.load(std::memory_order_relaxed)};
    for (size_t i = 0; i <= bounds_.size(); ++i) {
      reading.counts.push_back(counts_[i].load(std::memory_order_relaxed));
    }
    return reading;
  }

 private:
  const std::span<const uint64_t> bounds_;
  std::array<std::atomic<uint64_t>, kMaxBounds + 1> counts_ = {};
  std::atomic<uint64_t> sum_ = 0;
};

}  // namespace tsunagi
