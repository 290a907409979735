// How a user names a battery or a vehicle on the command line.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::cli {

// Shown in every help text that takes an identifier.
inline constexpr char kIdentifierHelp[] =
    "battery `SERIAL@maker-label` or `did:web:…#SERIAL`; vehicle `vehicle:ZE1-012345`, a VIN or a 車台番号; "
    "`passport resolve` also takes the https link of a QR code";

// An identifier as it was written. Either `vehicle`, `link`, or both others are set.
struct Identifier {
  std::string vehicle;  // as typed, at most 64 bytes
  std::string serial;
  std::string maker;      // DID or label
  std::string link = {};  // of a QR code; the connector reads it
};

// Finds the DID of a participant by DID or label.
using FindParty = std::function<absl::StatusOr<std::string>(absl::string_view did_or_label)>;

// INVALID_ARGUMENT naming the expected forms; never holds a vehicle identifier.
absl::StatusOr<Identifier> ParseIdentifier(absl::string_view text);

// INVALID_ARGUMENT for a link, here and below: only the connector follows links.
absl::StatusOr<common::v1::BatteryId> ResolveBattery(const Identifier& identifier,
                                                     const FindParty& find_party);
absl::StatusOr<common::v1::Subject> ResolveSubject(const Identifier& identifier, const FindParty& find_party);

}  // namespace tsunagi::cli
