// What a QR link on a battery says.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::catalog {

struct BatteryLink {
  std::string domain;  // in lower case
  std::string serial;
};

// `https://<domain>/…`: the serial is what follows the segment `21` (GS1 Digital Link), or else the last
// segment of the path, with %XX decoded; port, query and fragment are passed over. INVALID_ARGUMENT when it
// is longer than 2,048 bytes, of another form, or what should be the serial is none.
absl::StatusOr<BatteryLink> ParseLink(absl::string_view text);

}  // namespace tsunagi::catalog
