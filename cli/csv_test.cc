#include "cli/csv.h"

#include <string>

#include "absl/time/time.h"
#include "cli/csv_facts.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StatusIs;

constexpr char kOwnDid[] = "did:web:battery.example:participants:cell-maker";

absl::StatusOr<std::string> FindParty(absl::string_view name) {
  if (name == "cell-maker" || name == kOwnDid) return kOwnDid;
  if (name == "oem") return "did:web:battery.example:participants:oem";
  return absl::NotFoundError("no such participant");
}

absl::StatusOr<FileFacts> Read(absl::string_view text) {
  auto file = ParseCsv(text);
  if (!file.ok()) return file.status();
  auto kind = GuessKind(*file);
  if (!kind.ok()) return kind.status();
  return ReadFacts(*file, *kind, kOwnDid, FindParty);
}

// The first part of that type in a fact.
template <class Part>
Part PartOf(const passport::v1::NewFact& fact, passport::v1::PartKind kind) {
  Part part;
  for (const auto& candidate : fact.parts()) {
    if (candidate.kind() != kind) continue;
    EXPECT_TRUE(Decode(candidate.content(), "part", part).ok());
  }
  return part;
}

TEST(CsvTest, ReadsQuotesCommasLineFeedsAndCrLf) {
  const auto file = ParseCsv("a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n 2 ,\r\n");

  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(file->header, ElementsAre("a", "b"));
  ASSERT_EQ(file->rows.size(), 2u);
  EXPECT_THAT(file->rows[0].fields, ElementsAre("1", "x, \"y\"\nz"));
  EXPECT_THAT(file->rows[1].fields, ElementsAre("2", ""));
}

TEST(CsvTest, TakesAByteOrderMark) {
  const auto file = ParseCsv(
      "\xEF\xBB\xBF"
      "a,b\n1,2\n");

  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->header[0], "a");
  EXPECT_EQ(file->rows.size(), 1u);
}

TEST(CsvTest, CountsBlankRowsSoThatNumbersAreThoseOfASpreadsheet) {
  const auto file = ParseCsv("a,b\n1,2\n\n,\n3,4\n");

  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->rows.size(), 2u);
  EXPECT_EQ(file->rows[1].number, 4u);
}

struct BadFile {
  const char* name;
  std::string text;
  const char* reason;
  uint64_t row;
  const char* message;
};

class BadFileTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadFileTest, IsRefusedNamingTheRow) {
  const auto facts = Read(GetParam().text);

  ASSERT_THAT(facts, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
  const auto detail = DetailOf(facts.status());
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->reason(), GetParam().reason);
  EXPECT_EQ(detail->row(), GetParam().row);
}

const std::string kHead = "serial,level,manufactured\n";
const std::string kCondition = "serial,manufacturer,measured_at,capacity_ah\n";
const std::string kMount = "serial,manufacturer,chassis_number,vin,mounted_on\n";
const std::string kHistory = "serial,manufacturer,kind,day,odometer_km,custodian,added\n";

