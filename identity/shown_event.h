// What the registrar is shown of an event: its header and its identity part.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/crypto/digest.h"
#include "tsunagi/passport/v1/event.pb.h"

namespace tsunagi::identity {

struct ShownEvent {
  passport::v1::EventHeader header;
  crypto::Digest digest;  // of the whole event, computed from what is shown
  std::string identity;   // serialised IdentityPart about the header's subject
};

// Takes a registration or a proposed amendment of which the identity slot alone is open. INVALID_ARGUMENT,
// naming `field`, when it is anything else, shows another part, or has an identity part that is malformed,
// larger than 64 KiB or about another battery.
absl::StatusOr<ShownEvent> OpenShownEvent(absl::string_view field,
                                          const passport::v1::EventDisclosure& disclosure);

// Whether both name the same battery.
bool SameBattery(const common::v1::BatteryId& a, const common::v1::BatteryId& b);

}  // namespace tsunagi::identity
