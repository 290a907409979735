// An act of the registrar: read, decide, commit with one leaf; decide again when what was read has changed.
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
#include "core/audit/journal.h"
#include "core/base/caller.h"

namespace tsunagi::identity {

// Completion of an act: exactly once, on the caller's or the committer's thread; must not block.
template <class Reply>
using Done = std::function<void(absl::StatusOr<Reply>)>;

// What an act came to: a reply, and what must be durable before it is given. No commit when nothing changes.
template <class Reply>
struct Decision {
  Reply reply;
  std::optional<audit::Commit> commit;
};

inline constexpr int kMaxDecisions = 16;

// Runs `decide`, which reads the journal's store and names its reads in the commit, until its commit goes through.
template <class Reply>
void Act(audit::Journal& journal, std::function<absl::StatusOr<Decision<Reply>>()> decide, Done<Reply> done,
         int attempts = kMaxDecisions) {
  const audit::ReadVersion version = journal.Version();
  absl::StatusOr<Decision<Reply>> decision = decide();
  if (!decision.ok()) return done(decision.status());
  if (!decision->commit.has_value()) return done(std::move(decision->reply));
  decision->commit->version = version;
  audit::Commit commit = *std::move(decision->commit);
  auto reply = std::make_shared<Reply>(std::move(decision->reply));
  journal.Submit(std::move(commit), [&journal, decide = std::move(decide), done = std::move(done), reply,
                                     attempts](absl::StatusOr<audit::Committed> committed) {
    if (committed.ok()) return done(std::move(*reply));
    if (absl::IsAborted(committed.status()) && attempts > 1) return Act(journal, decide, done, attempts - 1);
    done(committed.status());
  });
}

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

// A caller as records name it: DID and process.
std::string ByOf(const Caller& caller);

}  // namespace tsunagi::identity