INSTANTIATE_TEST_SUITE_P(
    Files, BadFileTest,
    ::testing::Values(
        BadFile{"ShiftJis", kHead + "A,pack,2023-05\n\x93\x64\x92\x72,pack,2023-05\n", "NOT_UTF8", 2,
                "UTF-8"},
        BadFile{"Utf16", std::string("\xFF\xFEs\0e\0", 6), "NOT_UTF8", 0, "UTF-8"},
        BadFile{"NulByte", kHead + std::string("A\0B,pack,2023-05\n", 17), "NOT_UTF8", 1, "UTF-8"},
        BadFile{"Empty", "", "HEADER_MISSING", 0, "column names in the first line"},
        BadFile{"NoRows", kHead, "NO_ROWS", 0, "no rows after the header"},
        BadFile{"ColumnUnnamed", "serial,,level\nA,b,c\n", "COLUMN_UNNAMED", 0, "column 2 has no name"},
        BadFile{"ColumnRepeated", "serial,level,serial\nA,b,c\n", "COLUMN_REPEATED", 0,
                "`serial` stands twice"},
        BadFile{"QuoteMisplaced", kHead + "A\"B,pack,2023-05\n", "QUOTE_MISPLACED", 1, "quote"},
        BadFile{"QuoteOpen", kHead + "A,\"pack,2023-05\n", "FILE_TRUNCATED", 1, "never closed"},
        BadFile{"CutOff", kHead + "A,pack,2023-05\nB,pa", "FILE_TRUNCATED", 2, "cut off"},
        BadFile{"CutOffInTheLastField", kHead + "A,pack,2023-05\nB,pack,2023-1", "FILE_TRUNCATED", 2,
                "field `manufactured` may be cut off: export it again"},
        BadFile{"CutOffBetweenDoubledQuotes", kHead + "A,pack,\"2023-05\"", "FILE_TRUNCATED", 1,
                "end it with a line break"},
        BadFile{"TooManyFields", kHead + "A,pack,2023-05,x\nB,pack,2023-05\n", "FIELD_COUNT", 1, "4 fields"},
        BadFile{"TooFewFields", kHead + "A,pack\nB,pack,2023-05\n", "FIELD_COUNT", 1, "2 fields"},
        BadFile{"ColumnUnknown", "serial,level,manufactured,lithum_kg\nA,pack,2023-05,1\n", "COLUMN_UNKNOWN",
                0, "nearest is `lithium_kg`"},
        BadFile{"ColumnMissing", "serial,level,model\nA,pack,x\n", "COLUMN_MISSING", 0, "`manufactured`"},
        BadFile{"KindUnknown", "foo,bar\n1,2\n", "KIND_UNKNOWN", 0, "known kind of file"},
        BadFile{"SerialWrong", kHead + "A B,pack,2023-05\n", "SERIAL_WRONG", 1, "`serial` is `A B`"},
        BadFile{"SerialRepeated", kHead + "A,pack,2023-05\nA,pack,2023-05\n", "SERIAL_REPEATED", 2,
                "row 1 has it"},
        BadFile{"LevelUnknown", kHead + "A,stack,2023-05\n", "LEVEL_UNKNOWN", 1, "`level` is `stack`"},
        BadFile{"MonthWrong", kHead + "A,pack,2023-13\n", "MONTH_WRONG", 1, "`manufactured` is `2023-13`"},
        BadFile{"MonthIsADay", kHead + "A,pack,2023-05-01\n", "MONTH_WRONG", 1, "such as 2023-05"},
        BadFile{"MonthTooOld", kHead + "A,pack,1989-12\n", "MONTH_WRONG", 1, "1990 to 2100"},
        BadFile{"NumberWithComma", "serial,level,manufactured,lithium_kg\nA,pack,2023-05,\"1,5\"\n",
                "NUMBER_WRONG", 1, "`lithium_kg` is `1,5`: expected a number of kilograms"},
        BadFile{"NumberWithUnit", "serial,level,manufactured,mass_kg\nA,pack,2023-05,303kg\n", "NUMBER_WRONG",
                1, "`303kg`"},
        BadFile{"NumberNegative", "serial,level,manufactured,nickel_kg\nA,pack,2023-05,-1\n", "NUMBER_WRONG",
                1, "`-1`"},
        BadFile{"OwnParent", "serial,level,manufactured,parent_serial\nA,module,2023-05,A\n", "PARENT_WRONG",
                1, "`A`"},
        BadFile{"WarrantyTooLong", "serial,level,manufactured,warranty_months\nA,pack,2023-05,9999\n",
                "NUMBER_WRONG", 1, "at most 1200"},
        BadFile{"PartyUnknown", kCondition + "A,nobody,2026-04-01T09:30:00Z,1.9\n", "PARTY_UNKNOWN", 1,
                "`nobody`"},
        BadFile{"TimeWithoutOffset", kCondition + "A,cell-maker,2026-04-01T09:30:00,1.9\n", "TIME_WRONG", 1,
                "a time with offset"},
        BadFile{"TimeIsADay", kCondition + "A,cell-maker,2026-04-01,1.9\n", "TIME_WRONG", 1, "`2026-04-01`"},
        BadFile{"TimeImpossible", kCondition + "A,cell-maker,2026-02-30T09:30:00Z,1.9\n", "TIME_WRONG", 1,
                "02-30"},
        BadFile{"NothingMeasured", kCondition + "A,cell-maker,2026-04-01T09:30:00Z,\n", "VALUE_MISSING", 1,
                "at least one of"},
        BadFile{"SeriesBackwards",
                kCondition + "A,cell-maker,2026-04-01T09:30:00Z,1.9\nA,cell-maker,2026-04-01T09:30:00Z,1.8\n",
                "TIME_ORDER", 2, "oldest first"},
        BadFile{"VehicleMissing", kMount + "A,cell-maker,,,2026-04-01\n", "VEHICLE_MISSING", 1, "車台番号"},
        BadFile{"DayWrong", kMount + "A,cell-maker,ZE1-000123,,2026-04-31\n", "DAY_WRONG", 1, "`2026-04-31`"},
        BadFile{"HistoryKind", kHistory + "A,cell-maker,accident,2026-04-01,,,\n", "KIND_UNKNOWN", 1,
                "`accident`"},
        BadFile{"CustodianMissing", kHistory + "A,cell-maker,custody,2026-04-01,,,\n", "CUSTODIAN_WRONG", 1,
                "for kind custody"},
        BadFile{"CustodianForRepair", kHistory + "A,cell-maker,repair,2026-04-01,,oem,\n", "CUSTODIAN_WRONG",
                1, "for kind custody"},
        BadFile{"AddedSerial", kHistory + "A,cell-maker,replacement,2026-04-01,,,B;C D\n", "SERIAL_WRONG", 1,
                "`C D`"}),
    [](const auto& test) { return test.param.name; });

