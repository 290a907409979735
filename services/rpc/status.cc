#include "services/rpc/status.h"

#include <string>

#include "core/base/error.h"
#include "core/base/log.h"

namespace tsunagi::rpc {
namespace {

// What went wrong inside is for the operator's log: a peer can do nothing with it, and it may name what it
// may not see.
bool IsInternal(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss;
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  if (IsInternal(status.code())) {
    log::Error("internal error",
               {{"code", absl::StatusCodeToString(status.code())}, {"cause", std::string(status.message())}});
    return grpc::Status(code, "internal error: the operator's log says more");
  }
  const std::optional<ErrorDetail> detail = DetailOf(status);
  return grpc::Status(code, std::string(status.message()), detail ? detail->SerializeAsString() : "");
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  ErrorDetail detail;
  if (!status.error_details().empty() && detail.ParseFromString(status.error_details())) {
    return WithDetail(std::move(result), detail);
  }
  return result;
}

}  // namespace tsunagi::rpc
