#include "services/process/channels.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "identity/names.h"

namespace tsunagi::process {
namespace {

constexpr size_t kMaxChannels = 1024;

const identity::v1::Endpoint* FindEndpoint(const identity::v1::Participant& participant,
                                           absl::string_view process) {
  for (const identity::v1::Endpoint& endpoint : participant.endpoints()) {
    if (endpoint.process() == process) return &endpoint;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> Channels::To(absl::string_view participant,
                                                            absl::string_view process) {
  const std::shared_ptr<const identity::TrustView> view = trust_.View();
  ASSIGN_OR_RETURN(const std::shared_ptr<const identity::Party> party, view->Find(participant));
  const identity::v1::Participant& listed = party->participant;
  if (view->IsSuspended(listed.did())) {
    return absl::PermissionDeniedError(absl::StrCat("participant `", listed.label(), "` is suspended"));
  }
  if (const std::string own = OwnAddress(listed.label(), process); !own.empty()) {
    return Get(own, identity::ProcessDnsName(process, listed.label(), config_.federation()));
  }
  const identity::v1::Endpoint* endpoint = FindEndpoint(listed, process);
  if (endpoint == nullptr) endpoint = FindEndpoint(listed, "node");
  if (endpoint == nullptr) {
    return absl::NotFoundError(absl::StrCat("participant `", listed.label(), "` lists no process `", process,
                                            "`: has it started yet?"));
  }
  return Get(endpoint->address(),
             identity::ProcessDnsName(endpoint->process(), listed.label(), config_.federation()));
}

std::shared_ptr<grpc::Channel> Channels::ToRegistrar() {
  return Get(config_.registrar().address(),
             identity::ProcessDnsName("registrar", identity::kRegistrarLabel, config_.federation()));
}

std::string Channels::OwnAddress(absl::string_view label, absl::string_view process) const {
  if (label != config_.participant()) return "";
  if (process == "passport") return config_.passport_address();
  if (process == "catalog") return config_.catalog_address();
  return "";
}

std::shared_ptr<grpc::Channel> Channels::Get(const std::string& address, const std::string& expected_name) {
  const std::shared_ptr<const Identity> current = credentials_.Current();
  const std::shared_ptr<const identity::Bundle> bundle = trust_.View()->bundle;
  MutexLock lock(mutex_);
  if (identity_ != current || bundle_ != bundle || channels_.size() >= kMaxChannels) {
    channels_.clear();
    identity_ = current;
    bundle_ = bundle;
  }
  std::shared_ptr<grpc::Channel>& channel = channels_[absl::StrCat(address, " ", expected_name)];
  if (channel == nullptr) channel = credentials_.NewChannel(*current, address, expected_name);
  return channel;
}

}  // namespace tsunagi::process
