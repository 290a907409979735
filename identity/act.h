// Acts of the registrar, each with one leaf.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/audit/act.h"
#include "core/base/caller.h"

namespace tsunagi::identity {

using audit::Act;
using audit::Decision;
using audit::Done;
using audit::kMaxDecisions;

// Waits for an act: at start-up and on threads that may block, never in a handler.
template <class Reply>
absl::StatusOr<Reply> WaitFor(const std::function<void(Done<Reply>)>& begin) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<Reply>>>();
  std::future<absl::StatusOr<Reply>> future = promise->get_future();
  begin([promise](absl::StatusOr<Reply> reply) { promise->set_value(std::move(reply)); });
  return future.get();
}

// What the record of an act says.
struct ActRecord {
  absl::string_view act;          // one word of audit.v1.RegistrarRecord
  absl::string_view participant;  // DID; may be empty
  std::string digest;             // SHA-256 of the signed result; may be empty
  std::string by;                 // see ByOf; empty when the registrar acted by itself
  absl::string_view reason = "";
};

// The serialised audit.v1.Record.
std::string EncodeRecord(const ActRecord& record, absl::Time time);

// A caller as records name it: DID, process and, when it has one, account.
std::string ByOf(const Caller& caller);

}  // namespace tsunagi::identity
