#include "services/process/keys.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace tsunagi::process {
namespace {

constexpr size_t kSecretSize = 32;
constexpr size_t kMaxKeyFile = 8 << 10;

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return absl::FailedPreconditionError(absl::StrCat("creating `", path, "`: ", error.message()));
  if (::chmod(path.c_str(), 0700) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("protecting `", path, "`"));
  return absl::OkStatus();
}

// Holds <folder>/lock while it lives.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder)
      : fd_(::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    while (fd_ >= 0 && ::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  bool ok() const { return fd_ >= 0; }

 private:
  const int fd_;
};

absl::StatusOr<std::string> LoadOrCreateSecret(const std::string& path, Random& random) {
  absl::StatusOr<std::string> secret = ReadFile(path, kSecretSize);
  if (absl::IsNotFound(secret.status())) {
    std::string made = random.Bytes(kSecretSize);
    RETURN_IF_ERROR(WriteFileAtomically(path, made, 0600));
    return made;
  }
  RETURN_IF_ERROR(secret.status());
  if (secret->size() != kSecretSize) {
    return absl::DataLossError(
        absl::StrCat("`", path, "` has ", secret->size(), " bytes: expected ", kSecretSize));
  }
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0 || (info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("`", path, "` can be read by others: chmod 600 it"));
  }
  return secret;
}

}  // namespace

absl::StatusOr<Keys> LoadKeys(const std::string& data_dir, const std::string& shared_dir, Random& random) {
  RETURN_IF_ERROR(MakeFolder(data_dir));
  RETURN_IF_ERROR(MakeFolder(shared_dir));
  const FolderLock lock(shared_dir);
  if (!lock.ok()) return absl::FailedPreconditionError(absl::StrCat("cannot lock `", shared_dir, "/lock`"));
  ASSIGN_OR_RETURN(auto tls, crypto::PrivateKey::LoadOrCreateForTls(data_dir + "/tls.key"));
  ASSIGN_OR_RETURN(auto log, crypto::PrivateKey::LoadOrCreate(data_dir + "/log.key",
                                                              common::v1::SIGNATURE_ALGORITHM_ED25519));
  ASSIGN_OR_RETURN(auto signing, crypto::PrivateKey::LoadOrCreate(shared_dir + "/signing.key",
                                                                  common::v1::SIGNATURE_ALGORITHM_ES256));
  ASSIGN_OR_RETURN(auto seal, LoadOrCreateSecret(shared_dir + "/seal.key", random));
  ASSIGN_OR_RETURN(auto node, LoadOrCreateSecret(shared_dir + "/node.key", random));
  return Keys{std::move(tls), std::move(log), std::move(signing), std::move(seal), std::move(node)};
}

absl::StatusOr<std::string> RotateSigningKey(const std::string& shared_dir) {
  const FolderLock lock(shared_dir);
  if (!lock.ok()) return absl::FailedPreconditionError(absl::StrCat("cannot lock `", shared_dir, "/lock`"));
  const std::string path = shared_dir + "/signing.key";
  ASSIGN_OR_RETURN(const std::string pem, ReadSecretFile(path, kMaxKeyFile));
  ASSIGN_OR_RETURN(const crypto::PrivateKey former, crypto::PrivateKey::FromPem(pem));
  RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(shared_dir, "/signing-", former.id(), ".key"), pem, 0600));
  const crypto::PrivateKey next = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  RETURN_IF_ERROR(WriteFileAtomically(path, next.ToPem(), 0600));
  return next.id();
}

}  // namespace tsunagi::process
