// Hands what the registrar's acts and reads come to over to a call.
#pragma once

#include <utility>

#include "absl/status/statusor.h"
#include "identity/act.h"
#include "services/rpc/guard.h"

namespace tsunagi::identity {

// The completion of an act that finishes the call.
template <class Reply>
Done<Reply> Into(Reply* response, rpc::Finish finish) {
  return [response, finish = std::move(finish)](absl::StatusOr<Reply> reply) {
    if (reply.ok()) *response = *std::move(reply);
    finish(reply.status());
  };
}

// Finishes the call with what was read.
template <class Reply>
void Return(absl::StatusOr<Reply> reply, Reply* response, const rpc::Finish& finish) {
  if (reply.ok()) *response = *std::move(reply);
  finish(reply.status());
}

}  // namespace tsunagi::identity
