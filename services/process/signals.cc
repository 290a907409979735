#include "services/process/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

namespace tsunagi::process {
namespace {

int BlockAndOpen() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return ::signalfd(-1, &set, SFD_CLOEXEC);
}

}  // namespace

StopSignals::StopSignals() : signals_(BlockAndOpen()), stop_(::eventfd(0, EFD_CLOEXEC)) {}

StopSignals::~StopSignals() {
  ::close(signals_);
  ::close(stop_);
}

void StopSignals::Wait() {
  pollfd waiting[] = {{signals_, POLLIN, 0}, {stop_, POLLIN, 0}};
  while (::poll(waiting, 2, -1) < 0 && errno == EINTR) {
  }
}

void StopSignals::Stop() {
  const uint64_t one = 1;
  while (::write(stop_, &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

absl::Status StopSignals::Check() const {
  pollfd arrived = {signals_, POLLIN, 0};
  return ::poll(&arrived, 1, 0) > 0 ? absl::CancelledError("stopped by a signal") : absl::OkStatus();
}

}  // namespace tsunagi::process
