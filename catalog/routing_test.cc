#include "catalog/routing.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using ::testing::Not;
using testing::StatusIs;

class RoutingTest : public ::testing::Test {
 protected:
  RoutingTest() {
    federation_.Add("maker", {"cell-maker"});
    federation_.Add("oem", {"oem"}).add_namespaces()->set_chassis_type("ZE1");
    federation_.Add("second-oem", {"oem"}).add_namespaces()->set_chassis_type("ZE1");
    federation_.Add("importer", {"oem"}).add_namespaces()->set_vin_wmi("JN1");
    federation_.Add("small-maker", {"oem"}).add_namespaces()->set_vin_wmi("SA9123");
    federation_.Add("short-prefix").add_namespaces()->set_serial_prefix("AB");
    federation_.Add("long-prefix").add_namespaces()->set_serial_prefix("ABC");
    EXPECT_TRUE(federation_.Publish().ok());
  }

  std::string Did(absl::string_view label) const { return federation_.DidOf(label); }
  absl::StatusOr<std::vector<std::string>> RouteVehicle(const std::string& text) {
    common::v1::Subject subject;
    subject.set_vehicle(text);
    return Route(*federation_.trust().View(), subject);
  }
  absl::StatusOr<std::vector<std::string>> RouteSerial(const std::string& maker, const std::string& serial) {
    common::v1::Subject subject;
    subject.mutable_battery()->set_manufacturer(maker);
    subject.mutable_battery()->set_serial(serial);
    return Route(*federation_.trust().View(), subject);
  }

  testing::FakeClock clock_;
  testing::TestFederation federation_{clock_};
};

TEST_F(RoutingTest, SendsAChassisNumberToEveryHolderOfItsTypeCode) {
  EXPECT_THAT(RouteVehicle("ZE1-012345"), IsOkAndHolds(ElementsAre(Did("oem"), Did("second-oem"))));
}

TEST_F(RoutingTest, SendsEverySpellingOfACarToTheSameHolders) {
  for (const char* spelling : {"ＺＥ１－０１２３４５", "ze1-012345", "ZAA-ZE1-012345"}) {
    EXPECT_THAT(RouteVehicle(spelling), IsOkAndHolds(ElementsAre(Did("oem"), Did("second-oem")))) << spelling;
  }
}

TEST_F(RoutingTest, DoesNotTakeATypeCodeForTheStartOfALongerOne) {
  EXPECT_THAT(RouteVehicle("ZE12-012345"), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(RoutingTest, SendsAVinByItsWmi) {
  EXPECT_THAT(RouteVehicle("JN1AZ0CP0BT000001"), IsOkAndHolds(ElementsAre(Did("importer"))));
}

TEST_F(RoutingTest, SendsASmallMakersVinByWmiAndPositionsTwelveToFourteen) {
  EXPECT_THAT(RouteVehicle("SA9AZ0CP0BT123001"), IsOkAndHolds(ElementsAre(Did("small-maker"))));
}

TEST_F(RoutingTest, SaysWhenANumberStampedByAnAuthorityHasNoRouteAndKeepsItToItself) {
  EXPECT_THAT(RouteVehicle("国[01]0002国"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("--participant")));
  EXPECT_THAT(RouteVehicle("国[01]0002国").status().ToString(), Not(HasSubstr("0002")));
}

TEST_F(RoutingTest, SendsASerialToItsManufacturer) {
  EXPECT_THAT(RouteSerial(Did("maker"), "X-1"), IsOkAndHolds(ElementsAre(Did("maker"))));
}

TEST_F(RoutingTest, AsksTheHoldersOfTheLongestPrefixAsWell) {
  EXPECT_THAT(RouteSerial(Did("maker"), "ABC-1"),
              IsOkAndHolds(ElementsAre(Did("long-prefix"), Did("maker"))));
}

TEST_F(RoutingTest, SendsASerialOfANonMemberByItsPrefixAlone) {
  EXPECT_THAT(RouteSerial("did:web:elsewhere.example", "AB-1"),
              IsOkAndHolds(ElementsAre(Did("short-prefix"))));
  EXPECT_THAT(RouteSerial("did:web:elsewhere.example", "Q-1"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(RoutingTest, PassesSuspendedHoldersOver) {
  ASSERT_TRUE(federation_.Suspend("oem").ok());
  ASSERT_TRUE(federation_.Suspend("maker").ok());

  EXPECT_THAT(RouteVehicle("ZE1-012345"), IsOkAndHolds(ElementsAre(Did("second-oem"))));
  EXPECT_THAT(RouteSerial(Did("maker"), "X-1"), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(RoutingTest, RefusesMalformedIdentifiers) {
  EXPECT_THAT(RouteSerial("maker", "X-1"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(RouteSerial(Did("maker"), "X 1"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(RouteVehicle(""), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tsunagi::catalog
