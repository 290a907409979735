// A vehicle identifier: no crash, and the normal form is its own normal form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "passport/model/identifiers.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto vehicle = tsunagi::passport::VehicleIdentifier::Parse(text);
  if (!vehicle.ok()) return 0;
  const auto again = tsunagi::passport::VehicleIdentifier::Parse(vehicle->normal());
  if (!again.ok() || again->normal() != vehicle->normal() || again->is_vin() != vehicle->is_vin())
    std::abort();
  vehicle->type_code();
  vehicle->wmi();
  vehicle->check_digit_fits();
  return 0;
}
