#include "services/process/trust_keeper.h"

#include <utility>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"

namespace tsunagi::process {
namespace {

constexpr size_t kMaxListBytes = size_t{64} << 20;

template <class List>
absl::StatusOr<List> ReadList(const std::string& path, absl::string_view what) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxListBytes));
  List list;
  RETURN_IF_ERROR(Decode(bytes, what, list));
  return list;
}

void LogLoad(absl::string_view what, const absl::Status& status) {
  if (status.ok() || absl::IsNotFound(status)) return;
  log::Warning("a kept list was not taken over",
               {{"list", std::string(what)}, {"reason", std::string(status.message())}});
}

}  // namespace

void TrustKeeper::Load() {
  const auto directory = ReadList<identity::v1::SignedDirectory>(data_dir_ + "/directory", "kept directory");
  LogLoad("directory", directory.ok() ? trust_.AcceptDirectory(*directory) : directory.status());
  const auto status_list =
      ReadList<identity::v1::SignedStatusList>(data_dir_ + "/status", "kept status list");
  LogLoad("status", status_list.ok() ? trust_.AcceptStatusList(*status_list) : status_list.status());
}

absl::Status TrustKeeper::Refresh(Registrar& registrar) {
  MutexLock lock(mutex_);
  const absl::Status status_list = RefreshStatusList(registrar);
  const absl::Status directory = RefreshDirectory(registrar);
  return status_list.ok() ? directory : status_list;
}

absl::Status TrustKeeper::RefreshDirectory(Registrar& registrar) {
  ASSIGN_OR_RETURN(const auto response, registrar.GetDirectory(trust_.View()->directory_version));
  if (!response.has_directory()) return absl::OkStatus();
  RETURN_IF_ERROR(trust_.AcceptDirectory(response.directory()));
  return WriteFileAtomically(data_dir_ + "/directory", Encode(response.directory()), 0600);
}

absl::Status TrustKeeper::RefreshStatusList(Registrar& registrar) {
  const uint64_t known = trust_.View()->status_version;
  ASSIGN_OR_RETURN(const auto response, registrar.GetStatusList(known));
  RETURN_IF_ERROR(trust_.AcceptStatusList(response.status_list()));
  if (trust_.View()->status_version == known) return absl::OkStatus();
  return WriteFileAtomically(data_dir_ + "/status", Encode(response.status_list()), 0600);
}

}  // namespace tsunagi::process
