#include "services/process/trust_keeper.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "services/http/est_client.h"

namespace tsunagi::process {
namespace {

using identity::v1::GetFederationTrustResponse;
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

// A file of certificates, written when it changes.
absl::Status KeepPem(const std::string& path, std::string pem, std::string& kept) {
  if (pem == kept) return absl::OkStatus();
  RETURN_IF_ERROR(WriteFileAtomically(path, pem, 0600));
  kept = std::move(pem);
  return absl::OkStatus();
}

// What the view has of other federations, revoked ones without a roster.
GetFederationTrustResponse FederationsIn(const identity::TrustView& view) {
  GetFederationTrustResponse known;
  if (view.federations->signed_trust != nullptr) *known.mutable_trust() = *view.federations->signed_trust;
  for (const auto& [name, federation] : view.federations->by_name) {
    if (federation->roster != nullptr) *known.add_rosters() = federation->roster->signed_roster;
  }
  return known;
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
  const auto federations =
      ReadList<GetFederationTrustResponse>(data_dir_ + "/federation-trust", "kept federation trust");
  LogLoad("federation-trust", federations.ok() ? AcceptFederations(*federations) : federations.status());
  LogLoad("client-roots.crt", KeepRoots());
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
  status.Update(RefreshFederations(registrar));
  return status;
}

absl::Status TrustKeeper::RefreshFederations(Registrar& registrar) {
  const std::shared_ptr<const identity::TrustView> known = trust_.View();
  if (known->federations_required == 0) return absl::OkStatus();
  identity::v1::GetFederationTrustRequest request;
  request.set_known_version(known->federations->version);
  for (const auto& [name, federation] : known->federations->by_name) {
    if (federation->roster == nullptr) continue;
    identity::v1::KnownRoster& roster = *request.add_known_rosters();
    roster.set_federation(name);
    roster.set_version(federation->roster->version);
  }
  ASSIGN_OR_RETURN(const GetFederationTrustResponse response, registrar.GetFederationTrust(request));
  return TakeFederationTrust(response);
}

absl::StatusOr<bool> TrustKeeper::RefreshFromEdge(absl::string_view est_url) {
  ASSIGN_OR_RETURN(const std::string bytes, http::FetchTrustBundle(est_url));
  SignedTrustBundle bundle;
  RETURN_IF_ERROR(Decode(bytes, "trust bundle", bundle));
  return TakeBundle(bundle);
}

// The roots that count change with time, also under the bundle that is known.
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
  RETURN_IF_ERROR(KeepPem(data_dir_ + "/root.crt", trust_.RootsPem(), roots_pem_));
  return KeepPem(data_dir_ + "/client-roots.crt", trust_.ClientRootsPem(), client_roots_pem_);
}

absl::Status TrustKeeper::TakeFederationTrust(const GetFederationTrustResponse& trust) {
  MutexLock lock(taking_);
  const std::shared_ptr<const identity::Federations> known = trust_.View()->federations;
  absl::Status status = AcceptFederations(trust);
  if (trust_.View()->federations != known) status.Update(KeepFederations());
  status.Update(KeepRoots());
  return status;
}

absl::Status TrustKeeper::AcceptFederations(const GetFederationTrustResponse& trust) {
  absl::Status status;
  if (trust.has_trust()) status.Update(trust_.AcceptFederationTrust(trust.trust()));
  for (const identity::v1::SignedRoster& roster : trust.rosters()) status.Update(trust_.AcceptRoster(roster));
  return status;
}

absl::Status TrustKeeper::KeepFederations() {
  return WriteFileAtomically(data_dir_ + "/federation-trust", Encode(FederationsIn(*trust_.View())), 0600);
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
  const std::shared_ptr<const identity::Bundle> bundle = trust_.View()->bundle;
  if (bundle->version > request.known_bundle()) *response.mutable_bundle() = bundle->signed_bundle;
  return response;
}

}  // namespace tsunagi::process
