#include "services/process/trust_keeper.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "services/http/est_client.h"

namespace tsunagi::process {
namespace {

using identity::v1::SignedDirectory;
using identity::v1::SignedStatusList;
using identity::v1::SignedTrustBundle;

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

bool DidNotAnswer(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

void TrustKeeper::Load() {
  MutexLock lock(taking_);
  const auto bundle = ReadList<SignedTrustBundle>(data_dir_ + "/trust-bundle", "kept trust bundle");
  LogLoad("trust-bundle", bundle.ok() ? trust_.RestoreBundle(*bundle) : bundle.status());
  LogLoad("root.crt", KeepRoots());
  const auto directory = ReadList<SignedDirectory>(data_dir_ + "/directory", "kept directory");
  LogLoad("directory", directory.ok() ? AcceptDirectory(*directory).status() : directory.status());
  const auto status_list = ReadList<SignedStatusList>(data_dir_ + "/status", "kept status list");
  LogLoad("status", status_list.ok() ? AcceptStatusList(*status_list).status() : status_list.status());
}

absl::Status TrustKeeper::Refresh(Registrar& registrar) {
  const std::shared_ptr<const identity::TrustView> known = trust_.View();
  const auto bundle = registrar.GetTrustBundle(known->bundle->version);
  if (DidNotAnswer(bundle.status())) return bundle.status();
  absl::Status status = bundle.status();
  if (bundle.ok()) status.Update(TakeBundle(bundle->bundle()).status());
  const auto status_list = registrar.GetStatusList(known->status_version);
  status.Update(status_list.ok() ? TakeStatusList(status_list->status_list()) : status_list.status());
  const auto directory = registrar.GetDirectory(known->directory_version);
  status.Update(directory.status());
  if (directory.ok() && directory->has_directory()) status.Update(TakeDirectory(directory->directory()));
  return status;
}

absl::StatusOr<bool> TrustKeeper::RefreshFromEdge(absl::string_view est_url) {
  ASSIGN_OR_RETURN(const std::string bytes, http::FetchTrustBundle(est_url));
  SignedTrustBundle bundle;
  RETURN_IF_ERROR(Decode(bytes, "trust bundle", bundle));
  return TakeBundle(bundle);
}

// An empty one is the one that is known: the roots that count change with time all the same.
absl::StatusOr<bool> TrustKeeper::TakeBundle(const SignedTrustBundle& bundle) {
  MutexLock lock(taking_);
  const uint64_t known = trust_.View()->bundle->version;
  if (!bundle.bundle().empty()) RETURN_IF_ERROR(trust_.AcceptBundle(bundle));
  const bool newer = trust_.View()->bundle->version != known;
  if (newer) RETURN_IF_ERROR(WriteFileAtomically(data_dir_ + "/trust-bundle", Encode(bundle), 0600));
  RETURN_IF_ERROR(KeepRoots());
  return newer;
}

absl::Status TrustKeeper::KeepRoots() {
  const std::string pem = trust_.RootsPem();
  if (pem == roots_pem_) return absl::OkStatus();
  RETURN_IF_ERROR(WriteFileAtomically(data_dir_ + "/root.crt", pem, 0600));
  roots_pem_ = pem;
  return absl::OkStatus();
}

absl::Status TrustKeeper::TakeDirectory(const SignedDirectory& directory) {
  MutexLock lock(taking_);
  ASSIGN_OR_RETURN(const bool newer, AcceptDirectory(directory));
  if (!newer) return absl::OkStatus();
  return WriteFileAtomically(data_dir_ + "/directory", Encode(directory), 0600);
}

absl::Status TrustKeeper::TakeStatusList(const SignedStatusList& status_list) {
  MutexLock lock(taking_);
  ASSIGN_OR_RETURN(const bool newer, AcceptStatusList(status_list));
  if (!newer) return absl::OkStatus();
  return WriteFileAtomically(data_dir_ + "/status", Encode(status_list), 0600);
}

absl::StatusOr<bool> TrustKeeper::AcceptDirectory(const SignedDirectory& directory) {
  const uint64_t known = trust_.View()->directory_version;
  RETURN_IF_ERROR(trust_.AcceptDirectory(directory));
  const uint64_t version = trust_.View()->directory_version;
  if (version == known) return false;
  MutexLock lock(mutex_);
  directory_ = {version, std::make_shared<const SignedDirectory>(directory)};
  return true;
}

absl::StatusOr<bool> TrustKeeper::AcceptStatusList(const SignedStatusList& status_list) {
  const uint64_t known = trust_.View()->status_version;
  RETURN_IF_ERROR(trust_.AcceptStatusList(status_list));
  const uint64_t version = trust_.View()->status_version;
  if (version == known) return false;
  MutexLock lock(mutex_);
  status_list_ = {version, std::make_shared<const SignedStatusList>(status_list)};
  return true;
}

identity::v1::GetTrustListsResponse TrustKeeper::Lists(
    const identity::v1::GetTrustListsRequest& request) const {
  Kept<SignedDirectory> directory;
  Kept<SignedStatusList> status_list;
  {
    MutexLock lock(mutex_);
    directory = directory_;
    status_list = status_list_;
  }
  identity::v1::GetTrustListsResponse response;
  if (directory.version > request.known_directory()) *response.mutable_directory() = *directory.list;
  if (status_list.version > request.known_status()) *response.mutable_status_list() = *status_list.list;
  return response;
}

}  // namespace tsunagi::process
