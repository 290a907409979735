#include "cli/identifier.h"

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StatusIs;

absl::StatusOr<std::string> FindParty(absl::string_view name) {
  if (name == "cell-maker") return "did:web:battery.example:participants:cell-maker";
  if (name.substr(0, 4) == "did:") return std::string(name);
  return absl::NotFoundError("no such participant");
}

struct Good {
  const char* name;
  const char* text;
  const char* vehicle;
  const char* serial;
  const char* maker;
  const char* link = "";
};

class GoodIdentifierTest : public ::testing::TestWithParam<Good> {};

TEST_P(GoodIdentifierTest, IsRead) {
  const auto identifier = ParseIdentifier(GetParam().text);

  ASSERT_TRUE(identifier.ok()) << identifier.status();
  EXPECT_EQ(identifier->vehicle, GetParam().vehicle);
  EXPECT_EQ(identifier->serial, GetParam().serial);
  EXPECT_EQ(identifier->maker, GetParam().maker);
  EXPECT_EQ(identifier->link, GetParam().link);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, GoodIdentifierTest,
    ::testing::Values(Good{"SerialAtLabel", "LF40-P0001@cell-maker", "", "LF40-P0001", "cell-maker"},
                      Good{"DidAndSerial", "did:web:battery.example:participants:cell-maker#A/1", "", "A/1",
                           "did:web:battery.example:participants:cell-maker"},
                      Good{"SerialAtDid", "A1@did:web:battery.example:participants:cell-maker", "", "A1",
                           "did:web:battery.example:participants:cell-maker"},
                      Good{"VehiclePrefix", "vehicle:国[01]0002国", "国[01]0002国", "", ""},
                      Good{"ChassisNumber", "ZE1-012345", "ZE1-012345", "", ""},
                      Good{"ChassisNumberFullWidth", "ＺＥ１－０１２３４５", "ＺＥ１－０１２３４５", "", ""},
                      Good{"ChassisNumberWithDesignation", "ZAA-ZE1-012345", "ZAA-ZE1-012345", "", ""},
                      Good{"Vin", "1M8GDM9AXKP042788", "1M8GDM9AXKP042788", "", ""},
                      Good{"Link", "https://id.maker.example/A@1", "", "", "",
                           "https://id.maker.example/A@1"}),
    [](const auto& test) { return test.param.name; });

struct Bad {
  const char* name;
  const char* text;
};

class BadIdentifierTest : public ::testing::TestWithParam<Bad> {};

TEST_P(BadIdentifierTest, IsRefused) {
  EXPECT_THAT(ParseIdentifier(GetParam().text),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected")));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, BadIdentifierTest,
    ::testing::Values(Bad{"Empty", ""}, Bad{"MakerForgotten", "LF40-P0001"}, Bad{"NoSerial", "@cell-maker"},
                      Bad{"NoMaker", "A1@"}, Bad{"SerialWithBlank", "A 1@cell-maker"},
                      Bad{"MakerNoLabel", "A1@Cell_Maker"}, Bad{"DidAlone", "did:web:x.example"},
                      Bad{"DidWithoutSerial", "did:web:x.example#"}, Bad{"VehicleEmpty", "vehicle:"}),
    [](const auto& test) { return test.param.name; });

TEST(IdentifierTest, AnErrorAboutAVehicleDoesNotTellIt) {
  const std::string text = "vehicle:" + std::string(65, 'Z');

  EXPECT_THAT(ParseIdentifier(text), StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("ZZZ"))));
}

TEST(IdentifierTest, ResolvesTheMakersLabelToItsDid) {
  const auto subject = ResolveSubject(*ParseIdentifier("A1@cell-maker"), FindParty);

  ASSERT_TRUE(subject.ok()) << subject.status();
  EXPECT_EQ(subject->battery().manufacturer(), "did:web:battery.example:participants:cell-maker");
  EXPECT_EQ(subject->battery().serial(), "A1");
  EXPECT_THAT(ResolveSubject(*ParseIdentifier("A1@nobody"), FindParty),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("")));
}

TEST(IdentifierTest, ALinkIsNoSubject) {
  EXPECT_THAT(ResolveSubject(*ParseIdentifier("https://id.maker.example/A1"), FindParty),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no vehicle or link")));
}

TEST(IdentifierTest, AVehicleIsNoBattery) {
  EXPECT_THAT(ResolveBattery(*ParseIdentifier("vehicle:ZE1-012345"), FindParty),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no vehicle")));
}

}  // namespace
}  // namespace tsunagi::cli
