// The stored events of one battery, read whole: for writing, erasing and the owner's view. The release path
// reads bytes instead (reader.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/store/store.h"
#include "passport/model/identifiers.h"
#include "passport/model/verify.h"
#include "passport/records/keys.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::passport {

// An event as this participant keeps it, its erasable parts read back.
struct KeptEvent {
  internal::v1::StoredEvent stored;
  v1::EventHeader header;
  std::vector<VerifiedPart> parts;  // erased ones are marked and empty
};

// Every event about the battery, each author's in order of sequence; empty when there is none. DATA_LOSS when
// a stored event cannot be read.
absl::StatusOr<std::vector<KeptEvent>> ReadHistory(const store::Store& store, const BatteryId& battery);

// The event whose part of this kind (identity, structure, materials or regulation) is in force: the last
// correction before number `before`, an identity part only once approved before it, or the registration. Null
// when there is none. `history` is one author's.
const KeptEvent* InForce(const std::vector<KeptEvent>& history, v1::PartKind kind,
                         uint64_t before = UINT64_MAX);

// The part of this kind; null when the event has none.
const VerifiedPart* FindPart(const KeptEvent& event, v1::PartKind kind);

// One event by its key (EventKey). NOT_FOUND when it is not there.
absl::StatusOr<KeptEvent> ReadEvent(const store::Store& store, const std::string& key);

// Every key of table PERSON that names the vehicle: which event and slot of which battery.
absl::StatusOr<std::vector<VehicleEntry>> FindVehicle(const store::Store& store, const RecordSecrets& secrets,
                                                      const VehicleIdentifier& vehicle);

// Batteries that are mounted on the vehicle now: their last mounting or dismounting is a mounting that names
// it.
absl::StatusOr<std::vector<BatteryId>> MountedOn(const store::Store& store, const RecordSecrets& secrets,
                                                 const VehicleIdentifier& vehicle);

}  // namespace tsunagi::passport
