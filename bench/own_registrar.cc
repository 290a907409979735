#include "bench/own_registrar.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/crypto/certificate.h"
#include "grpcpp/client_context.h"
#include "identity/names.h"
#include "services/identity/config.h"
#include "services/process/enrolment.h"
#include "services/process/keys.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"

namespace tsunagi::bench {
namespace {

constexpr char kFederation[] = "battery.example";
constexpr size_t kMaxPemBytes = 1 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<OwnRegistrar>> OwnRegistrar::Start(const std::string& folder,
                                                                  absl::Duration behind) {
  std::unique_ptr<OwnRegistrar> own(new OwnRegistrar(behind));
  own->data_dir_ = folder + "/registrar";
  internal::v1::RegistrarConfig config;
  config.set_data_dir(own->data_dir_);
  config.set_listen("127.0.0.1:0");
  config.set_est_listen("127.0.0.1:0");
  config.set_federation(kFederation);
  ASSIGN_OR_RETURN(own->process_,
                   identity::RegistrarProcess::Start(identity::WithDefaults(config), own->clock_));
  RETURN_IF_ERROR(own->EnrolOperator(folder));
  return own;
}

absl::Status OwnRegistrar::EnrolOperator(const std::string& folder) {
  const std::string root = ToHex(process_->registrar().context().authority.Get()->root.certificate.sha256);
  const RegistrarPlace place = {absl::StrCat("https://127.0.0.1:", process_->est_port()), root, folder};
  const std::string address = absl::StrCat("127.0.0.1:", process_->port());
  internal::v1::NodeConfig config;
  config.set_data_dir(folder + "/operator");
  config.set_federation(kFederation);
  config.set_participant("registrar");
  config.mutable_registrar()->set_address(address);
  config.mutable_registrar()->set_est_url(place.est_url);
  config.mutable_registrar()->set_root_sha256(root);
  config.mutable_invitation()->set_code_file(data_dir_ + "/operator-invitation");
  ASSIGN_OR_RETURN(const process::Keys keys,
                   process::LoadKeys(config.data_dir(), config.data_dir(), random_));
  ASSIGN_OR_RETURN(const crypto::Certificate pinned, process::LoadRoot(config));
  RETURN_IF_ERROR(
      process::LoadCertificate(config, std::string(identity::kOperatorProcess), keys.tls, {pinned}, clock_)
          .status());
  const Access access = {config.data_dir() + "/tls.key", config.data_dir() + "/tls.crt",
                         config.data_dir() + "/root.crt", address, kFederation};
  ASSIGN_OR_RETURN(federation_, Federation::Open(access, place));
  ASSIGN_OR_RETURN(const auto channel,
                   Connect(access, {address, rpc::ProcessDnsName("registrar", "registrar", kFederation), 0}));
  authority_ = identity::v1::AuthorityService::NewStub(channel);
  return absl::OkStatus();
}

void OwnRegistrar::Pass(absl::Duration time) {
  behind_ -= time;
  clock_.Shift(-behind_);
}

absl::StatusOr<std::string> OwnRegistrar::Rotate(identity::v1::AuthorityKey key, bool put_into_use) {
  identity::v1::RotateKeyRequest request;
  request.set_request_id(NewUuid(random_));
  request.set_key(key);
  request.set_reason("measurement");
  request.set_put_into_use(put_into_use);
  identity::v1::RotateKeyResponse response;
  grpc::ClientContext context;
  RETURN_IF_ERROR(rpc::FromGrpcStatus(authority_->RotateKey(&context, request, &response)));
  return response.key_id();
}

bool OwnRegistrar::Follows(const std::string& issuing_key_id) {
  const auto roots = ReadFile(data_dir_ + "/root.crt", kMaxPemBytes);
  const auto pem = ReadFile(data_dir_ + "/tls.crt", kMaxPemBytes);
  if (!roots.ok() || *roots != process_->registrar().trust().RootsPem() || !pem.ok()) return false;
  const auto chain = crypto::ParseCertificatesPem(*pem);
  return chain.ok() && chain->size() == 2 && (*chain)[1].public_key.id() == issuing_key_id;
}

}  // namespace tsunagi::bench
