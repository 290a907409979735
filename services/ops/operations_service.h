// Health, certificate and audit of one process, for its own operator; its checkpoint for everyone.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/audit/journal.h"
#include "services/rpc/guard.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::ops {

// Access rows of OperationsService.
std::vector<rpc::AccessRow> OperationsRows();

// Key (table STATE) of the newest note of this log that the registrar cosigned.
const std::string& CosignedKey();

// What the service asks of its process.
struct ProcessHooks {
  // At each GetHealth; must not block. The journal's health is added to it.
  std::function<v1::GetHealthResponse()> health;
  // Renews certificate and token and passes on the end of the new certificate, from any thread; must not
  // block.
  std::function<void(std::function<void(absl::StatusOr<absl::Time>)>)> renew_certificate;
};

// Thread-safe.
class OperationsService final : public v1::OperationsService::CallbackService {
 public:
  // `guard` and `journal` must outlive the service.
  OperationsService(rpc::Guard& guard, const audit::Journal& journal, ProcessHooks hooks);

  grpc::ServerUnaryReactor* GetHealth(grpc::CallbackServerContext* context,
                                      const v1::GetHealthRequest* request,
                                      v1::GetHealthResponse* response) override;
  grpc::ServerUnaryReactor* RenewCertificate(grpc::CallbackServerContext* context,
                                             const v1::RenewCertificateRequest* request,
                                             v1::RenewCertificateResponse* response) override;
  grpc::ServerUnaryReactor* GetCheckpoint(grpc::CallbackServerContext* context,
                                          const v1::GetCheckpointRequest* request,
                                          v1::GetCheckpointResponse* response) override;
  // At most 500 leaves and 3 MiB a page.
  grpc::ServerUnaryReactor* ListLeaves(grpc::CallbackServerContext* context,
                                       const v1::ListLeavesRequest* request,
                                       v1::ListLeavesResponse* response) override;
  // At most 50 stamps a page.
  grpc::ServerUnaryReactor* ListStamps(grpc::CallbackServerContext* context,
                                       const v1::ListStampsRequest* request,
                                       v1::ListStampsResponse* response) override;

 private:
  rpc::Guard& guard_;
  const audit::Journal& journal_;
  const ProcessHooks hooks_;
};

}  // namespace tsunagi::ops
