// TrustService: hands on what the registrar signed, while it is away.
#pragma once

#include <vector>

#include "services/process/registrar_log.h"
#include "services/process/trust_keeper.h"
#include "services/rpc/guard.h"
#include "tsunagi/identity/v1/trust_service.grpc.pb.h"

namespace tsunagi::process {

// Access rows of TrustService.
std::vector<rpc::AccessRow> TrustRows();

// Thread-safe.
class TrustService final : public identity::v1::TrustService::CallbackService {
 public:
  // All must outlive the service.
  TrustService(rpc::Guard& guard, const TrustKeeper& keeper, const RegistrarLog& registrar_log)
      : guard_(guard), keeper_(keeper), registrar_log_(registrar_log) {}

  grpc::ServerUnaryReactor* GetTrustLists(grpc::CallbackServerContext* context,
                                          const identity::v1::GetTrustListsRequest* request,
                                          identity::v1::GetTrustListsResponse* response) override;

 private:
  rpc::Guard& guard_;
  const TrustKeeper& keeper_;
  const RegistrarLog& registrar_log_;
};

}  // namespace tsunagi::process
