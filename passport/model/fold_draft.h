// Statements under construction, inside the fold.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/proto.h"
#include "passport/model/fold.h"

namespace tsunagi::passport {

// A statement and the event that it came from, which outlives it.
struct Draft {
  const VerifiedEvent* event;
  FoldedStatement statement;
};

inline void Set(FoldedStatement& statement, Standing standing, absl::string_view note = "") {
  statement.standing = standing;
  statement.note = std::string(note);
}

inline absl::Time OccurredAt(const VerifiedEvent& event) {
  return FromProto(event.header.occurred_at()).value_or(absl::InfinitePast());
}

// Order of an author's facts: by time, and by number where the times are equal.
inline std::tuple<absl::Time, uint64_t> Place(const VerifiedEvent& event) {
  return {OccurredAt(event), event.header.sequence()};
}

}  // namespace tsunagi::passport
