// The passport as the fold of events. Pure: the same events give the same passport, in whatever order they
// came.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "passport/model/verify.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::passport {

// How a statement stands in the passport.
enum class Standing {
  kCurrent,   // what the passport says now
  kHistory,   // was current once, and is superseded
  kNotTaken,  // its author's statement only: the fold does not take it
};

// One part of one event and what the fold makes of it.
struct FoldedStatement {
  v1::PartKind kind = v1::PART_KIND_UNSPECIFIED;
  std::string content;
  std::string author;  // DID
  v1::EventType type = v1::EVENT_TYPE_UNSPECIFIED;
  absl::Time occurred_at;
  std::optional<absl::Time> dated_at;
  Standing standing = Standing::kNotTaken;
  bool erased = false;
  std::string note;  // why it is not current; empty when it is
  size_t source = 0;
  crypto::Digest event;
};

struct Folded {
  std::vector<FoldedStatement> statements;  // by kind, then time
  std::vector<std::string> warnings;        // gaps, forks, broken chains, pending amendments
};

// Folds the events of one battery, of any authors, from any number of sources; the same event from two
// sources is one, with the parts of both.
//
//   identity, structure, materials, regulation
//       only from the subject's manufacturer, or once it has left from its successors; a later amendment
//       replaces
//   vehicle
//       from whoever mounted it, or took custody from there; the first is who was dated first
//   condition
//       each author's latest measurement is current, none replaces another's
//   history, footprint, diligence
//       a list; an author's newer link replaces its older one
//
// Two events of one author with one number are both shown and neither is taken. A proposed identity part is
// not taken before the registrar has approved the proposal; what else a proposal corrects counts from its
// author. `successors` are the DIDs that took over from the manufacturer, in that order: what a later one
// says replaces what an earlier one said (identity::TrustView::SuccessorsOf).
Folded Fold(const std::vector<VerifiedEvent>& events, const std::vector<std::string>& successors = {});

}  // namespace tsunagi::passport
