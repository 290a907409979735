#include "passport/model/fold.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/proto.h"
#include "passport/model/fold_draft.h"
#include "passport/model/fold_vehicle.h"
#include "passport/model/slots.h"

namespace tsunagi::passport {
namespace {

using EventRef = const VerifiedEvent*;

// One event per digest, with every part that some source opened.
std::vector<VerifiedEvent> MergeSources(const std::vector<VerifiedEvent>& events) {
  std::map<crypto::Digest, VerifiedEvent> by_digest;
  for (const VerifiedEvent& event : events) {
    const auto [it, added] = by_digest.try_emplace(event.digest, event);
    if (added) continue;
    if (!it->second.dated_at || (event.dated_at && *event.dated_at < *it->second.dated_at)) {
      it->second.dated_at = event.dated_at ? event.dated_at : it->second.dated_at;
    }
    for (const VerifiedPart& part : event.parts) {
      const auto same = [&](const VerifiedPart& other) { return other.kind == part.kind; };
      if (std::none_of(it->second.parts.begin(), it->second.parts.end(), same))
        it->second.parts.push_back(part);
    }
  }
  std::vector<VerifiedEvent> merged;
  for (auto& [digest, event] : by_digest) merged.push_back(std::move(event));
  std::sort(merged.begin(), merged.end(), [](const VerifiedEvent& a, const VerifiedEvent& b) {
    return std::tuple(OccurredAt(a), a.header.author(), a.header.sequence(), a.digest) <
           std::tuple(OccurredAt(b), b.header.author(), b.header.sequence(), b.digest);
  });
  return merged;
}

// Gaps, forks and broken chains of each author; fills `forked` with the digests that do not count.
void CheckChains(const std::vector<VerifiedEvent>& events, std::set<crypto::Digest>& forked,
                 std::vector<std::string>& warnings) {
  std::map<std::string, std::map<uint64_t, std::vector<EventRef>>> chains;
  for (const VerifiedEvent& event : events) {
    chains[event.header.author()][event.header.sequence()].push_back(&event);
  }
  for (const auto& [author, chain] : chains) {
    uint64_t expected = 1;
    EventRef previous = nullptr;
    for (const auto& [sequence, same_number] : chain) {
      if (sequence > expected) {
        warnings.push_back(absl::StrCat(author, ": withheld are events ", expected, " to ", sequence - 1));
        previous = nullptr;
      }
      if (same_number.size() > 1) {
        warnings.push_back(absl::StrCat(author, ": two events have number ", sequence, "; neither counts"));
        for (const EventRef event : same_number) forked.insert(event->digest);
      } else if (previous != nullptr && same_number[0]->header.previous_digest() != previous->digest) {
        warnings.push_back(
            absl::StrCat(author, ": event ", sequence, " does not follow event ", sequence - 1));
      }
      previous = same_number.size() == 1 ? same_number[0] : nullptr;
      expected = sequence + 1;
    }
  }
}

FoldedStatement StatementOf(const VerifiedEvent& event, const VerifiedPart& part) {
  FoldedStatement statement;
  statement.kind = part.kind;
  statement.content = part.content;
  statement.author = event.header.author();
  statement.type = event.header.type();
  statement.occurred_at = OccurredAt(event);
  statement.dated_at = event.dated_at;
  statement.erased = part.erased;
  statement.source = part.source;
  statement.event = event.digest;
  return statement;
}

bool ProposesIdentity(const VerifiedEvent& event) {
  return event.header.type() == v1::EVENT_TYPE_AMENDMENT_PROPOSED &&
         std::any_of(event.parts.begin(), event.parts.end(),
                     [](const VerifiedPart& part) { return part.kind == v1::PART_KIND_IDENTITY; });
}

bool IsFact(v1::PartKind kind) {
  return kind == v1::PART_KIND_IDENTITY || kind == v1::PART_KIND_STRUCTURE ||
         kind == v1::PART_KIND_MATERIALS || kind == v1::PART_KIND_REGULATION;
}

// The manufacturer of a battery and, in order, who took over from it.
class Makers {
 public:
  // `successors` must outlive the makers.
  explicit Makers(const std::vector<std::string>& successors) : successors_(successors) {}

