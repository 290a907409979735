// Batteries that the load is about: the same serials give the same facts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tsunagi/common/v1/types.pb.h"
#include "tsunagi/passport/v1/passport_service.pb.h"

namespace tsunagi::bench {

// A range of serials `<prefix><7 digits>` of one manufacturer.
struct Batteries {
  std::string manufacturer;  // DID
  std::string prefix;
  uint64_t count = 0;
};

common::v1::BatteryId BatteryAt(const Batteries& batteries, uint64_t index);

// Three facts of a battery: registered (identity), measured (condition), inspected (history).
std::vector<passport::v1::NewFact> FactsOf(const Batteries& batteries, uint64_t index);

}  // namespace tsunagi::bench