TEST(CsvFactsTest, NeverTellsAVehicleIdentifierInAnError) {
  const auto bad_vin = Read(kMount + "A,cell-maker,,JN1AZ0CP0BT00000I,2026-04-01\n");
  const auto bad_day = Read(kMount + "A,cell-maker,ZE1-000123,,yesterday\n");

  EXPECT_THAT(bad_vin, StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("JN1AZ0CP0BT"))));
  EXPECT_THAT(bad_vin, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("`vin`")));
  EXPECT_THAT(bad_day, StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("ZE1-000123"))));
}

TEST(CsvFactsTest, ReadsARegistrationWithItsStructureMaterialsAndSource) {
  const auto facts = Read(
      "serial,level,manufactured,parent_serial,lithium_kg,materials_source,category,source\n"
      "P1,pack,2023-05,,3.85,computed,EV,public\n"
      "M1,module,2023-05,P1,0.481,,,\n");

  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->kind, FileKind::kBatteries);
  ASSERT_EQ(facts->facts.size(), 2u);
  const auto& pack = facts->facts[0];
  EXPECT_EQ(pack.type(), passport::v1::EVENT_TYPE_REGISTERED);
  EXPECT_EQ(pack.subject().manufacturer(), kOwnDid);
  EXPECT_EQ(pack.occurred_at().seconds(), 1682866800);  // 2023-05-01 00:00 JST
  const auto structure = PartOf<passport::v1::StructurePart>(pack, passport::v1::PART_KIND_STRUCTURE);
  ASSERT_EQ(structure.children_size(), 1);
  EXPECT_EQ(structure.children(0).serial(), "M1");
  EXPECT_EQ(structure.children(0).level(), common::v1::BATTERY_LEVEL_MODULE);
  const auto materials = PartOf<passport::v1::MaterialsPart>(pack, passport::v1::PART_KIND_MATERIALS);
  EXPECT_EQ(materials.lithium_kg().unscaled(), 385);
  EXPECT_EQ(materials.lithium_kg().exponent(), -2);
  EXPECT_EQ(materials.source(), "computed");
  EXPECT_EQ(PartOf<passport::v1::RegulationPart>(pack, passport::v1::PART_KIND_REGULATION).category(), "EV");
  const auto module = PartOf<passport::v1::StructurePart>(facts->facts[1], passport::v1::PART_KIND_STRUCTURE);
  EXPECT_EQ(module.parent().serial(), "P1");
  EXPECT_EQ(facts->facts[1].parts_size(), 3);  // identity, structure, materials
}

