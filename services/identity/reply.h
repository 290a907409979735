// Hands what the registrar's acts and reads come to over to a call.
#pragma once

#include <utility>

#include "absl/status/statusor.h"
#include "identity/act.h"
#include "services/rpc/guard.h"

namespace tsunagi::identity {

// Finishes the call with what was read.
template <class Reply>
void Return(absl::StatusOr<Reply> reply, Reply* response, const rpc::Finish& finish) {
  const absl::Status status = reply.status();
  if (status.ok()) *response = *std::move(reply);
  finish(status);
}

// The completion of an act that finishes the call.
template <class Reply>
Done<Reply> Into(Reply* response, rpc::Finish finish) {
  return [response, finish = std::move(finish)](absl::StatusOr<Reply> reply) {
    Return(std::move(reply), response, finish);
  };
}

}  // namespace tsunagi::identity
