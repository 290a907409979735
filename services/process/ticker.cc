#include "services/process/ticker.h"

#include <chrono>
#include <utility>

namespace tsunagi::process {

Ticker::Ticker(absl::Duration period, std::function<void()> job)
    : period_(period), job_(std::move(job)), thread_([this] { Loop(); }) {}

Ticker::~Ticker() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void Ticker::Wake() {
  {
    MutexLock lock(mutex_);
    woken_ = true;
  }
  changed_.NotifyAll();
}

bool Ticker::WaitForTurn() {
  const auto turn = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(period_);
  MutexLock lock(mutex_);
  while (!woken_ && !ending_) {
    const auto left = turn - std::chrono::steady_clock::now();
    if (left <= left.zero() || !changed_.WaitFor(mutex_, left)) break;
  }
  woken_ = false;
  return !ending_;
}

void Ticker::Loop() {
  while (WaitForTurn()) job_();
}

}  // namespace tsunagi::process
