#include "cli/password.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace tsunagi::cli {
namespace {

constexpr size_t kMaxFile = 4096;

// The terminal of this process, silent while it lives.
class SilentTerminal {
 public:
  SilentTerminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0 || ::tcgetattr(fd_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent_ = ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (silent_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    if (fd_ >= 0) ::close(fd_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

  absl::StatusOr<std::string> Ask(absl::string_view what) const {
    if (!silent_) {
      return absl::FailedPreconditionError(
          absl::StrCat("no terminal to ask for the ", what, ": name a file with --password-file"));
    }
    Say(absl::StrCat(what, ": "));
    std::string line;
    char next = 0;
    while (line.size() < kMaxFile && ::read(fd_, &next, 1) == 1 && next != '\n') line += next;
    Say("\n");
    return line;
  }

 private:
  void Say(const std::string& text) const {
    const ssize_t ignored = ::write(fd_, text.data(), text.size());
    static_cast<void>(ignored);
  }

  const int fd_;
  termios before_ = {};
  bool silent_ = false;
};

}  // namespace

absl::StatusOr<std::string> ReadPassword(absl::string_view what, const std::string& file) {
  if (file.empty()) return SilentTerminal().Ask(what);
  ASSIGN_OR_RETURN(const std::string content, ReadSecretFile(file, kMaxFile));
  return content.substr(0, content.find('\n'));
}

absl::StatusOr<std::string> ReadNewPassword(absl::string_view what, const std::string& file) {
  ASSIGN_OR_RETURN(std::string password, ReadPassword(what, file));
  if (!file.empty()) return password;
  ASSIGN_OR_RETURN(const std::string again, ReadPassword(absl::StrCat(what, " again"), file));
  if (again == password) return password;
  return absl::InvalidArgumentError("the two passwords differ: nothing was changed");
}

}  // namespace tsunagi::cli
