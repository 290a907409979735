#include "bench/process.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace tsunagi::bench {
namespace {

// Positions after the command's closing bracket in /proc/<pid>/stat, see proc(5).
constexpr size_t kUserTicks = 11;
constexpr size_t kSystemTicks = 12;
constexpr int kPollMs = 1;

bool Listens(const sockaddr_in& address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return connected;
}

absl::StatusOr<sockaddr_in> ParseAddress(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  uint32_t port = 0;
  if (parts.size() != 2 || ::inet_pton(AF_INET, parts[0].c_str(), &address.sin_addr) != 1 ||
      !absl::SimpleAtoi(parts[1], &port) || port > UINT16_MAX) {
    return absl::InvalidArgumentError(absl::StrCat("address `", text, "`: expected an IPv4 host:port"));
  }
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

}  // namespace

absl::StatusOr<absl::Duration> ProcessorTime(int pid) {
  if (pid == 0) return absl::ZeroDuration();
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const size_t bracket = text.rfind(") ");
  if (bracket == std::string::npos) {
    return absl::NotFoundError(absl::StrCat("process ", pid, " has ended: see its log"));
  }
  const std::vector<std::string> fields = absl::StrSplit(text.substr(bracket + 2), ' ');
  int64_t user = 0;
  int64_t system = 0;
  if (fields.size() <= kSystemTicks || !absl::SimpleAtoi(fields[kUserTicks], &user) ||
      !absl::SimpleAtoi(fields[kSystemTicks], &system)) {
    return absl::InternalError(absl::StrCat("/proc/", pid, "/stat has another form than proc(5)"));
  }
  return absl::Seconds(1) * (user + system) / ::sysconf(_SC_CLK_TCK);
}

absl::StatusOr<Child> Child::Start(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int pid = ::fork();
  if (pid < 0) return absl::InternalError(absl::StrCat("fork: ", std::strerror(errno)));
  if (pid == 0) {
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  return Child(pid);
}

Child::~Child() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

absl::Status WaitForListener(const std::string& address, absl::Duration limit) {
  const absl::StatusOr<sockaddr_in> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  const absl::Time deadline = absl::Now() + limit;
  while (!Listens(*parsed)) {
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(absl::StrCat("nothing listens at `", address, "`: see the log"));
    }
    ::poll(nullptr, 0, kPollMs);
  }
  return absl::OkStatus();
}

}  // namespace tsunagi::bench
