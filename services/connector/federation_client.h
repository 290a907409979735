// Calls to other participants' connectors and catalogs, over mTLS and authenticated as them.
#pragma once

#include "connector/ports.h"
#include "services/process/participant_process.h"

namespace tsunagi::connector {

// Thread-safe. Blocks: only on the worker pool. A participant that lists no endpoint is UNAVAILABLE, so that
// NOT_FOUND is always the participant's own answer.
class FederationClient final : public Federation {
 public:
  // `process` must outlive the client.
  explicit FederationClient(process::ParticipantProcess& process) : process_(process) {}

  absl::StatusOr<v1::RequestAgreementResponse> RequestAgreement(
      absl::string_view participant, const v1::RequestAgreementRequest& request) override;
  absl::StatusOr<v1::ReleaseResponse> Release(absl::string_view participant,
                                              const v1::ReleaseRequest& request) override;
  absl::StatusOr<catalog::v1::FindHoldersResponse> FindHolders(
      absl::string_view participant, const catalog::v1::FindHoldersRequest& request) override;
  absl::Status FileNotices(absl::string_view participant,
                           const catalog::v1::FileNoticesRequest& request) override;

 private:
  absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelTo(absl::string_view participant,
                                                           absl::string_view process);

  process::ParticipantProcess& process_;
};

}  // namespace tsunagi::connector
