// The scanner that decides whether an answer of the passport may leave the node: it never sees less than
// protobuf does.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "connector/transfer/open_parts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi;  // NOLINT: a program of its own
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<policy::PartMask> mask = connector::OpenParts(bytes);
  passport::v1::EventSet set;
  if (!mask.ok() || !set.ParseFromArray(data, static_cast<int>(size))) return 0;
  for (const passport::v1::EventDisclosure& event : set.events()) {
    passport::v1::EventHeader header;
    if (!header.ParseFromString(event.header())) continue;
    for (int slot = 0; slot < std::min(event.slots_size(), header.slots_size()); ++slot) {
      const int kind = header.slots(slot);
      if (event.slots(slot).has_open() && kind > 0 && kind < 32 && ((*mask >> kind) & 1u) == 0) std::abort();
    }
  }
  return 0;
}
