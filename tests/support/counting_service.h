// A service made of a descriptor: counts how often a handler ran and answers with no bytes.
#pragma once

#include <atomic>
#include <deque>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/impl/rpc_service_method.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"

namespace tsunagi::testing {

// Every method of one service. Nothing stands before the handlers but the server's own guard.
class CountingService final : public grpc::Service {
 public:
  explicit CountingService(const google::protobuf::ServiceDescriptor& descriptor) {
    for (int i = 0; i < descriptor.method_count(); ++i) AddCounted(*descriptor.method(i), i);
  }
  int runs() const { return runs_; }

 private:
  using Buffer = grpc::ByteBuffer;

  class StreamReactor final : public grpc::ServerBidiReactor<Buffer, Buffer> {
   public:
    StreamReactor() { Finish(grpc::Status::OK); }
    void OnDone() override { delete this; }
  };

  void AddCounted(const google::protobuf::MethodDescriptor& method, int index) {
    const std::string& path =
        paths_.emplace_back(absl::StrCat("/", method.service()->full_name(), "/", method.name()));
    const bool streams = method.client_streaming() || method.server_streaming();
    AddMethod(new grpc::internal::RpcServiceMethod(
        path.c_str(),
        streams ? grpc::internal::RpcMethod::BIDI_STREAMING : grpc::internal::RpcMethod::NORMAL_RPC,
        nullptr));
    if (streams) {
      MarkMethodRawCallback(index, new grpc::internal::CallbackBidiHandler<Buffer, Buffer>([this](auto*) {
                              ++runs_;
                              return new StreamReactor();
                            }));
      return;
    }
    MarkMethodRawCallback(index,
                          new grpc::internal::CallbackUnaryHandler<Buffer, Buffer>(
                              [this](grpc::CallbackServerContext* context, const Buffer*, Buffer* response) {
                                ++runs_;
                                *response = Buffer(nullptr, 0);
                                grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
                                reactor->Finish(grpc::Status::OK);
                                return reactor;
                              }));
  }

  std::deque<std::string> paths_;  // gRPC keeps pointers into them
  std::atomic<int> runs_ = 0;
};

}  // namespace tsunagi::testing