TEST(CsvFactsTest, ReadsConsecutiveRowsOfASerialAsOneMeasurementWithItsSeries) {
  const auto facts = Read(
      "serial,manufacturer,measured_at,capacity_ah,rated_capacity_ah,soh_percent,full_cycles,source\n"
      "M1,cell-maker,2026-04-01T09:30:00+09:00,2.02,2.0,101,1,replay\n"
      "M1,cell-maker,2026-04-02T09:30:00+09:00,1.90,2.0,95,2,replay\n"
      "M2,cell-maker,2026-04-02T09:30:00+09:00,1.80,2.0,90,7,replay\n");

  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->kind, FileKind::kCondition);
  ASSERT_EQ(facts->facts.size(), 2u);
  EXPECT_THAT(facts->rows, ElementsAre(1u, 3u));
  const auto latest = PartOf<passport::v1::ConditionPart>(facts->facts[0], passport::v1::PART_KIND_CONDITION);
  EXPECT_EQ(latest.latest().capacity_ah().unscaled(), 190);
  EXPECT_EQ(latest.source(), "replay");
  const auto series =
      PartOf<passport::v1::ConditionSeriesPart>(facts->facts[0], passport::v1::PART_KIND_CONDITION_SERIES);
  EXPECT_EQ(series.points_size(), 2);
  EXPECT_EQ(series.points(0).soh_percent().unscaled(), 101);
  EXPECT_EQ(facts->facts[1].parts_size(), 1);  // a single point has no series
}

TEST(CsvFactsTest, RefusesASeriesOfMoreThan4096Points) {
  std::string text = kCondition;
  for (int i = 0; i <= 4096; ++i) {
    text += absl::FormatTime("M1,cell-maker,%Y-%m-%dT%H:%M:%SZ,1.9\n", absl::FromUnixSeconds(1700000000 + i),
                             absl::UTCTimeZone());
  }

  const auto facts = Read(text);

  EXPECT_THAT(facts, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("row 4097: `serial` is `M1`")));
}

TEST(CsvFactsTest, ReadsMountsAndHistoryWithTheirTypesAndParts) {
  const auto mounts = Read(kMount + "P1,cell-maker,ＺＥ１－０００１２３,,2026-04-01\n");
  const auto history = Read(
      "serial,manufacturer,kind,day,description,removed,added,person\n"
      "P1,cell-maker,replacement,2026-04-01,module changed,M1,M2; M3@oem,山田\n"
      "P1,cell-maker,re-used,2026-05-01,,,,\n");

  ASSERT_TRUE(mounts.ok()) << mounts.status();
  EXPECT_EQ(mounts->facts[0].type(), passport::v1::EVENT_TYPE_MOUNTED);
  EXPECT_EQ(
      PartOf<passport::v1::VehiclePart>(mounts->facts[0], passport::v1::PART_KIND_VEHICLE).chassis_number(),
      "ＺＥ１－０００１２３");  // as received
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_EQ(history->facts[0].type(), passport::v1::EVENT_TYPE_COMPONENT_REPLACED);
  EXPECT_EQ(history->facts[1].type(), passport::v1::EVENT_TYPE_STATUS_CHANGED);
  const auto part = PartOf<passport::v1::HistoryPart>(history->facts[0], passport::v1::PART_KIND_HISTORY);
  ASSERT_EQ(part.added_size(), 2);
  EXPECT_EQ(part.added(1).manufacturer(), "did:web:battery.example:participants:oem");
  EXPECT_EQ(PartOf<passport::v1::PersonPart>(history->facts[0], passport::v1::PART_KIND_PERSON).name(),
            "山田");
}

TEST(CsvFactsTest, TheDemosFilesAreRightAndOfTheSizeThatTheyShouldHave) {
  const std::string folder = std::string(TSUNAGI_SOURCE_DIR) + "/deploy/demo/data/";
  const std::pair<const char*, size_t> files[] = {
      {"batteries.csv", 1120}, {"mounts.csv", 100}, {"history.csv", 41}};
  for (const auto& [name, count] : files) {
    const auto bytes = ReadFile(folder + name, 1 << 20);
    ASSERT_TRUE(bytes.ok()) << bytes.status();

    const auto facts = Read(*bytes);

    ASSERT_TRUE(facts.ok()) << facts.status();
    EXPECT_EQ(facts->facts.size(), count) << name;
  }
}

}  // namespace
}  // namespace tsunagi::cli
