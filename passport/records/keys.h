// Where a participant's records lie in the store. docs/formats/event.md; frozen.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/store/store.h"
#include "passport/model/identifiers.h"
#include "tsunagi/common/v1/types.pb.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::passport {

using common::v1::BatteryId;

// Keys of keyed hashes, each derived from the node key for one purpose. Never leave the node.
struct RecordSecrets {
  explicit RecordSecrets(absl::string_view node_key);

  std::string lookup;     // vehicle look-up keys
  std::string tombstone;  // facts that must not come back
  std::string request;    // digests of remembered requests, which may name vehicles
};

// Table STATE

// Every event of a battery, ordered by author and sequence: one scan reads them all.
std::string EventPrefix(const BatteryId& battery);
// Every event of every battery.
std::string EventsPrefix();
std::string EventKey(const BatteryId& battery, absl::string_view author, uint64_t sequence);
// StoredBatch by the digest of its envelope.
std::string BatchKey(absl::string_view digest);
// Batches whose log proof is still to be stored, by leaf: value is the batch's digest.
std::string UndatedPrefix();
std::string UndatedKey(uint64_t leaf_index);
// Batteries with this serial, of any manufacturer.
std::string SerialPrefix(absl::string_view serial);
std::string SerialKey(const BatteryId& battery);
// Proposals that wait for the registrar: value is the key of the event.
std::string PendingPrefix();
std::string PendingKey(absl::string_view proposal_digest);
// Changes whenever an event of the battery is written or a part of one is erased: what was read about the
// battery is then stale. Nothing is stored under a head key (Touch).
std::string HeadKey(const BatteryId& battery);
// Changes whenever an event that names the vehicle is written or erased.
std::string VehicleHeadKey(const RecordSecrets& secrets, const VehicleIdentifier& vehicle);
// Marks a head key as changed in a commit: deletes it, which the journal notes as a write like any other, and
// which leaves nothing at rest that says which vehicles there were.
store::Write Touch(std::string head_key);
// Tombstone of an erased fact: a keyed hash of the fact and of what it pointed at.
std::string TombstoneKey(const RecordSecrets& secrets, const v1::EventHeader& header, v1::PartKind kind,
                         absl::string_view pointed_at);
// How many entries of the list of erasures this store has applied, in decimal.
std::string ErasuresKey();

// Table PERSON

// Serialised SlotDisclosure of a vehicle or person part.
std::string PartKey(const BatteryId& battery, absl::string_view author, uint64_t sequence, uint32_t slot);
// Look-up of a vehicle: a keyed hash of its normal form, then what names it.
std::string VehiclePrefix(const RecordSecrets& secrets, const VehicleIdentifier& vehicle);
std::string VehicleKey(const RecordSecrets& secrets, const VehicleIdentifier& vehicle,
                       const BatteryId& battery, uint64_t sequence, uint32_t slot);

// What a key of VehicleKey names.
struct VehicleEntry {
  BatteryId battery;
  uint64_t sequence = 0;
  uint32_t slot = 0;
};
absl::StatusOr<VehicleEntry> ParseVehicleKey(absl::string_view key);

// The battery that a key of SerialKey names.
absl::StatusOr<BatteryId> ParseSerialKey(absl::string_view key);

}  // namespace tsunagi::passport
