// A stamping authority on loopback: stamping_authority.py, with keys of its own.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/fatal.h"
#include "core/base/file.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::testing {

// Serves until it goes.
class StampingServer {
 public:
  StampingServer() {
    std::array<int, 2> ends = {};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) Fatal("no pipe");
    input_ = ends[1];
    std::array<std::string, 3> arguments = {
        "/usr/bin/python3", TSUNAGI_SOURCE_DIR "/tests/support/stamping_authority.py", dir_.path()};
    std::array<char*, 4> argv = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    const bool started = ::posix_spawn(&child_, argv[0], &actions, nullptr, argv.data(), environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[0]);
    if (!started || !Eventually([this] { return ReadFile(dir_.File("port"), 16).ok(); })) {
      Fatal("the stamping authority does not start");
    }
    port_ = ReadFile(dir_.File("port"), 16).value();
  }
  // The end of its input ends it.
  ~StampingServer() {
    ::close(input_);
    ::waitpid(child_, nullptr, 0);
  }
  StampingServer(const StampingServer&) = delete;
  StampingServer& operator=(const StampingServer&) = delete;

  // See stamping_authority.py.
  std::string Url(absl::string_view path) const { return absl::StrCat("http://127.0.0.1:", port_, path); }
  std::string root_file() const { return dir_.File("root.pem"); }
  // How many requests it has had.
  int Requests() const {
    const auto asked = ReadFile(dir_.File("requests"), 1 << 20);
    return asked.ok() ? static_cast<int>(std::count(asked->begin(), asked->end(), '\n')) : 0;
  }
  // From now on `/down` works.
  void ComeUp() const { WriteFileAtomically(dir_.File("up"), "", 0600).IgnoreError(); }

 private:
  const TempDir dir_;
  int input_ = -1;
  pid_t child_ = 0;
  std::string port_;
};

}  // namespace tsunagi::testing
