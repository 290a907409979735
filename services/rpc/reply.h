// From what a handler comes to, to the end of its call.
#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "services/rpc/guard.h"
#include "services/rpc/worker_pool.h"

namespace tsunagi::rpc {

// Finishes the call with a result.
template <class Response>
void Return(absl::StatusOr<Response> result, Response* response, const Finish& finish) {
  const absl::Status status = result.status();
  if (status.ok()) *response = *std::move(result);
  finish(status);
}

// The completion that finishes the call.
template <class Response>
std::function<void(absl::StatusOr<Response>)> Into(Response* response, Finish finish) {
  return [response, finish = std::move(finish)](absl::StatusOr<Response> result) {
    Return(std::move(result), response, finish);
  };
}

// A handler that runs `work`, which may block, on `pool`, and finishes the call with its result, or with
// RESOURCE_EXHAUSTED when the pool is full. `work` is converted, so that `Response` follows from `response`.
template <class Response>
std::function<void(const Caller&, Finish)> OnPool(
    WorkerPool& pool, Response* response,
    std::type_identity_t<std::function<absl::StatusOr<Response>(const Caller&)>> work) {
  return [&pool, response, work = std::move(work)](const Caller& caller, const Finish& finish) {
    const absl::Status queued =
        pool.Run([response, work, caller, finish] { Return(work(caller), response, finish); });
    if (!queued.ok()) finish(queued);
  };
}

}  // namespace tsunagi::rpc
