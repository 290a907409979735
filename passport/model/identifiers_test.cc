#include "passport/model/identifiers.h"

#include <fstream>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/shared_data.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::passport {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using testing::StatusIs;

std::string NormalOf(const std::string& text) {
  const absl::StatusOr<VehicleIdentifier> vehicle = VehicleIdentifier::Parse(text);
  return vehicle.ok() ? vehicle->normal() : std::string(vehicle.status().message());
}

nlohmann::json GoldenIdentifiers() {
  const auto path = testing::SharedData("golden-vectors.json");
  return path ? nlohmann::json::parse(std::ifstream(*path)).at("identifiers") : nlohmann::json();
}

TEST(VinTest, ComputesTheCheckDigitsOfTheGoldenVectors) {
  const nlohmann::json golden = GoldenIdentifiers();
  if (golden.is_null()) GTEST_SKIP() << testing::kSharedDataMissing;

  for (const nlohmann::json& vector : golden.at("vin_check_digit").at("pass")) {
    const absl::StatusOr<Vin> vin = Vin::Parse(vector.at("vin").get<std::string>());
    ASSERT_THAT(vin, IsOk());
    EXPECT_EQ(std::string(1, vin->ComputedCheckDigit()), vector.at("check").get<std::string>());
    EXPECT_TRUE(vin->check_digit_fits());
  }
  for (const nlohmann::json& vector : golden.at("vin_check_digit").at("format_ok_check_differs")) {
    const absl::StatusOr<Vin> vin = Vin::Parse(vector.at("vin").get<std::string>());
    ASSERT_THAT(vin, IsOk());
    EXPECT_EQ(std::string(1, vin->ComputedCheckDigit()), vector.at("computed").get<std::string>());
    EXPECT_FALSE(vin->check_digit_fits());
  }
  for (const nlohmann::json& text : golden.at("vin_check_digit").at("bad_format")) {
    EXPECT_THAT(Vin::Parse(text.get<std::string>()), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(VinTest, RefusesLowerCaseAndOtherLengths) {
  EXPECT_THAT(Vin::Parse("1m8gdm9axkp042788"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Vin::Parse(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Vin::Parse("1M8GDM9AXKP0427881"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(VinTest, TakesSmallMakersByPositions12To14) {
  EXPECT_EQ(Vin::Parse("JN1AZ0CP0BT000001")->wmi(), "JN1");
  EXPECT_EQ(Vin::Parse("JA9AZ0CP0BTABC001")->wmi(), "JA9ABC");
}

TEST(VehicleIdentifierTest, AcceptsEveryChassisNumberOfTheGoldenVectors) {
  const nlohmann::json golden = GoldenIdentifiers();
  if (golden.is_null()) GTEST_SKIP() << testing::kSharedDataMissing;

  for (const nlohmann::json& text : golden.at("chassis_number").at("accept_as_text")) {
    EXPECT_THAT(VehicleIdentifier::Parse(text.get<std::string>()), IsOk()) << text;
  }
  for (const nlohmann::json& text : golden.at("vin_check_digit").at("bad_format")) {
    const absl::StatusOr<VehicleIdentifier> vehicle = VehicleIdentifier::Parse(text.get<std::string>());
    ASSERT_THAT(vehicle, IsOk()) << "a chassis number is never refused by the VIN rule";
    EXPECT_FALSE(vehicle->is_vin());
  }
}

struct SpellingCase {
  const char* name;
  const char* text;
  const char* normal;
};

class SpellingTest : public ::testing::TestWithParam<SpellingCase> {};

TEST_P(SpellingTest, HasTheNormalForm) {
  EXPECT_EQ(NormalOf(GetParam().text), GetParam().normal);
  EXPECT_EQ(NormalOf(GetParam().normal), GetParam().normal) << "the normal form is its own";
}

INSTANTIATE_TEST_SUITE_P(
    VehicleIdentifierTest, SpellingTest,
    ::testing::Values(SpellingCase{"AsItIs", "ZE1-000123", "ZE1-000123"},
                      SpellingCase{"TypePrefix", "ZAA-ZE1-000123", "ZE1-000123"},
                      SpellingCase{"DigitPrefix", "6AA-MXUA80-0012345", "MXUA80-0012345"},
                      SpellingCase{"OneLetterPrefix", "E-AE86-5012345", "AE86-5012345"},
                      SpellingCase{"FullWidthDigits", "ＺＥ１－０００１２３", "ZE1-000123"},
                      SpellingCase{"FullWidthPrefix", "ＺＡＡ－ＺＥ１－０００１２３", "ZE1-000123"},
                      SpellingCase{"LowerCase", "ze1-000123", "ZE1-000123"},
                      SpellingCase{"FullWidthLowerCase", "ｚｅ１-000123", "ZE1-000123"},
                      SpellingCase{"HalfWidthKatakanaHyphen", "ZE1ｰ000123", "ZE1-000123"},
                      SpellingCase{"ProlongedSoundMark", "ZE1ー000123", "ZE1-000123"},
                      SpellingCase{"MinusSign", "ZE1\u2212000123", "ZE1-000123"},
                      SpellingCase{"NonBreakingHyphen", "ZE1\u2011000123", "ZE1-000123"},
                      SpellingCase{"Hyphen2010", "ZE1\u2010000123", "ZE1-000123"},
                      SpellingCase{"EnDash", "ZE1\u2013000123", "ZE1-000123"},
                      SpellingCase{"HorizontalBar", "ZE1\u2015000123", "ZE1-000123"},
                      SpellingCase{"BoxRule", "ZE1\u2500000123", "ZE1-000123"},
                      SpellingCase{"Blanks", "  ZE1 - 000 123\t", "ZE1-000123"},
                      SpellingCase{"IdeographicSpace", "ZE1　-　000123", "ZE1-000123"},
                      SpellingCase{"ByteOrderMark", "\uFEFFZE1-000123", "ZE1-000123"},
                      SpellingCase{"ZeroWidthSpace", "ZE1-\u200B000123", "ZE1-000123"},
                      SpellingCase{"StampedByAuthority", "国［０１］０００２国", "国[01]0002国"},
                      SpellingCase{"UnreadableStamp", "神[○○]○○○○神", "神[○○]○○○○神"},
                      SpellingCase{"VinInFullWidth", "１Ｍ８ＧＤＭ９ＡＸＫＰ０４２７８８",
                                   "1M8GDM9AXKP042788"},
                      SpellingCase{"VinInLowerCase", "1m8gdm9axkp042788", "1M8GDM9AXKP042788"},
                      SpellingCase{"ShortNumberKeepsItsPrefix", "ZAA-ZE1-12", "ZAA-ZE1-12"},
                      SpellingCase{"LongTypeIsNoPrefix", "NCP10-ZE1-000123", "NCP10-ZE1-000123"},
                      SpellingCase{"ThreeHyphensStay", "ZAA-ZE1-00-0123", "ZAA-ZE1-00-0123"}),
    [](const auto& param) { return param.param.name; });

TEST(VehicleIdentifierTest, NamesOneCarByEverySpelling) {
  const auto a = VehicleIdentifier::Parse("ZAA-ZE1-000123");
  const auto b = VehicleIdentifier::Parse("ｚｅ１ｰ０００１２３");
  const auto other = VehicleIdentifier::Parse("ZE1-000124");

  ASSERT_THAT(a, IsOk());
  ASSERT_THAT(b, IsOk());
  EXPECT_EQ(*a, *b);
  EXPECT_FALSE(*a == *other);
}

TEST(VehicleIdentifierTest, TakesSeventeenCharactersOfTheVinAlphabetAsThatVin) {
  const auto vehicle = VehicleIdentifier::Parse("JN1AZ0CP0BT000001");

  ASSERT_THAT(vehicle, IsOk());
  EXPECT_TRUE(vehicle->is_vin());
  EXPECT_EQ(vehicle->wmi(), "JN1");
  EXPECT_EQ(vehicle->type_code(), "");
  EXPECT_FALSE(vehicle->check_digit_fits());
}

TEST(VehicleIdentifierTest, KnowsTheTypeCodeBeforeTheHyphen) {
  EXPECT_EQ(VehicleIdentifier::Parse("ZAA-ZE1-000123")->type_code(), "ZE1");
  EXPECT_EQ(VehicleIdentifier::Parse("SX31-9000001")->type_code(), "SX31");
  EXPECT_EQ(VehicleIdentifier::Parse("国[01]0002国")->type_code(), "");
  EXPECT_EQ(VehicleIdentifier::Parse("SX31-9000001")->wmi(), "");
  EXPECT_TRUE(VehicleIdentifier::Parse("SX31-9000001")->check_digit_fits());
}

class RefusedVehicleTest : public ::testing::TestWithParam<SpellingCase> {};

TEST_P(RefusedVehicleTest, IsRefusedWithoutTellingTheValue) {
  const absl::Status status = VehicleIdentifier::Parse(GetParam().text).status();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().normal));
  if (GetParam().text[0] != '\0') {
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr(GetParam().text)));
  }
  ASSERT_TRUE(DetailOf(status).has_value());
  EXPECT_EQ(DetailOf(status)->value(), "(not shown)");
}

INSTANTIATE_TEST_SUITE_P(
    VehicleIdentifierTest, RefusedVehicleTest,
    ::testing::Values(SpellingCase{"Empty", "", "1 to 64 bytes"},
                      SpellingCase{"OnlyBlanks", " \t　", "only blanks"},
                      SpellingCase{"TooLong",
                                   "ZE1-00000000000000000000000000000000000000000000000000000000000001",
                                   "1 to 64 bytes"},
                      SpellingCase{"NotUtf8", "ZE1-\xff\xfe", "UTF-8"},
                      SpellingCase{"CyrillicLookAlike", "ZЕ1-000123", "A-Z"},
                      SpellingCase{"CombiningMark", "ZE1-000123\u0301", "A-Z"},
                      SpellingCase{"LineFeed", "ZE1-\n000123", "A-Z"},
                      SpellingCase{"NumberPlate", "品川 300 あ 12-34", "number plate"},
                      SpellingCase{"NumberPlateFullWidth", "品川３００あ１２－３４", "number plate"},
                      SpellingCase{"NumberPlateWithDots", "つくば500さ・・・1", "number plate"},
                      SpellingCase{"NumberPlateWithLetterClass", "品川30Aあ1234", "number plate"}),
    [](const auto& param) { return param.param.name; });

TEST(BatterySerialTest, AcceptsOnlyItsAlphabetAndLength) {
  EXPECT_THAT(BatterySerial::Parse("PACK_01/2024-A.7"), IsOk());
  EXPECT_THAT(BatterySerial::Parse(std::string(64, 'A')), IsOk());
  EXPECT_THAT(BatterySerial::Parse(std::string(65, 'A')), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(BatterySerial::Parse(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(
      BatterySerial::Parse("A B", "subject.serial"),
      StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("subject.serial"), HasSubstr("A B"))));
}

TEST(BatteryIdTest, NeedsADidAndASerial) {
  common::v1::BatteryId id;
  id.set_serial("M-1");
  EXPECT_THAT(CheckBatteryId(id, "subject"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("subject.manufacturer")));
  id.set_manufacturer("did:web:battery.example:participants:cell-maker");
  EXPECT_THAT(CheckBatteryId(id, "subject"), IsOk());
  id.set_serial("");
  EXPECT_THAT(CheckBatteryId(id, "subject"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("subject.serial")));
}

TEST(BatteryLevelTest, GoesByItsName) {
  for (const char* word : {"pack", "module", "cell", "lot"}) {
    ASSERT_THAT(ParseLevel(word), IsOk());
    EXPECT_EQ(LevelName(*ParseLevel(word)), word);
  }
  EXPECT_THAT(ParseLevel("Pack"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("pack, module, cell or lot")));
  EXPECT_EQ(LevelName(common::v1::BATTERY_LEVEL_UNSPECIFIED), "");
}

}  // namespace
}  // namespace tsunagi::passport
