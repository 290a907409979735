#include "bench/facts.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "google/protobuf/message.h"

namespace tsunagi::bench {
namespace {

using passport::v1::NewFact;

// 2026-04-01T00:00:00Z; the facts of one battery follow each other by a day.
constexpr int64_t kFirstSecond = 1'775'001'600;
constexpr int64_t kDaySeconds = 86'400;

common::v1::Decimal Decimal(int64_t unscaled, int exponent) {
  common::v1::Decimal value;
  value.set_unscaled(unscaled);
  value.set_exponent(exponent);
  return value;
}

NewFact Fact(passport::v1::EventType type, const common::v1::BatteryId& battery, int64_t day,
             passport::v1::PartKind kind, const google::protobuf::Message& part) {
  NewFact fact;
  fact.set_type(type);
  *fact.mutable_subject() = battery;
  fact.mutable_occurred_at()->set_seconds(kFirstSecond + day * kDaySeconds);
  fact.add_parts()->set_kind(kind);
  fact.mutable_parts(0)->set_content(part.SerializeAsString());
  return fact;
}

NewFact Registered(const common::v1::BatteryId& battery) {
  passport::v1::IdentityPart part;
  *part.mutable_battery() = battery;
  part.set_model("BENCH-50");
  part.mutable_manufactured()->set_year(2026);
  part.mutable_manufactured()->set_month(3);
  part.set_manufacturer_name("bench");
  part.set_chemistry("NMC622");
  *part.mutable_rated_capacity_ah() = Decimal(5'000, -2);
  *part.mutable_nominal_voltage_v() = Decimal(3'504, -1);
  *part.mutable_mass_kg() = Decimal(303, 0);
  part.set_source("synthetic, for the benchmark");
  return Fact(passport::v1::EVENT_TYPE_REGISTERED, battery, 0, passport::v1::PART_KIND_IDENTITY, part);
}

NewFact Measured(const common::v1::BatteryId& battery, uint64_t index) {
  const int64_t tenths = 1'000 - static_cast<int64_t>(index % 300);
  passport::v1::ConditionPart part;
  part.mutable_latest()->mutable_measured_at()->set_seconds(kFirstSecond + kDaySeconds);
  *part.mutable_latest()->mutable_capacity_ah() = Decimal(tenths * 5, -2);
  *part.mutable_latest()->mutable_soh_percent() = Decimal(tenths, -1);
  part.mutable_latest()->set_full_cycles(index % 1'000);
  *part.mutable_rated_capacity_ah() = Decimal(5'000, -2);
  part.set_method("full discharge 1C at 25 °C");
  part.set_source("synthetic, for the benchmark");
  return Fact(passport::v1::EVENT_TYPE_CONDITION_MEASURED, battery, 1, passport::v1::PART_KIND_CONDITION,
              part);
}

NewFact Inspected(const common::v1::BatteryId& battery) {
  passport::v1::HistoryPart part;
  part.set_kind("inspection");
  part.mutable_day()->set_year(2026);
  part.mutable_day()->set_month(4);
  part.mutable_day()->set_day(3);
  part.set_description("connectors and seals checked, no finding");
  return Fact(passport::v1::EVENT_TYPE_REPAIRED, battery, 2, passport::v1::PART_KIND_HISTORY, part);
}

}  // namespace

common::v1::BatteryId BatteryAt(const Batteries& batteries, uint64_t index) {
  common::v1::BatteryId battery;
  battery.set_manufacturer(batteries.manufacturer);
  battery.set_serial(absl::StrFormat("%s%07u", batteries.prefix, index));
  battery.set_level(common::v1::BATTERY_LEVEL_PACK);
  return battery;
}

std::vector<NewFact> FactsOf(const Batteries& batteries, uint64_t index) {
  const common::v1::BatteryId battery = BatteryAt(batteries, index);
  return {Registered(battery), Measured(battery, index), Inspected(battery)};
}

}  // namespace tsunagi::bench
