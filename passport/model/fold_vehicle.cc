#include "passport/model/fold_vehicle.h"

#include <algorithm>
#include <string>
#include <utility>

namespace tsunagi::passport {
namespace {

// When an event counts among events of several authors. Anyone can write any time into an event; the
// registrar's cosignature bounds it.
using DatedPlace = std::pair<absl::Time, absl::Time>;

DatedPlace PlaceAmongAuthors(const VerifiedEvent& event) {
  return {event.dated_at.value_or(absl::InfiniteFuture()), OccurredAt(event)};
}

// To whom custody was handed, by whom and when.
struct Handover {
  std::string from;
  std::string to;
  DatedPlace place;
};

std::vector<Handover> HandoversOf(const std::vector<VerifiedEvent>& events) {
  std::vector<Handover> handovers;
  for (const VerifiedEvent& event : events) {
    if (event.header.type() != v1::EVENT_TYPE_CUSTODY_TRANSFERRED) continue;
    for (const VerifiedPart& part : event.parts) {
      v1::HistoryPart history;
      if (part.kind != v1::PART_KIND_HISTORY || !Decode(part.content, "history", history).ok()) continue;
      handovers.push_back({event.header.author(), history.custodian(), PlaceAmongAuthors(event)});
    }
  }
  std::stable_sort(handovers.begin(), handovers.end(),
                   [](const Handover& a, const Handover& b) { return a.place < b.place; });
  return handovers;
}

// A statement of the holder, and which holder's it is: 0 for the first.
struct Taken {
  int holder;
  Draft* draft;
};

// Walks statements and handovers in order; those of others are not taken.
std::vector<Taken> TakeFromHolders(const std::vector<Draft*>& in_order,
                                   const std::vector<Handover>& handovers) {
  std::vector<Taken> taken;
  std::string holder;
  int number = 0;
  auto next = handovers.begin();
  for (Draft* draft : in_order) {
    for (; next != handovers.end() && next->place <= PlaceAmongAuthors(*draft->event); ++next) {
      if (next->from != holder) continue;
      holder = next->to;
      ++number;
    }
    if (holder.empty()) holder = draft->statement.author;
    if (draft->statement.author == holder) {
      taken.push_back({number, draft});
    } else {
      Set(draft->statement, Standing::kNotTaken,
          "a statement of its author, who neither mounted it nor has custody");
    }
  }
  return taken;
}

}  // namespace

void FoldVehicle(std::vector<Draft>& drafts, const std::vector<VerifiedEvent>& events) {
  std::vector<Draft*> in_order;
  for (Draft& draft : drafts) in_order.push_back(&draft);
  std::stable_sort(in_order.begin(), in_order.end(), [](const Draft* a, const Draft* b) {
    return PlaceAmongAuthors(*a->event) < PlaceAmongAuthors(*b->event);
  });
  std::vector<Taken> taken = TakeFromHolders(in_order, HandoversOf(events));
  std::stable_sort(taken.begin(), taken.end(), [](const Taken& a, const Taken& b) {
    return std::pair(a.holder, Place(*a.draft->event)) < std::pair(b.holder, Place(*b.draft->event));
  });
  for (const Taken& one : taken) {
    const bool mount = one.draft->statement.type == v1::EVENT_TYPE_MOUNTED;
    Set(one.draft->statement, Standing::kHistory,
        mount ? "dismounted or mounted elsewhere later" : "a dismounting");
    if (mount && one.draft == taken.back().draft) Set(one.draft->statement, Standing::kCurrent);
  }
}

}  // namespace tsunagi::passport