  bool Include(const VerifiedEvent& event) const { return GenerationOf(event) <= successors_.size(); }
  // Order of the makers' facts: those of one by number, and a successor's after its predecessor's.
  std::pair<size_t, uint64_t> PlaceOf(const VerifiedEvent& event) const {
    return {GenerationOf(event), event.header.sequence()};
  }

 private:
  // 0 for the manufacturer; more than there are successors for everybody else.
  size_t GenerationOf(const VerifiedEvent& event) const {
    if (event.header.author() == event.header.subject().manufacturer()) return 0;
    const auto found = std::find(successors_.begin(), successors_.end(), event.header.author());
    return static_cast<size_t>(found - successors_.begin()) + 1;
  }

  const std::vector<std::string>& successors_;
};

// What the makers registered first, and which of their proposals the registrar approved.
struct Registration {
  std::pair<size_t, uint64_t> first = {SIZE_MAX, UINT64_MAX};  // place of the first REGISTERED event
  crypto::Digest digest;                                       // of that event; empty when it is not there
  std::set<std::pair<crypto::Digest, std::string>> approved;

  bool Approved(const VerifiedEvent& proposal) const {
    return approved.contains({proposal.digest, proposal.header.author()});
  }
};

Registration RegistrationOf(const std::vector<VerifiedEvent>& events, const Makers& makers) {
  Registration registration;
  for (const VerifiedEvent& event : events) {
    if (event.approved) registration.approved.insert({event.header.refers_to(), event.header.author()});
    if (event.header.type() == v1::EVENT_TYPE_REGISTERED && makers.Include(event)) {
      if (makers.PlaceOf(event) >= registration.first) continue;
      registration.first = makers.PlaceOf(event);
      registration.digest = event.digest;
    }
  }
  return registration;
}

// Standing of one fact when it is looked at alone.
void JudgeFact(Draft& draft, const Registration& registration, const Makers& makers) {
  const VerifiedEvent& event = *draft.event;
  if (!makers.Include(event)) {
    return Set(draft.statement, Standing::kNotTaken,
               "a statement of its author, who is neither the manufacturer nor its successor");
  }
  if (event.header.type() == v1::EVENT_TYPE_REGISTERED && makers.PlaceOf(event) != registration.first) {
    return Set(draft.statement, Standing::kNotTaken, "identity facts cannot be rewritten, only amended");
  }
  // The registrar was shown the event that the proposal names as the one before.
  if (event.header.type() == v1::EVENT_TYPE_AMENDMENT_PROPOSED && !registration.digest.empty() &&
      event.header.refers_to() != registration.digest) {
    return Set(draft.statement, Standing::kNotTaken, "a correction of another registration");
  }
  // An open part tells nothing of a withheld one beside it: what needs the approval is told by the kind
  // alone.
  if (event.header.type() == v1::EVENT_TYPE_AMENDMENT_PROPOSED &&
      draft.statement.kind == v1::PART_KIND_IDENTITY && !registration.Approved(event)) {
    return Set(draft.statement, Standing::kNotTaken,
               "a proposed correction that the registrar has not approved");
  }
  Set(draft.statement, Standing::kCurrent);
}

// Of the current statements that `value_of` gives the same non-empty name, only the last by `place` stays
// current.
template <typename ValueOf, typename PlaceOf>
void SupersedeOlder(std::vector<Draft>& drafts, absl::string_view note, const ValueOf& value_of,
                    const PlaceOf& place_of) {
  std::map<std::string, Draft*> newest;
  for (Draft& draft : drafts) {
    const std::string value = draft.statement.standing == Standing::kCurrent ? value_of(*draft.event) : "";
    if (value.empty()) continue;
    const auto [it, first] = newest.try_emplace(absl::StrCat(draft.statement.kind, " ", value), &draft);
    if (first) continue;
    const bool newer = place_of(*it->second->event) < place_of(*draft.event);
    Set((newer ? it->second : &draft)->statement, Standing::kHistory, note);
    if (newer) it->second = &draft;
  }
}

using Children = std::set<std::pair<std::string, std::string>>;

Children ChildrenOf(const FoldedStatement& statement) {
  v1::StructurePart part;
  Children children;
  if (!Decode(statement.content, "structure", part).ok()) return children;
  for (const common::v1::BatteryId& child : part.children())
    children.insert({child.manufacturer(), child.serial()});
  return children;
}

// An attachment ends with the manufacturer's later detachment of all of its modules.
void EndAttachments(std::vector<Draft>& drafts) {
  for (Draft& detached : drafts) {
    if (detached.statement.type != v1::EVENT_TYPE_MODULE_DETACHED ||
        detached.statement.standing != Standing::kCurrent) {
      continue;
    }
    const Children gone = ChildrenOf(detached.statement);
    for (Draft& attached : drafts) {
      if (attached.statement.type != v1::EVENT_TYPE_MODULE_ATTACHED ||
          attached.statement.standing != Standing::kCurrent ||
          Place(*detached.event) < Place(*attached.event)) {
        continue;
      }
      const Children put = ChildrenOf(attached.statement);
      if (std::includes(gone.begin(), gone.end(), put.begin(), put.end())) {
        Set(attached.statement, Standing::kHistory, "detached later");
      }
    }
    Set(detached.statement, Standing::kHistory, "a detachment");
  }
}

void FoldFacts(std::vector<Draft>& drafts, const Registration& registration, const Makers& makers) {
  for (Draft& draft : drafts) JudgeFact(draft, registration, makers);
  SupersedeOlder(
      drafts, "corrected by a later amendment",
      [](const VerifiedEvent& event) {
        const bool registered = event.header.type() == v1::EVENT_TYPE_REGISTERED ||
                                event.header.type() == v1::EVENT_TYPE_AMENDMENT_PROPOSED;
        return std::string(registered ? "registered" : "");
      },
      [&](const VerifiedEvent& event) { return makers.PlaceOf(event); });
  EndAttachments(drafts);
}

void FoldLists(std::vector<Draft>& drafts) {
  for (Draft& draft : drafts) Set(draft.statement, Standing::kCurrent);
  SupersedeOlder(
      drafts, "superseded by a newer statement of the same author",
      [](const VerifiedEvent& event) {
        const v1::EventType type = event.header.type();
        const bool one_value =
            type == v1::EVENT_TYPE_CONDITION_MEASURED || type == v1::EVENT_TYPE_FOOTPRINT_LINKED ||
            type == v1::EVENT_TYPE_DILIGENCE_LINKED || type == v1::EVENT_TYPE_STATUS_CHANGED;
        return one_value ? absl::StrCat(type, " ", event.header.author()) : std::string();
      },
      Place);
}

void WarnOfPending(const std::vector<VerifiedEvent>& events, const Registration& registration,
                   std::vector<std::string>& warnings) {
  for (const VerifiedEvent& event : events) {
    if (!ProposesIdentity(event) || registration.Approved(event)) continue;
    warnings.push_back(absl::StrCat(event.header.author(), ": the correction proposed in event ",
                                    event.header.sequence(), " is not approved by the registrar"));
  }
}

}  // namespace

Folded Fold(const std::vector<VerifiedEvent>& given, const std::vector<std::string>& successors) {
  const Makers makers(successors);
  const std::vector<VerifiedEvent> events = MergeSources(given);
  Folded folded;
  std::set<crypto::Digest> forked;
  CheckChains(events, forked, folded.warnings);
  std::vector<Draft> facts, vehicle, lists, not_counted;
  for (const VerifiedEvent& event : events) {
    for (const VerifiedPart& part : event.parts) {
      Draft draft{&event, StatementOf(event, part)};
      if (forked.contains(event.digest)) {
        Set(draft.statement, Standing::kNotTaken, "two events of its author have one number; neither counts");
        not_counted.push_back(std::move(draft));
        continue;
      }
      std::vector<Draft>& group = IsFact(part.kind)                    ? facts
                                  : part.kind == v1::PART_KIND_VEHICLE ? vehicle
                                                                       : lists;
      group.push_back(std::move(draft));
    }
  }
  const Registration registration = RegistrationOf(events, makers);
  FoldFacts(facts, registration, makers);
  FoldVehicle(vehicle, events);
  FoldLists(lists);
  WarnOfPending(events, registration, folded.warnings);
  for (std::vector<Draft>* group : {&facts, &vehicle, &lists, &not_counted}) {
    for (Draft& draft : *group) folded.statements.push_back(std::move(draft.statement));
  }
  std::stable_sort(folded.statements.begin(), folded.statements.end(),
                   [](const FoldedStatement& a, const FoldedStatement& b) {
                     return std::tie(a.kind, a.occurred_at) < std::tie(b.kind, b.occurred_at);
                   });
  return folded;
}

}  // namespace tsunagi::passport
