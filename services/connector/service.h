// The gRPC face of the connector: guard, one domain call, answer.
#pragma once

#include <functional>
#include <vector>

#include "services/connector/node.h"
#include "services/connector/stream_call.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"
#include "tsunagi/connector/v1/connector_service.grpc.pb.h"

namespace tsunagi::connector {

// Access rows of ConnectorService.
std::vector<rpc::AccessRow> ConnectorRows();

// Thread-safe.
class ConnectorService final : public v1::ConnectorService::CallbackService {
 public:
  // All arguments must outlive the service and its calls. Resolve, FileHolderNotices and the chunks of
  // streams run on `workers`.
  ConnectorService(rpc::Guard& guard, ConnectorNode& node, rpc::WorkerPool& workers, StreamLimits limits = {})
      : guard_(guard), node_(node), workers_(workers), streams_(limits) {}

  grpc::ServerUnaryReactor* RequestAgreement(grpc::CallbackServerContext* context,
                                             const v1::RequestAgreementRequest* request,
                                             v1::RequestAgreementResponse* response) override;
  grpc::ServerUnaryReactor* Release(grpc::CallbackServerContext* context, const v1::ReleaseRequest* request,
                                    v1::ReleaseResponse* response) override;
  grpc::ServerBidiReactor<v1::ReleaseStreamRequest, v1::ReleaseStreamResponse>* ReleaseStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Resolve(grpc::CallbackServerContext* context, const v1::ResolveRequest* request,
                                    v1::ResolveResponse* response) override;
  grpc::ServerUnaryReactor* SetPolicies(grpc::CallbackServerContext* context,
                                        const v1::SetPoliciesRequest* request,
                                        v1::SetPoliciesResponse* response) override;
  grpc::ServerUnaryReactor* GetPolicies(grpc::CallbackServerContext* context,
                                        const v1::GetPoliciesRequest* request,
                                        v1::GetPoliciesResponse* response) override;
  grpc::ServerUnaryReactor* PreviewRelease(grpc::CallbackServerContext* context,
                                           const v1::PreviewReleaseRequest* request,
                                           v1::PreviewReleaseResponse* response) override;
  grpc::ServerUnaryReactor* ListAgreements(grpc::CallbackServerContext* context,
                                           const v1::ListAgreementsRequest* request,
                                           v1::ListAgreementsResponse* response) override;
  grpc::ServerUnaryReactor* FileHolderNotices(grpc::CallbackServerContext* context,
                                              const v1::FileHolderNoticesRequest* request,
                                              v1::FileHolderNoticesResponse* response) override;

 private:
  rpc::Guard& guard_;
  ConnectorNode& node_;
  rpc::WorkerPool& workers_;
  StreamSlots streams_;
};

}  // namespace tsunagi::connector
