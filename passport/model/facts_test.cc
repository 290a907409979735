#include "passport/model/facts.h"

#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "passport/model/parts.h"
#include "passport/model/values.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::passport {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;
using testing::StatusIs;

const absl::Time kNow = absl::FromUnixSeconds(1795219200);  // 2026-11-21 00:00 UTC

common::v1::BatteryId Module() {
  common::v1::BatteryId battery;
  battery.set_manufacturer("did:web:battery.example:participants:cell-maker");
  battery.set_serial("M-1");
  battery.set_level(common::v1::BATTERY_LEVEL_MODULE);
  return battery;
}

v1::NewFact Fact(v1::EventType type, v1::PartKind kind, const google::protobuf::Message& part) {
  v1::NewFact fact;
  fact.set_type(type);
  *fact.mutable_subject() = Module();
  *fact.mutable_occurred_at() = ToProto(kNow);
  v1::NewPart& added = *fact.add_parts();
  added.set_kind(kind);
  added.set_content(Encode(part));
  return fact;
}

Decimal D(absl::string_view text) { return ParseDecimal(text, "test").value(); }

v1::IdentityPart Identity() {
  v1::IdentityPart part;
  *part.mutable_battery() = Module();
  part.mutable_manufactured()->set_year(2024);
  part.mutable_manufactured()->set_month(5);
  return part;
}

v1::ConditionPoint Point(absl::Time at, absl::string_view soh) {
  v1::ConditionPoint point;
  *point.mutable_measured_at() = ToProto(at);
  *point.mutable_soh_percent() = D(soh);
  return point;
}

absl::Status Check(const v1::NewFact& fact) {
  std::vector<std::string> warnings;
  return CheckFact(fact, kNow, warnings);
}

TEST(CheckFactTest, TakesAWellFormedRegistration) {
  EXPECT_THAT(Check(Fact(v1::EVENT_TYPE_REGISTERED, v1::PART_KIND_IDENTITY, Identity())), IsOk());
}

TEST(CheckFactTest, RefusesAmendmentsAndUnknownTypes) {
  for (const v1::EventType type : {v1::EVENT_TYPE_UNSPECIFIED, v1::EVENT_TYPE_AMENDMENT_PROPOSED,
                                   v1::EVENT_TYPE_AMENDMENT_APPROVED, static_cast<v1::EventType>(77)}) {
    EXPECT_THAT(Check(Fact(type, v1::PART_KIND_IDENTITY, Identity())),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("type")));
  }
}

TEST(CheckFactTest, NeedsTheFirstSlotOfTheType) {
  v1::MaterialsPart materials;
  *materials.mutable_lithium_kg() = D("1");

  EXPECT_THAT(Check(Fact(v1::EVENT_TYPE_REGISTERED, v1::PART_KIND_MATERIALS, materials)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("identity")));
}

TEST(CheckFactTest, RefusesKindsThatTheTypeHasNoSlotFor) {
  EXPECT_THAT(Check(Fact(v1::EVENT_TYPE_MOUNTED, v1::PART_KIND_IDENTITY, Identity())),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("slot")));
}

TEST(CheckFactTest, RefusesAKindTwice) {
  v1::NewFact fact = Fact(v1::EVENT_TYPE_REGISTERED, v1::PART_KIND_IDENTITY, Identity());
  *fact.add_parts() = fact.parts(0);

  EXPECT_THAT(Check(fact), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most once")));
}

TEST(CheckFactTest, NeedsALevelToRegister) {
  v1::NewFact fact = Fact(v1::EVENT_TYPE_REGISTERED, v1::PART_KIND_IDENTITY, Identity());
  fact.mutable_subject()->clear_level();

  EXPECT_THAT(Check(fact), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("level")));
}

TEST(CheckFactTest, RefusesTimesBeyondADayAheadOrMissing) {
  v1::NewFact fact = Fact(v1::EVENT_TYPE_REGISTERED, v1::PART_KIND_IDENTITY, Identity());
  *fact.mutable_occurred_at() = ToProto(kNow + absl::Hours(24));
  EXPECT_THAT(Check(fact), IsOk());
  *fact.mutable_occurred_at() = ToProto(kNow + absl::Hours(24) + absl::Seconds(1));
  EXPECT_THAT(Check(fact), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("occurred_at")));
  *fact.mutable_occurred_at() = ToProto(absl::FromUnixSeconds(0));
  EXPECT_THAT(Check(fact), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1990")));
  fact.clear_occurred_at();
  EXPECT_THAT(Check(fact), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("occurred_at")));
}

