#include "connector/transfer/open_parts.h"

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "core/base/status_macros.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::connector {
namespace {

using passport::v1::EventDisclosure;
using passport::v1::EventHeader;
using passport::v1::EventSet;
using passport::v1::SlotDisclosure;

absl::Status Damaged() { return absl::DataLossError("the passport's answer is not an event set"); }

using Kinds = absl::InlinedVector<uint64_t, 8>;

// Reads the fields of a serialised message one by one (protobuf encoding; groups are refused).
class FieldReader {
 public:
  explicit FieldReader(absl::string_view bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }
  uint32_t number() const { return number_; }
  // Of a varint field.
  uint64_t value() const { return value_; }
  // Of a length-delimited field.
  absl::string_view bytes() const { return bytes_; }
  bool is_bytes() const { return wire_type_ == 2; }

  bool Next() {
    bytes_ = {};
    uint64_t tag = 0;
    if (!Varint(tag) || tag >> 3 == 0 || tag >> 32 != 0) return false;
    number_ = static_cast<uint32_t>(tag >> 3);
    wire_type_ = static_cast<uint32_t>(tag & 7);
    switch (wire_type_) {
      case 0:
        return Varint(value_);
      case 1:
        return Take(8);
      case 2: {
        uint64_t size = 0;
        return Varint(size) && Take(size);
      }
      case 5:
        return Take(4);
      default:
        return false;
    }
  }

  bool Varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

 private:
  bool Take(uint64_t size) {
    if (size > rest_.size()) return false;
    bytes_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  absl::string_view rest_;
  absl::string_view bytes_;
  uint64_t value_ = 0;
  uint32_t number_ = 0;
  uint32_t wire_type_ = 0;
};

// Appends the kinds that the header gives its slots: packed, or one by one.
absl::Status AppendKinds(absl::string_view header, Kinds& kinds) {
  FieldReader fields(header);
  while (!fields.done()) {
    if (!fields.Next()) return Damaged();
    if (fields.number() != EventHeader::kSlotsFieldNumber) continue;
    if (!fields.is_bytes()) {
      kinds.push_back(fields.value());
      continue;
    }
    FieldReader packed(fields.bytes());
    uint64_t kind = 0;
    while (!packed.done()) {
      if (!packed.Varint(kind)) return Damaged();
      kinds.push_back(kind);
    }
  }
  return absl::OkStatus();
}

// An open part counts even when a digest follows it in the oneof: it would be sent along.
absl::StatusOr<bool> IsOpen(absl::string_view slot) {
  bool open = false;
  FieldReader fields(slot);
  while (!fields.done()) {
    if (!fields.Next()) return Damaged();
    if (fields.number() == SlotDisclosure::kOpenFieldNumber) open = true;
  }
  return open;
}

absl::Status AddOpen(absl::string_view event, policy::PartMask& mask) {
  Kinds kinds;
  bool has_header = false;
  absl::InlinedVector<bool, 8> open;
  FieldReader fields(event);
  while (!fields.done()) {
    if (!fields.Next()) return Damaged();
    if (fields.number() == EventDisclosure::kHeaderFieldNumber) {
      // Of two headers protobuf takes the last, and its kinds would be those of other slots.
      if (has_header) return Damaged();
      has_header = true;
      RETURN_IF_ERROR(AppendKinds(fields.bytes(), kinds));
    }
    if (fields.number() != EventDisclosure::kSlotsFieldNumber) continue;
    ASSIGN_OR_RETURN(const bool is_open, IsOpen(fields.bytes()));
    open.push_back(is_open);
  }
  if (open.size() > kinds.size()) return Damaged();
  for (size_t slot = 0; slot < open.size(); ++slot) {
    if (!open[slot]) continue;
    if (kinds[slot] == 0 || kinds[slot] >= 32) return Damaged();
    mask |= 1u << kinds[slot];
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<policy::PartMask> OpenParts(absl::string_view event_set) {
  policy::PartMask mask = 0;
  FieldReader fields(event_set);
  while (!fields.done()) {
    if (!fields.Next()) return Damaged();
    if (fields.number() == EventSet::kEventsFieldNumber) RETURN_IF_ERROR(AddOpen(fields.bytes(), mask));
  }
  return mask;
}

}  // namespace tsunagi::connector
