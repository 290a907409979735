#include "cli/identifier.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "passport/model/identifiers.h"

namespace tsunagi::cli {
namespace {

constexpr absl::string_view kVehiclePrefix = "vehicle:";
constexpr absl::string_view kLinkPrefix = "https://";

absl::Status NotAnIdentifier(absl::string_view value) {
  return InvalidArgument(
      {.reason = "IDENTIFIER_UNKNOWN",
       .field = "identifier",
       .value = value,
       .expected =
           "`SERIAL@maker-label`, `did:web:…#SERIAL`, `vehicle:` and a VIN or 車台番号, or an https link"});
}

absl::StatusOr<Identifier> Battery(absl::string_view serial, absl::string_view maker) {
  ASSIGN_OR_RETURN(const passport::BatterySerial parsed, passport::BatterySerial::Parse(serial));
  if (absl::StartsWith(maker, "did:")) {
    RETURN_IF_ERROR(Did::Parse(maker).status());
  } else {
    RETURN_IF_ERROR(Label::Parse(maker).status());
  }
  return Identifier{.vehicle = "", .serial = parsed.text(), .maker = std::string(maker)};
}

absl::StatusOr<Identifier> Vehicle(absl::string_view text) {
  RETURN_IF_ERROR(passport::VehicleIdentifier::Parse(text).status());
  return Identifier{.vehicle = std::string(text), .serial = "", .maker = ""};
}

// True for what cannot be mistaken for a serial number whose maker was forgotten: a VIN, or a type code, a
// hyphen and digits.
bool LooksLikeVehicle(absl::string_view text) {
  const auto vehicle = passport::VehicleIdentifier::Parse(text);
  if (!vehicle.ok()) return false;
  if (vehicle->is_vin()) return true;
  const size_t hyphen = vehicle->normal().find('-');
  if (hyphen == 0 || hyphen == std::string::npos || hyphen + 1 == vehicle->normal().size()) return false;
  const std::string number = vehicle->normal().substr(hyphen + 1);
  return std::all_of(number.begin(), number.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
}

}  // namespace

absl::StatusOr<Identifier> ParseIdentifier(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, kVehiclePrefix)) return Vehicle(rest);
  if (absl::StartsWith(text, kLinkPrefix)) {
    return Identifier{.vehicle = "", .serial = "", .maker = "", .link = std::string(text)};
  }
  if (absl::StartsWith(text, "did:")) {
    const size_t hash = text.find('#');
    if (hash == absl::string_view::npos) return NotAnIdentifier(text);
    return Battery(text.substr(hash + 1), text.substr(0, hash));
  }
  const size_t at = text.rfind('@');
  if (at != absl::string_view::npos) return Battery(text.substr(0, at), text.substr(at + 1));
  if (LooksLikeVehicle(text)) return Vehicle(text);
  return NotAnIdentifier("");
}

absl::StatusOr<common::v1::BatteryId> ResolveBattery(const Identifier& identifier,
                                                     const FindParty& find_party) {
  if (identifier.serial.empty()) {
    return InvalidArgument({.reason = "BATTERY_EXPECTED",
                            .field = "identifier",
                            .value = "",
                            .expected = "a battery, `SERIAL@maker-label`, and no vehicle or link"});
  }
  common::v1::BatteryId battery;
  ASSIGN_OR_RETURN(*battery.mutable_manufacturer(), find_party(identifier.maker));
  battery.set_serial(identifier.serial);
  return battery;
}

absl::StatusOr<common::v1::Subject> ResolveSubject(const Identifier& identifier,
                                                   const FindParty& find_party) {
  common::v1::Subject subject;
  if (!identifier.vehicle.empty()) {
    subject.set_vehicle(identifier.vehicle);
    return subject;
  }
  ASSIGN_OR_RETURN(*subject.mutable_battery(), ResolveBattery(identifier, find_party));
  return subject;
}

}  // namespace tsunagi::cli
