#include "core/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace tsunagi {
namespace {

// Closes on destruction.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status LastError(absl::string_view doing, absl::string_view path) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat(doing, " `", path, "`"));
}

absl::StatusOr<std::string> ReadAll(int fd, const std::string& path, size_t max_bytes) {
  std::string content;
  char buffer[16384];
  while (true) {
    const ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return LastError("reading", path);
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > max_bytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("`", path, "` is too large: expected at most ", max_bytes, " bytes"));
    }
  }
}

absl::Status WriteAll(int fd, const std::string& path, absl::string_view content) {
  while (!content.empty()) {
    const ssize_t put = ::write(fd, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return LastError("writing", path);
    content.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status SyncFolder(const std::string& path) {
  const std::string folder = FolderOf(path);
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return LastError("syncing folder", folder);
  return absl::OkStatus();
}

// Writes a synced temporary file beside `path` and returns its name. Leaves nothing behind when it fails.
absl::StatusOr<std::string> WriteTemporary(const std::string& path, absl::string_view content, int mode) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (fd.get() < 0) return LastError("creating", path);
  absl::Status written = ::fchmod(fd.get(), static_cast<mode_t>(mode)) == 0
                             ? WriteAll(fd.get(), path, content)
                             : LastError("setting mode of", path);
  if (written.ok() && ::fsync(fd.get()) != 0) written = LastError("syncing", path);
  if (written.ok()) return temporary;
  ::unlink(temporary.c_str());
  return written;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return LastError("opening", path);
  return ReadAll(fd.get(), path, max_bytes);
}

absl::StatusOr<std::string> ReadSecretFile(const std::string& path, size_t max_bytes) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) return LastError("opening", path);
  if ((info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "`", path, "` holds a secret and other users can access it: run `chmod 600 ", path, "`"));
  }
  return ReadAll(fd.get(), path, max_bytes);
}

absl::Status WriteFileAtomically(const std::string& path, absl::string_view content, int mode) {
  ASSIGN_OR_RETURN(const std::string temporary, WriteTemporary(path, content, mode));
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const absl::Status failed = LastError("renaming to", path);
    ::unlink(temporary.c_str());
    return failed;
  }
  return SyncFolder(path);
}

absl::Status WriteNewFile(const std::string& path, absl::string_view content, int mode) {
  ASSIGN_OR_RETURN(const std::string temporary, WriteTemporary(path, content, mode));
  const absl::Status linked =
      ::link(temporary.c_str(), path.c_str()) == 0 ? absl::OkStatus() : LastError("creating", path);
  ::unlink(temporary.c_str());
  RETURN_IF_ERROR(linked);
  return SyncFolder(path);
}

absl::Status AppendToFile(const std::string& path, absl::string_view content) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (fd.get() < 0) return LastError("opening", path);
  RETURN_IF_ERROR(WriteAll(fd.get(), path, content));
  return ::fsync(fd.get()) == 0 ? absl::OkStatus() : LastError("syncing", path);
}

}  // namespace tsunagi
