#include "connector/transfer/fan_out.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace tsunagi::connector {

void FanOut(size_t count, int threads, const std::function<void(size_t)>& job) {
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) job(i);
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(count, static_cast<size_t>(threads)); ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
}

}  // namespace tsunagi::connector
