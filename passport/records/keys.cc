#include "passport/records/keys.h"

#include <utility>

#include "core/base/bytes.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/store/key.h"

namespace tsunagi::passport {

using store::Key;

RecordSecrets::RecordSecrets(absl::string_view node_key)
    : lookup(crypto::HmacSha256(node_key, {"tsunagi/vehicle-lookup/v1"})),
      tombstone(crypto::HmacSha256(node_key, {"tsunagi/tombstone/v1"})),
      request(crypto::HmacSha256(node_key, {"tsunagi/request/v1"})) {}

std::string EventsPrefix() { return Key("event"); }

std::string ErasuresKey() { return Key("erasures-known"); }

std::string EventPrefix(const BatteryId& battery) {
  return Key("event").Str(battery.manufacturer()).Str(battery.serial());
}

std::string EventKey(const BatteryId& battery, absl::string_view author, uint64_t sequence) {
  return Key("event").Str(battery.manufacturer()).Str(battery.serial()).Str(author).U64(sequence);
}

std::string BatchKey(absl::string_view digest) { return Key("batch").Str(digest); }

std::string UndatedPrefix() { return Key("undated"); }

std::string UndatedKey(uint64_t leaf_index) { return Key("undated").U64(leaf_index); }

std::string SerialPrefix(absl::string_view serial) { return Key("serial").Str(serial); }

std::string SerialKey(const BatteryId& battery) {
  return Key("serial").Str(battery.serial()).Str(battery.manufacturer());
}

std::string PendingPrefix() { return Key("pending"); }

std::string PendingKey(absl::string_view proposal_digest) { return Key("pending").Str(proposal_digest); }

std::string HeadKey(const BatteryId& battery) {
  return Key("head").Str(battery.manufacturer()).Str(battery.serial());
}

std::string VehicleHeadKey(const RecordSecrets& secrets, const VehicleIdentifier& vehicle) {
  return Key("vehicle-head").Str(crypto::HmacSha256(secrets.lookup, {vehicle.normal()}));
}

store::Write Touch(std::string head_key) { return store::Delete(store::Table::kState, std::move(head_key)); }

std::string TombstoneKey(const RecordSecrets& secrets, const v1::EventHeader& header, v1::PartKind kind,
                         absl::string_view pointed_at) {
  std::string fact;
  AppendU32(fact, static_cast<uint32_t>(header.type()));
  AppendU32(fact, static_cast<uint32_t>(kind));
  for (const std::string& text : {header.subject().manufacturer(), header.subject().serial(),
                                  Encode(header.occurred_at()), std::string(pointed_at)}) {
    AppendU32(fact, static_cast<uint32_t>(text.size()));
    fact += text;
  }
  return Key("tombstone").Str(crypto::HmacSha256(secrets.tombstone, {fact}));
}

std::string PartKey(const BatteryId& battery, absl::string_view author, uint64_t sequence, uint32_t slot) {
  return Key("part").Str(battery.manufacturer()).Str(battery.serial()).Str(author).U64(sequence).U64(slot);
}

std::string VehiclePrefix(const RecordSecrets& secrets, const VehicleIdentifier& vehicle) {
  return Key("vehicle").Str(crypto::HmacSha256(secrets.lookup, {vehicle.normal()}));
}

std::string VehicleKey(const RecordSecrets& secrets, const VehicleIdentifier& vehicle,
                       const BatteryId& battery, uint64_t sequence, uint32_t slot) {
  return Key("vehicle")
      .Str(crypto::HmacSha256(secrets.lookup, {vehicle.normal()}))
      .Str(battery.manufacturer())
      .Str(battery.serial())
      .U64(sequence)
      .U64(slot);
}

absl::StatusOr<VehicleEntry> ParseVehicleKey(absl::string_view key) {
  store::KeyReader reader(key);
  VehicleEntry entry;
  RETURN_IF_ERROR(reader.Str().status());
  RETURN_IF_ERROR(reader.Str().status());
  ASSIGN_OR_RETURN(*entry.battery.mutable_manufacturer(), reader.Str());
  ASSIGN_OR_RETURN(*entry.battery.mutable_serial(), reader.Str());
  ASSIGN_OR_RETURN(entry.sequence, reader.U64());
  ASSIGN_OR_RETURN(const uint64_t slot, reader.U64());
  entry.slot = static_cast<uint32_t>(slot);
  return entry;
}

absl::StatusOr<BatteryId> ParseSerialKey(absl::string_view key) {
  store::KeyReader reader(key);
  BatteryId battery;
  RETURN_IF_ERROR(reader.Str().status());
  ASSIGN_OR_RETURN(*battery.mutable_serial(), reader.Str());
  ASSIGN_OR_RETURN(*battery.mutable_manufacturer(), reader.Str());
  return battery;
}

}  // namespace tsunagi::passport
