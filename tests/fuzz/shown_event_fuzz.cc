// What a member shows the registrar of an event: whatever is taken opens its identity slot alone.
#include <cstdlib>

#include "identity/shown_event.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsunagi;  // NOLINT: a program of its own
  passport::v1::EventDisclosure disclosure;
  if (!disclosure.ParseFromArray(data, static_cast<int>(size))) return 0;
  const auto shown = identity::OpenShownEvent("event", disclosure);
  if (!shown.ok()) return 0;
  int open = 0;
  for (const auto& slot : disclosure.slots()) open += slot.has_open() ? 1 : 0;
  passport::v1::IdentityPart part;
  if (open != 1 || !part.ParseFromString(shown->identity)) std::abort();
  if (!identity::SameBattery(part.battery(), shown->header.subject())) std::abort();
  return 0;
}
