#include "services/rpc/grpc_log.h"

#include <string>

#include "core/base/log.h"
#include "grpc/support/log.h"

namespace tsunagi::rpc {
namespace {

void Forward(gpr_log_func_args* args) {
  const std::string text = args->message;
  if (args->severity == GPR_LOG_SEVERITY_ERROR) {
    log::Warning("grpc", {{"text", text}});
  } else {
    log::Debug("grpc", {{"text", text}});
  }
}

}  // namespace

void TakeGrpcLog() {
  static const bool once = [] {
    gpr_set_log_function(Forward);
    return true;
  }();
  (void)once;
}

}  // namespace tsunagi::rpc
