#include "passport/records/history.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"

namespace tsunagi::passport {
namespace {

using store::Table;

absl::Status Unreadable(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the store holds a damaged ", what));
}

absl::Status ReadPart(const store::Store& store, const v1::EventHeader& header, uint32_t index,
                      const internal::v1::StoredSlot& slot, std::vector<VerifiedPart>& parts) {
  VerifiedPart part{slot.kind(), "", false, 0};
  std::string bytes = slot.disclosure();
  if (slot.erasable()) {
    absl::StatusOr<std::string> kept =
        store.Get(Table::kPerson, PartKey(header.subject(), header.author(), header.sequence(), index));
    if (absl::IsNotFound(kept.status())) {
      part.erased = true;
      parts.push_back(std::move(part));
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(bytes, std::move(kept));
  } else if (bytes.empty()) {
    return absl::OkStatus();
  }
  v1::SlotDisclosure disclosure;
  if (!Decode(bytes, "slot", disclosure).ok() || !disclosure.has_open()) return Unreadable("part");
  part.content = disclosure.open().content();
  parts.push_back(std::move(part));
  return absl::OkStatus();
}

absl::StatusOr<KeptEvent> ReadParts(const store::Store& store, absl::string_view bytes) {
  KeptEvent event;
  if (!Decode(bytes, "event", event.stored).ok()) return Unreadable("event");
  if (!Decode(event.stored.header(), "header", event.header).ok()) return Unreadable("event header");
  for (int i = 0; i < event.stored.slots_size(); ++i) {
    RETURN_IF_ERROR(
        ReadPart(store, event.header, static_cast<uint32_t>(i), event.stored.slots(i), event.parts));
  }
  return event;
}

bool IsApproved(const std::vector<KeptEvent>& history, const KeptEvent& proposal, uint64_t before) {
  return std::any_of(history.begin(), history.end(), [&](const KeptEvent& event) {
    return event.header.type() == v1::EVENT_TYPE_AMENDMENT_APPROVED && event.header.sequence() < before &&
           event.header.refers_to() == proposal.stored.digest();
  });
}

// Whether the last mounting or dismounting is a mounting and one of these numbers.
bool StillMounted(const std::vector<KeptEvent>& history, const std::vector<uint64_t>& sequences) {
  const KeptEvent* last = nullptr;
  std::tuple<int64_t, int32_t, uint64_t> last_place;
  for (const KeptEvent& event : history) {
    const v1::EventType type = event.header.type();
    if (type != v1::EVENT_TYPE_MOUNTED && type != v1::EVENT_TYPE_DISMOUNTED) continue;
    const google::protobuf::Timestamp& at = event.header.occurred_at();
    const std::tuple<int64_t, int32_t, uint64_t> place{at.seconds(), at.nanos(), event.header.sequence()};
    if (last == nullptr || last_place < place) {
      last = &event;
      last_place = place;
    }
  }
  if (last == nullptr || last->header.type() != v1::EVENT_TYPE_MOUNTED) return false;
  for (const uint64_t sequence : sequences) {
    if (sequence == last->header.sequence()) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::vector<KeptEvent>> ReadHistory(const store::Store& store, const BatteryId& battery) {
  std::vector<std::string> values;
  RETURN_IF_ERROR(
      store.Scan(Table::kState, EventPrefix(battery), "", [&](absl::string_view, absl::string_view value) {
        values.emplace_back(value);
        return true;
      }));
  std::vector<KeptEvent> history;
  for (const std::string& value : values) {
    ASSIGN_OR_RETURN(KeptEvent event, ReadParts(store, value));
    history.push_back(std::move(event));
  }
  return history;
}

const VerifiedPart* FindPart(const KeptEvent& event, v1::PartKind kind) {
  const auto found = std::find_if(event.parts.begin(), event.parts.end(),
                                  [&](const VerifiedPart& part) { return part.kind == kind; });
  return found == event.parts.end() ? nullptr : &*found;
}

const KeptEvent* InForce(const std::vector<KeptEvent>& history, v1::PartKind kind, uint64_t before) {
  const KeptEvent* in_force = nullptr;
  for (const KeptEvent& event : history) {
    if (event.header.sequence() >= before || FindPart(event, kind) == nullptr) continue;
    const bool corrected = event.header.type() == v1::EVENT_TYPE_AMENDMENT_PROPOSED &&
                           (kind != v1::PART_KIND_IDENTITY || IsApproved(history, event, before));
    if (event.header.type() == v1::EVENT_TYPE_REGISTERED || corrected) in_force = &event;
  }
  return in_force;
}

absl::StatusOr<KeptEvent> ReadEvent(const store::Store& store, const std::string& key) {
  ASSIGN_OR_RETURN(const std::string value, store.Get(Table::kState, key));
  return ReadParts(store, value);
}

absl::StatusOr<std::vector<VehicleEntry>> FindVehicle(const store::Store& store, const RecordSecrets& secrets,
                                                      const VehicleIdentifier& vehicle) {
  std::vector<VehicleEntry> entries;
  absl::Status damaged;
  RETURN_IF_ERROR(store.Scan(Table::kPerson, VehiclePrefix(secrets, vehicle), "",
                             [&](absl::string_view key, absl::string_view) {
                               absl::StatusOr<VehicleEntry> entry = ParseVehicleKey(key);
                               if (entry.ok()) entries.push_back(*std::move(entry));
                               damaged.Update(entry.status());
                               return damaged.ok();
                             }));
  RETURN_IF_ERROR(damaged);
  return entries;
}

absl::StatusOr<std::vector<BatteryId>> MountedOn(const store::Store& store, const RecordSecrets& secrets,
                                                 const VehicleIdentifier& vehicle) {
  ASSIGN_OR_RETURN(const std::vector<VehicleEntry> entries, FindVehicle(store, secrets, vehicle));
  std::map<std::string, std::pair<BatteryId, std::vector<uint64_t>>> by_battery;
  for (const VehicleEntry& entry : entries) {
    auto& [battery, sequences] = by_battery[EventPrefix(entry.battery)];
    battery = entry.battery;
    sequences.push_back(entry.sequence);
  }
  std::vector<BatteryId> mounted;
  for (const auto& [prefix, found] : by_battery) {
    ASSIGN_OR_RETURN(const std::vector<KeptEvent> history, ReadHistory(store, found.first));
    if (StillMounted(history, found.second)) mounted.push_back(found.first);
  }
  return mounted;
}

}  // namespace tsunagi::passport
