// MandateService at the grantor's own node.
#pragma once

#include <functional>
#include <vector>

#include "identity/own_mandates.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"
#include "tsunagi/identity/v1/mandate_service.grpc.pb.h"

namespace tsunagi::mandate {

// Access rows of MandateService: a mandate never lets its holder give mandates.
std::vector<rpc::AccessRow> MandateRows();

// Thread-safe.
class MandateService final : public identity::v1::MandateService::CallbackService {
 public:
  // All must outlive the service.
  MandateService(rpc::Guard& guard, identity::OwnMandates& own, rpc::WorkerPool& workers)
      : guard_(guard), own_(own), workers_(workers) {}

  grpc::ServerUnaryReactor* GrantMandate(grpc::CallbackServerContext* context,
                                         const identity::v1::GrantMandateRequest* request,
                                         identity::v1::GrantMandateResponse* response) override;
  grpc::ServerUnaryReactor* RevokeMandate(grpc::CallbackServerContext* context,
                                          const identity::v1::RevokeMandateRequest* request,
                                          identity::v1::RevokeMandateResponse* response) override;
  grpc::ServerUnaryReactor* ListMandates(grpc::CallbackServerContext* context,
                                         const identity::v1::ListMandatesRequest* request,
                                         identity::v1::ListMandatesResponse* response) override;

 private:
  rpc::Guard& guard_;
  identity::OwnMandates& own_;
  rpc::WorkerPool& workers_;
};

}  // namespace tsunagi::mandate
