// The gRPC face of the passport records: guard, one domain call, answer.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "connector/grant/seal.h"
#include "services/passport/node.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"
#include "tsunagi/passport/v1/passport_service.grpc.pb.h"

namespace tsunagi::passport {

// Access rows of PassportService.
std::vector<rpc::AccessRow> PassportRows();

// Thread-safe.
class PassportService final : public v1::PassportService::CallbackService {
 public:
  // `own_process` is the target that sealed Grants must name. Writes run on `workers`. All references must
  // outlive the service and its calls.
  PassportService(rpc::Guard& guard, PassportNode& node, rpc::WorkerPool& workers, std::string seal_key,
                  std::string own_process)
      : guard_(guard),
        node_(node),
        workers_(workers),
        unsealer_(std::move(seal_key), std::move(own_process), node.context().clock) {}

  grpc::ServerUnaryReactor* ImportFacts(grpc::CallbackServerContext* context,
                                        const v1::ImportFactsRequest* request,
                                        v1::ImportFactsResponse* response) override;
  grpc::ServerUnaryReactor* GetPassport(grpc::CallbackServerContext* context,
                                        const v1::GetPassportRequest* request,
                                        v1::GetPassportResponse* response) override;
  grpc::ServerUnaryReactor* EraseParts(grpc::CallbackServerContext* context,
                                       const v1::ErasePartsRequest* request,
                                       v1::ErasePartsResponse* response) override;
  grpc::ServerUnaryReactor* ProposeAmendment(grpc::CallbackServerContext* context,
                                             const v1::ProposeAmendmentRequest* request,
                                             v1::ProposeAmendmentResponse* response) override;
  grpc::ServerUnaryReactor* ReadParts(grpc::CallbackServerContext* context,
                                      const v1::ReadPartsRequest* request,
                                      v1::ReadPartsResponse* response) override;

 private:
  rpc::Guard& guard_;
  PassportNode& node_;
  rpc::WorkerPool& workers_;
  grant::Unsealer unsealer_;
};

}  // namespace tsunagi::passport
