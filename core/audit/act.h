// Read, decide, commit; decide again when what was read has changed meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/audit/journal.h"

namespace tsunagi::audit {

// Completion of an act: exactly once, on the caller's thread or one of the journal's; must not block.
template <class Reply>
using Done = std::function<void(absl::StatusOr<Reply>)>;

// What an act came to: a reply, and what must be durable before it is given. No commit when nothing changes.
template <class Reply>
struct Decision {
  Reply reply;
  std::optional<Commit> commit;
};

inline constexpr int kMaxDecisions = 16;

// Runs `decide`, which reads the journal's store and names its reads in the commit, until its commit goes
// through: first on the caller's thread, again on the journal's follow-up thread.
template <class Reply>
void Act(Journal& journal, std::function<absl::StatusOr<Decision<Reply>>()> decide, Done<Reply> done,
         int attempts = kMaxDecisions) {
  const ReadVersion version = journal.Version();
  absl::StatusOr<Decision<Reply>> decision = decide();
  if (!decision.ok()) return done(decision.status());
  if (!decision->commit.has_value()) return done(std::move(decision->reply));
  decision->commit->version = version;
  Commit commit = *std::move(decision->commit);
  auto reply = std::make_shared<Reply>(std::move(decision->reply));
  journal.Submit(std::move(commit), [&journal, decide = std::move(decide), done = std::move(done), reply,
                                     attempts](absl::StatusOr<Committed> committed) {
    if (committed.ok()) return done(std::move(*reply));
    if (absl::IsAborted(committed.status()) && attempts > 1) return Act(journal, decide, done, attempts - 1);
    done(committed.status());
  });
}

}  // namespace tsunagi::audit
