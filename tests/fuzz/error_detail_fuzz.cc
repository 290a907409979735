// Status and details of a peer's refusal: read, shown and passed on without harm.
#include <cstdlib>
#include <string>

#include "core/base/error.h"
#include "services/rpc/status.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi;  // NOLINT: a program of its own
  if (size == 0) return 0;
  const std::string details(reinterpret_cast<const char*>(data) + 1, size - 1);
  const grpc::Status given(static_cast<grpc::StatusCode>(data[0] % 20), "refused", details);
  const absl::Status status = rpc::FromGrpcStatus(given);
  if (given.ok() != status.ok()) std::abort();
  const auto detail = DetailOf(status);
  const grpc::Status again = rpc::ToGrpcStatus(status);
  if (again.ok() != status.ok()) std::abort();
  if (detail.has_value() && again.error_details().size() > details.size()) std::abort();
  return 0;
}
