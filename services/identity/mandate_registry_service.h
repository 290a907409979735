// MandateRegistryService over the registrar.
#pragma once

#include <vector>

#include "identity/mandate_registry.h"
#include "services/rpc/guard.h"
#include "tsunagi/identity/v1/mandate_service.grpc.pb.h"

namespace tsunagi::identity {

// Access rows of MandateRegistryService.
std::vector<rpc::AccessRow> MandateRegistryRows();

// Thread-safe.
class MandateRegistryService final : public v1::MandateRegistryService::CallbackService {
 public:
  // Both must outlive the service.
  MandateRegistryService(rpc::Guard& guard, MandateRegistry& mandates) : guard_(guard), mandates_(mandates) {}

  grpc::ServerUnaryReactor* FileMandate(grpc::CallbackServerContext* context,
                                        const v1::FileMandateRequest* request,
                                        v1::FileMandateResponse* response) override;
  grpc::ServerUnaryReactor* FileRevocation(grpc::CallbackServerContext* context,
                                           const v1::FileRevocationRequest* request,
                                           v1::FileRevocationResponse* response) override;

 private:
  rpc::Guard& guard_;
  MandateRegistry& mandates_;
};

}  // namespace tsunagi::identity
