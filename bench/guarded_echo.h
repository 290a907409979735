// The echo of the baseline server behind the product's Guard.
#pragma once

#include <memory>
#include <vector>

#include "bench/proto/echo_service.grpc.pb.h"
#include "services/rpc/guard.h"

namespace tsunagi::bench {

// Answers each request with as many bytes as it asks for; its stream is not implemented.
class GuardedEcho final : public EchoService::CallbackService {
 public:
  // `guard` must outlive the service.
  explicit GuardedEcho(rpc::Guard& guard) : guard_(guard) {}

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const EchoRequest* request,
                                 EchoResponse* response) override {
    return guard_.Serve(context, [=](const Caller&, const rpc::Finish& finish) {
      for (const uint32_t bytes : request->response_bytes()) response->mutable_payload()->assign(bytes, 'x');
      finish(absl::OkStatus());
    });
  }

 private:
  rpc::Guard& guard_;
};

// Its access rows.
inline std::vector<rpc::AccessRow> EchoRows() {
  return {{"/tsunagi.bench.EchoService/Echo", rpc::Who::kParticipant},
          {"/tsunagi.bench.EchoService/EchoStream", rpc::Who::kParticipant}};
}

inline std::unique_ptr<grpc::Service> NewGuardedEcho(rpc::Guard& guard) {
  return std::make_unique<GuardedEcho>(guard);
}

}  // namespace tsunagi::bench
