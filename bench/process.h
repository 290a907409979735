// What the kernel says about the measured process, and how to start one.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tsunagi::bench {

// User and system time of a process, all its threads, from /proc/<pid>/stat; zero for pid 0.
absl::StatusOr<absl::Duration> ProcessorTime(int pid);

// A child process. The destructor ends it with SIGTERM and waits.
class Child {
 public:
  static absl::StatusOr<Child> Start(const std::vector<std::string>& command);
  Child(Child&& other) noexcept : pid_(other.pid_) { other.pid_ = 0; }
  Child(const Child&) = delete;
  ~Child();

  int pid() const { return pid_; }

 private:
  explicit Child(int pid) : pid_(pid) {}
  int pid_;
};

// Waits until something listens at `address` (IPv4 host:port). DEADLINE_EXCEEDED beyond `limit`.
absl::Status WaitForListener(const std::string& address, absl::Duration limit);

}  // namespace tsunagi::bench