TEST(CheckFactTest, RefusesPartsWithUnknownFields) {
  v1::NewFact fact = Fact(v1::EVENT_TYPE_REGISTERED, v1::PART_KIND_IDENTITY, Identity());
  fact.mutable_parts(0)->mutable_content()->append("\xfa\x07\x01x");

  EXPECT_THAT(Check(fact), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("IdentityPart")));
}

TEST(CheckFactTest, RefusesPartsOfMoreThanAMebibyte) {
  EXPECT_THAT(DecodePart(v1::PART_KIND_IDENTITY, std::string(kMaxPartBytes + 1, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 MiB")));
}

struct BadPart {
  const char* name;
  const char* field;
  std::function<v1::NewFact()> fact;
};

v1::NewFact IdentityWith(const std::function<void(v1::IdentityPart&)>& change) {
  v1::IdentityPart part = Identity();
  change(part);
  return Fact(v1::EVENT_TYPE_REGISTERED, v1::PART_KIND_IDENTITY, part);
}

v1::NewFact MaterialsWith(const std::function<void(v1::MaterialsPart&)>& change) {
  v1::MaterialsPart part;
  change(part);
  v1::NewFact fact = Fact(v1::EVENT_TYPE_REGISTERED, v1::PART_KIND_IDENTITY, Identity());
  v1::NewPart& added = *fact.add_parts();
  added.set_kind(v1::PART_KIND_MATERIALS);
  added.set_content(Encode(part));
  return fact;
}

v1::NewFact ConditionWith(const std::function<void(v1::ConditionPart&)>& change) {
  v1::ConditionPart part;
  *part.mutable_latest() = Point(kNow, "92.5");
  change(part);
  return Fact(v1::EVENT_TYPE_CONDITION_MEASURED, v1::PART_KIND_CONDITION, part);
}

v1::NewFact SeriesOf(const std::vector<v1::ConditionPoint>& points) {
  v1::NewFact fact = ConditionWith([](v1::ConditionPart&) {});
  v1::ConditionSeriesPart series;
  for (const v1::ConditionPoint& point : points) *series.add_points() = point;
  v1::NewPart& added = *fact.add_parts();
  added.set_kind(v1::PART_KIND_CONDITION_SERIES);
  added.set_content(Encode(series));
  return fact;
}

v1::NewFact VehicleWith(const std::string& chassis_number, const std::string& vin) {
  v1::VehiclePart part;
  part.set_chassis_number(chassis_number);
  part.set_vin(vin);
  return Fact(v1::EVENT_TYPE_MOUNTED, v1::PART_KIND_VEHICLE, part);
}

v1::NewFact HistoryWith(v1::EventType type, const std::function<void(v1::HistoryPart&)>& change) {
  v1::HistoryPart part;
  part.set_kind("repair");
  change(part);
  return Fact(type, v1::PART_KIND_HISTORY, part);
}

v1::NewFact StructureOf(const std::vector<std::string>& serials) {
  v1::StructurePart part;
  for (const std::string& serial : serials) {
    common::v1::BatteryId child = Module();
    child.set_serial(serial);
    *part.add_children() = child;
  }
  return Fact(v1::EVENT_TYPE_MODULE_ATTACHED, v1::PART_KIND_STRUCTURE, part);
}

class BadPartTest : public ::testing::TestWithParam<BadPart> {};

TEST_P(BadPartTest, IsRefusedNamingTheField) {
  const absl::Status status = Check(GetParam().fact());

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().field)));
  ASSERT_TRUE(DetailOf(status).has_value());
  EXPECT_EQ(DetailOf(status)->field(), GetParam().field);
}

