// Identifiers of vehicles and batteries, as types that cannot be invalid.
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::passport {

// A VIN: 17 characters of A–Z and 0–9 without I, O and Q (ISO 3779).
class Vin {
 public:
  // Takes exactly the 17 characters, in upper case. INVALID_ARGUMENT otherwise, without the value.
  static absl::StatusOr<Vin> Parse(absl::string_view text);

  const std::string& text() const { return text_; }
  // World manufacturer identifier: characters 1–3, or 1–3 and 12–14 when the third is 9 (ISO 3780: small
  // makers).
  std::string wmi() const;
  // Check digit at position 9 by 49 CFR 565. ISO does not demand it: a difference is a warning, never an
  // error.
  char ComputedCheckDigit() const;
  bool check_digit_fits() const { return text_[8] == ComputedCheckDigit(); }

 private:
  explicit Vin(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// A vehicle by 車台番号 or VIN. Two spellings of one car have one normal form: half- and full-width forms,
// lower case, any hyphen, blanks, a type-designation prefix (`ZAA-ZE1-000123` is `ZE1-000123`), and a VIN
// wherever it was written. It can point at a person: never put it into a key, log, leaf, metric or error.
class VehicleIdentifier {
 public:
  // At most 64 bytes of UTF-8. Numbers stamped by an authority (職権打刻, `国[01]0002国`) are accepted as
  // text; a number plate (車両番号) is refused. INVALID_ARGUMENT never holds the value.
  static absl::StatusOr<VehicleIdentifier> Parse(absl::string_view text);

  // The form that all spellings of this car share.
  const std::string& normal() const { return normal_; }
  // Whether it has the form of a VIN.
  bool is_vin() const { return is_vin_; }
  // What stands before the hyphen of a 車台番号; empty for a VIN and for numbers without a hyphen.
  std::string type_code() const;
  // As Vin::wmi(); empty unless it is a VIN.
  std::string wmi() const;
  // False only for a VIN whose check digit differs: worth a warning.
  bool check_digit_fits() const;

  friend bool operator==(const VehicleIdentifier& a, const VehicleIdentifier& b) {
    return a.normal_ == b.normal_;
  }

 private:
  VehicleIdentifier(std::string normal, bool is_vin) : normal_(std::move(normal)), is_vin_(is_vin) {}
  std::string normal_;
  bool is_vin_;
};

// A serial number (電池製造番号): 1 to 64 characters of [A-Za-z0-9._/-].
class BatterySerial {
 public:
  // `field` names the value in the error.
  static absl::StatusOr<BatterySerial> Parse(absl::string_view text, absl::string_view field = "serial");
  const std::string& text() const { return text_; }

 private:
  explicit BatterySerial(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// OK when manufacturer is a DID and serial a BatterySerial; the level is not looked at. `field` prefixes the
// names.
absl::Status CheckBatteryId(const common::v1::BatteryId& id, absl::string_view field);

// `pack`, `module`, `cell`, `lot`; empty for others.
absl::string_view LevelName(common::v1::BatteryLevel level);
// INVALID_ARGUMENT naming the four words.
absl::StatusOr<common::v1::BatteryLevel> ParseLevel(absl::string_view word);

}  // namespace tsunagi::passport
