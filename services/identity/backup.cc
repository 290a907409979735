#include "services/identity/backup.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/store/store.h"
#include "grpcpp/client_context.h"
#include "identity/restore.h"
#include "services/identity/backup_service.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {
namespace {

namespace fs = std::filesystem;
using internal::v1::RegistrarConfig;

constexpr size_t kMaxFileBytes = 64 << 10;
constexpr std::chrono::minutes kDeadline{10};

absl::Status FromError(const std::error_code& error, const std::string& path) {
  if (!error) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("`", path, "`: ", error.message()));
}

// Whoever may read the registrar's folder may ask the process for a copy.
absl::Status AskForCopy(const RegistrarConfig& config) {
  const auto read = [&](absl::string_view name) {
    return ReadFile(absl::StrCat(config.data_dir(), "/", name), kMaxFileBytes);
  };
  ASSIGN_OR_RETURN(const std::string address, read("listen"));
  ASSIGN_OR_RETURN(const std::string key, read("tls.key"));
  ASSIGN_OR_RETURN(const std::string certificate, read("tls.crt"));
  ASSIGN_OR_RETURN(const std::string root, read("root.crt"));
  ASSIGN_OR_RETURN(const std::string token, read("token"));
  const auto stub = v1::BackupService::NewStub(rpc::NewChannel(
      std::string(absl::StripAsciiWhitespace(address)),
      ProcessDnsName(kRegistrarLabel, kRegistrarLabel, config.federation()), key, certificate, root, token));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  v1::CopyStoreResponse response;
  return rpc::FromGrpcStatus(stub->CopyStore(&context, {}, &response));
}

// Of a stopped registrar directly, of one that runs by asking it.
absl::Status CopyStore(const RegistrarConfig& config, const std::string& to) {
  const std::string path = config.data_dir() + "/store";
  std::error_code error;
  if (!fs::exists(path + "/CURRENT", error)) {
    return absl::FailedPreconditionError(
        absl::StrCat("`", path, "` holds no store: expected `data_dir` of a registrar"));
  }
  {
    const auto stopped = store::OpenRocksStore(path);
    if (stopped.ok()) return (*stopped)->CopyTo(to);
    if (!absl::StrContains(stopped.status().message(), "is in use")) return stopped.status();
  }
  const std::string made = absl::StrCat(config.data_dir(), "/", kStoreCheckpoint);
  if (fs::exists(made, error)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "`", made, "` exists: another backup is under way, or one was killed; then remove that folder"));
  }
  const absl::Cleanup remove = [&made] {
    std::error_code ignored;
    fs::remove_all(made, ignored);
  };
  RETURN_IF_ERROR(AskForCopy(config));
  fs::copy(made, to, fs::copy_options::recursive, error);
  return FromError(error, to);
}

// After the store: key files are written before what names them.
absl::Status CopyKeys(const std::string& from, const std::string& to, BackupReport& report) {
  std::error_code error;
  std::vector<std::string> names;
  for (const fs::directory_entry& file : fs::directory_iterator(from, error)) {
    if (file.is_regular_file()) names.push_back(file.path().filename());
  }
  RETURN_IF_ERROR(FromError(error, from));
  std::sort(names.begin(), names.end());
  fs::create_directory(to, error);
  fs::permissions(to, fs::perms::owner_all, error);
  RETURN_IF_ERROR(FromError(error, to));
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const std::string content, ReadFile(from + "/" + name, kMaxFileBytes));
    RETURN_IF_ERROR(WriteNewFile(to + "/" + name, content, 0600));
    if (!absl::EndsWith(name, ".key")) continue;
    (absl::StartsWith(content, "pkcs11:") ? report.hardware_keys : report.copied_keys).push_back(name);
  }
  return absl::OkStatus();
}

absl::Status CopyInvitation(const std::string& from, const std::string& to) {
  const absl::StatusOr<std::string> code = ReadFile(from, kMaxFileBytes);
  if (absl::IsNotFound(code.status())) return absl::OkStatus();
  RETURN_IF_ERROR(code.status());
  return WriteNewFile(to, *code, 0600);
}

absl::Status WriteNote(const std::string& to, absl::Time now) {
  ListVersions versions;
  {
    ASSIGN_OR_RETURN(const auto copy, store::OpenRocksStore(to + "/store"));
    ASSIGN_OR_RETURN(versions, LoadVersions(*copy));
  }
  internal::v1::BackupNote note;
  *note.mutable_time() = ToProto(now);
  note.set_status_version(versions.status);
  note.set_directory_version(versions.directory);
  return WriteNewFile(absl::StrCat(to, "/", kBackupNote), Encode(note), 0600);
}

}  // namespace

absl::StatusOr<BackupReport> BackUp(const RegistrarConfig& config, const std::string& to,
                                    const Clock& clock) {
  std::error_code error;
  if (fs::exists(to, error)) {
    return absl::AlreadyExistsError(absl::StrCat("`", to, "` exists: expected a new folder"));
  }
  fs::create_directories(to, error);
  if (!error) fs::permissions(to, fs::perms::owner_all, error);
  RETURN_IF_ERROR(FromError(error, to));
  BackupReport report;
  RETURN_IF_ERROR(CopyStore(config, to + "/store"));
  RETURN_IF_ERROR(CopyKeys(config.data_dir() + "/keys", to + "/keys", report));
  RETURN_IF_ERROR(CopyInvitation(config.data_dir() + "/operator-invitation", to + "/operator-invitation"));
  RETURN_IF_ERROR(WriteNote(to, clock.Now()));
  return report;
}

}  // namespace tsunagi::identity
