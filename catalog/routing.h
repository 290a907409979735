// Which participants to ask first about a battery or a vehicle: routing by namespaces, not a central index.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "identity/trust.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::catalog {

// DIDs of the holders of the subject's namespace, in order, each once; suspended ones too. Empty when nobody
// holds it (職権打刻, makers that are no members): then only a participant that the user names can be asked.
//   車台番号  holders of the whole type code before the hyphen of the normal form
//   VIN       holders of the WMI, with positions 12 to 14 when its third character is 9
//   battery   its manufacturer when that is listed, else the holders of the longest prefix of the serial
// In place of a holder that has left stands its successor, or without one its custodian; itself when it has
// neither. INVALID_ARGUMENT when the subject is malformed; never holds a vehicle identifier.
absl::StatusOr<std::vector<std::string>> Route(const identity::TrustView& view,
                                               const common::v1::Subject& subject);

// The batteries that a QR link may mean: its serial at each holder of its domain, in order of DID. A holder
// that has left stays in it: a battery is named by who made it. INVALID_ARGUMENT when it is no such link (see
// ParseLink), FAILED_PRECONDITION when nobody holds the domain.
absl::StatusOr<std::vector<common::v1::BatteryId>> RouteLink(const identity::TrustView& view,
                                                             absl::string_view link);

}  // namespace tsunagi::catalog