INSTANTIATE_TEST_SUITE_P(
    CheckFactTest, BadPartTest,
    ::testing::Values(
        BadPart{"IdentityOfAnotherBattery", "identity.battery",
                [] { return IdentityWith([](auto& p) { p.mutable_battery()->set_serial("M-2"); }); }},
        BadPart{"IdentityWithAnotherLevel", "identity.battery.level",
                [] {
                  return IdentityWith(
                      [](auto& p) { p.mutable_battery()->set_level(common::v1::BATTERY_LEVEL_PACK); });
                }},
        BadPart{"IdentityWithoutMonth", "identity.manufactured",
                [] { return IdentityWith([](auto& p) { p.clear_manufactured(); }); }},
        BadPart{"IdentityFromTheFuture", "identity.manufactured",
                [] { return IdentityWith([](auto& p) { p.mutable_manufactured()->set_year(2027); }); }},
        BadPart{"IdentityWithMonth13", "identity.manufactured",
                [] { return IdentityWith([](auto& p) { p.mutable_manufactured()->set_month(13); }); }},
        BadPart{"NegativeMass", "identity.mass_kg",
                [] { return IdentityWith([](auto& p) { *p.mutable_mass_kg() = D("-36.4"); }); }},
        BadPart{"LongModel", "identity.model",
                [] { return IdentityWith([](auto& p) { p.set_model(std::string(129, 'M')); }); }},
        BadPart{"ControlCharacter", "identity.chemistry",
                [] { return IdentityWith([](auto& p) { p.set_chemistry("NMC\n622"); }); }},
        BadPart{"NoMaterial", "materials.lithium_kg", [] { return MaterialsWith([](auto&) {}); }},
        BadPart{"NegativeLithium", "materials.lithium_kg",
                [] { return MaterialsWith([](auto& p) { *p.mutable_lithium_kg() = D("-0.1"); }); }},
        BadPart{"CobaltInGrams", "materials.cobalt_kg",
                [] { return MaterialsWith([](auto& p) { *p.mutable_cobalt_kg() = D("1000001"); }); }},
        BadPart{"NickelWithExponent19", "materials.nickel_kg",
                [] { return MaterialsWith([](auto& p) { p.mutable_nickel_kg()->set_exponent(19); }); }},
        BadPart{"NoMeasurement", "condition.latest",
                [] { return ConditionWith([](auto& p) { p.clear_latest(); }); }},
        BadPart{"MeasurementWithoutTime", "condition.latest.measured_at",
                [] { return ConditionWith([](auto& p) { p.mutable_latest()->clear_measured_at(); }); }},
        BadPart{"MeasurementFromTheFuture", "condition.latest.measured_at",
                [] {
                  return ConditionWith(
                      [](auto& p) { *p.mutable_latest() = Point(kNow + absl::Hours(25), "92"); });
                }},
        BadPart{"SohAboveThousand", "condition.latest.soh_percent",
                [] { return ConditionWith([](auto& p) { *p.mutable_latest() = Point(kNow, "1000.1"); }); }},
        BadPart{"NegativeSoh", "condition.latest.soh_percent",
                [] { return ConditionWith([](auto& p) { *p.mutable_latest() = Point(kNow, "-1"); }); }},
        BadPart{"NegativeSoce", "condition.latest.soce_percent",
                [] {
                  return ConditionWith(
                      [](auto& p) { *p.mutable_latest()->mutable_soce_percent() = D("-1"); });
                }},
        BadPart{
            "TooManyCycles", "condition.latest.full_cycles",
            [] { return ConditionWith([](auto& p) { p.mutable_latest()->set_full_cycles(10'000'001); }); }},
        BadPart{"EmptySeries", "condition-series.points", [] { return SeriesOf({}); }},
        BadPart{"LongSeries", "condition-series.points",
                [] { return SeriesOf(std::vector<v1::ConditionPoint>(4097, Point(kNow, "92"))); }},
        BadPart{"SeriesNewestFirst", "condition-series.points[1].measured_at",
                [] {
                  return SeriesOf({Point(kNow, "92"), Point(kNow - absl::Hours(1), "93")});
                }},
        BadPart{"NoVehicle", "vehicle.chassis_number", [] { return VehicleWith("", ""); }},
        BadPart{"NumberPlate", "vehicle.chassis_number", [] { return VehicleWith("品川300あ12-34", ""); }},
        BadPart{"VinWithO", "vehicle.vin", [] { return VehicleWith("", "1M8GDM9AXKP04278O"); }},
        BadPart{"UnknownHistoryKind", "history.kind",
                [] { return HistoryWith(v1::EVENT_TYPE_REPAIRED, [](auto& p) { p.set_kind("fixed"); }); }},
        BadPart{"CustodyWithoutCustodian", "history.custodian",
                [] {
                  return HistoryWith(v1::EVENT_TYPE_CUSTODY_TRANSFERRED,
                                     [](auto& p) { p.set_kind("custody"); });
                }},
        BadPart{"CustodianOfARepair", "history.custodian",
                [] {
                  return HistoryWith(v1::EVENT_TYPE_REPAIRED,
                                     [](auto& p) { p.set_custodian("did:web:a.example"); });
                }},
        BadPart{"DayThatDoesNotExist", "history.day",
                [] {
                  return HistoryWith(v1::EVENT_TYPE_REPAIRED, [](auto& p) {
                    p.mutable_day()->set_year(2023);
                    p.mutable_day()->set_month(2);
                    p.mutable_day()->set_day(29);
                  });
                }},
        BadPart{"ChildTwice", "structure.children[1].serial",
                [] {
                  return StructureOf({"C-1", "C-1"});
                }},
        BadPart{"OwnChild", "structure.children[0].serial", [] { return StructureOf({"M-1"}); }},
        BadPart{"NoChild", "structure.children", [] { return StructureOf({}); }},
        BadPart{"EmptyFootprint", "footprint.kg_co2e_per_kwh",
                [] {
                  return Fact(v1::EVENT_TYPE_FOOTPRINT_LINKED, v1::PART_KIND_FOOTPRINT, v1::FootprintPart());
                }},
        BadPart{"EmptyDiligence", "diligence.reference",
                [] {
                  return Fact(v1::EVENT_TYPE_DILIGENCE_LINKED, v1::PART_KIND_DILIGENCE, v1::DiligencePart());
                }}),
    [](const auto& param) { return param.param.name; });

