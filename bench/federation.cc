#include "bench/federation.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "grpcpp/client_context.h"
#include "services/process/config.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"

namespace tsunagi::bench {

absl::StatusOr<std::unique_ptr<Federation>> Federation::Open(const Access& access,
                                                             const RegistrarPlace& place) {
  ASSIGN_OR_RETURN(const auto channel,
                   Connect(access, {access.registrar,
                                    rpc::ProcessDnsName("registrar", "registrar", access.federation), 0}));
  return std::unique_ptr<Federation>(new Federation(access, place, channel));
}

absl::StatusOr<internal::v1::NodeConfig> Federation::Invite(const std::string& label) {
  identity::v1::ApplyRequest participant;
  participant.set_request_id(NewUuid(random_));
  participant.set_approve(true);
  participant.mutable_participant()->set_label(label);
  participant.mutable_participant()->set_name_latin(label);
  identity::v1::ApplyResponse registered;
  grpc::ClientContext registering;
  RETURN_IF_ERROR(rpc::FromGrpcStatus(members_->Apply(&registering, participant, &registered)));

  identity::v1::CreateInvitationRequest invitation;
  invitation.set_request_id(NewUuid(random_));
  invitation.set_label(label);
  invitation.add_processes("node");
  identity::v1::CreateInvitationResponse invited;
  grpc::ClientContext inviting;
  RETURN_IF_ERROR(rpc::FromGrpcStatus(stub_->CreateInvitation(&inviting, invitation, &invited)));

  const std::string folder = absl::StrCat(place_.folder, "/", label);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  RETURN_IF_ERROR(WriteFileAtomically(folder + "/code", invited.code() + "\n", 0600));
  internal::v1::NodeConfig config;
  config.set_data_dir(folder + "/data");
  config.set_listen("127.0.0.1:0");
  config.set_federation(access_.federation);
  config.set_participant(label);
  config.mutable_registrar()->set_address(access_.registrar);
  config.mutable_registrar()->set_est_url(place_.est_url);
  config.mutable_registrar()->set_root_sha256(place_.root_sha256);
  config.mutable_invitation()->set_code_file(folder + "/code");
  return process::WithDefaults(config);
}

absl::Status Federation::SetSuspended(const std::string& label, bool suspended) {
  identity::v1::SetSuspendedRequest request;
  request.set_request_id(NewUuid(random_));
  request.set_participant(label);
  request.set_suspended(suspended);
  request.set_reason("measurement");
  identity::v1::SetSuspendedResponse response;
  grpc::ClientContext context;
  return rpc::FromGrpcStatus(members_->SetSuspended(&context, request, &response));
}

}  // namespace tsunagi::bench