TEST(CheckFactTest, TakesStateOfHealthAboveHundredAndRising) {
  EXPECT_THAT(Check(SeriesOf({Point(kNow - absl::Hours(1), "99.5"), Point(kNow, "101.3")})), IsOk());
  EXPECT_THAT(Check(SeriesOf(std::vector<v1::ConditionPoint>(4096, Point(kNow, "92")))), IsOk());
}

TEST(CheckFactTest, WarnsOfAVinWhoseCheckDigitDiffers) {
  std::vector<std::string> warnings;

  EXPECT_THAT(CheckFact(VehicleWith("", "JN1AZ0CP0BT000001"), kNow, warnings), IsOk());

  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], AllOf(HasSubstr("check digit"), Not(HasSubstr("JN1AZ0CP0BT000001"))));
}

TEST(CheckFactTest, WarnsOfNothingWhenTheCheckDigitFits) {
  std::vector<std::string> warnings;

  EXPECT_THAT(CheckFact(VehicleWith("ZAA-ZE1-000123", "1M8GDM9AXKP042788"), kNow, warnings), IsOk());
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(CheckFactTest, NeverTellsAPersonsName) {
  v1::PersonPart person;
  person.set_name("山田\n太郎");
  v1::NewFact fact = HistoryWith(v1::EVENT_TYPE_REPAIRED, [](auto&) {});
  v1::NewPart& part = *fact.add_parts();
  part.set_kind(v1::PART_KIND_PERSON);
  part.set_content(Encode(person));

  EXPECT_THAT(Check(fact), StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("山田"))));
}

TEST(CheckAmendmentTest, TakesAnyCorrectedFactAndNothingElse) {
  v1::ProposeAmendmentRequest request;
  *request.mutable_battery() = Module();
  std::vector<std::string> warnings;
  EXPECT_THAT(CheckAmendment(request, kNow, warnings), StatusIs(absl::StatusCode::kInvalidArgument));

  v1::RegulationPart regulation;
  regulation.set_category("EV");
  v1::NewPart& part = *request.add_parts();
  part.set_kind(v1::PART_KIND_REGULATION);
  part.set_content(Encode(regulation));
  EXPECT_THAT(CheckAmendment(request, kNow, warnings), IsOk());

  part.set_kind(v1::PART_KIND_VEHICLE);
  EXPECT_THAT(CheckAmendment(request, kNow, warnings), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(FirstDifferenceTest, NamesTheFieldThatTheUserKnows) {
  v1::MaterialsPart a;
  *a.mutable_lithium_kg() = D("0.481149");
  v1::MaterialsPart b = a;
  EXPECT_EQ(FirstDifference(v1::PART_KIND_MATERIALS, Encode(a), Encode(b)), "");
  *b.mutable_lithium_kg() = D("0.5");
  EXPECT_EQ(FirstDifference(v1::PART_KIND_MATERIALS, Encode(a), Encode(b)), "materials.lithium_kg");

  v1::IdentityPart c = Identity();
  v1::IdentityPart d = Identity();
  d.mutable_manufactured()->set_month(6);
  EXPECT_EQ(FirstDifference(v1::PART_KIND_IDENTITY, Encode(c), Encode(d)), "identity.manufactured");
  d = Identity();
  d.set_model("M-9");
  EXPECT_EQ(FirstDifference(v1::PART_KIND_IDENTITY, Encode(c), Encode(d)), "identity.model");
}

}  // namespace
}  // namespace tsunagi::passport
