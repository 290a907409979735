#include "catalog/routing.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::tsunagi::testing::IsOk;
using ::tsunagi::testing::IsOkAndHolds;
using ::tsunagi::testing::StatusIs;

std::string DidOf(const std::string& label) { return "did:web:battery.example:participants:" + label; }

class RoutingTest : public ::testing::Test {
 protected:
  RoutingTest() {
    Add("oem", [](auto& p) {
      p.add_namespaces()->set_chassis_type("ZE1");
      p.add_namespaces()->set_vin_wmi("JN1");
    });
    Add("oem-trucks", [](auto& p) { p.add_namespaces()->set_chassis_type("ZE1"); });
    Add("small-maker", [](auto& p) { p.add_namespaces()->set_vin_wmi("JT9123"); });
    Add("large-maker", [](auto& p) { p.add_namespaces()->set_vin_wmi("JT9"); });
    Add("cell-maker", [](auto& p) {
      p.add_namespaces()->set_serial_prefix("");
      p.add_namespaces()->set_link_domain("id.maker.example");
    });
    Add("successor", [](auto& p) {
      p.add_namespaces()->set_serial_prefix("OLD-");
      p.add_namespaces()->set_link_domain("id.maker.example");
    });
    Add("successor-a", [](auto& p) { p.add_namespaces()->set_serial_prefix("OLD-A"); });
    Add("workshop", [](auto&) {});
  }

  template <typename Change>
  void Add(const std::string& label, Change change) {
    auto party = std::make_shared<identity::Party>();
    party->participant.set_did(DidOf(label));
    party->participant.set_label(label);
    change(party->participant);
    view_.by_did[DidOf(label)] = party;
    view_.by_label[label] = party;
  }
  absl::StatusOr<std::vector<std::string>> RouteVehicle(const std::string& vehicle) const {
    common::v1::Subject subject;
    subject.set_vehicle(vehicle);
    return Route(view_, subject);
  }
  absl::StatusOr<std::vector<std::string>> RouteSerial(const std::string& manufacturer,
                                                       const std::string& serial) const {
    common::v1::Subject subject;
    subject.mutable_battery()->set_manufacturer(manufacturer);
    subject.mutable_battery()->set_serial(serial);
    return Route(view_, subject);
  }

  identity::TrustView view_;
};

struct VehicleCase {
  const char* name;
  std::string vehicle;
  std::vector<std::string> labels;
};

class VehicleRoutingTest : public RoutingTest, public ::testing::WithParamInterface<VehicleCase> {};

TEST_P(VehicleRoutingTest, FindsTheHoldersOfTheNamespace) {
  std::vector<std::string> expected;
  for (const std::string& label : GetParam().labels) expected.push_back(DidOf(label));

  EXPECT_THAT(RouteVehicle(GetParam().vehicle), IsOkAndHolds(ElementsAreArray(expected)));
}

INSTANTIATE_TEST_SUITE_P(
    Identifiers, VehicleRoutingTest,
    ::testing::Values(VehicleCase{"AllHoldersOfATypeCode", "ZE1-000123", {"oem", "oem-trucks"}},
                      VehicleCase{"FullWidth", "ＺＥ１－０００１２３", {"oem", "oem-trucks"}},
                      VehicleCase{"TypeDesignationPrefix", "ZAA-ZE1-000123", {"oem", "oem-trucks"}},
                      VehicleCase{"LongerTypeCodeIsAnother", "ZE10-000123", {}},
                      VehicleCase{"ShorterTypeCodeIsAnother", "ZE-000123", {}},
                      VehicleCase{"Wmi", "JN1BZAZE1U0000001", {"oem"}},
                      VehicleCase{"WmiWithPositions12To14", "JT9BZAZE1U0123001", {"small-maker"}},
                      VehicleCase{"SmallMakerOfAnotherNumber", "JT9BZAZE1U0124001", {}},
                      VehicleCase{"WmiOfNobody", "WVWZZZ1JZXW000001", {}},
                      VehicleCase{"StampedByAnAuthority", "国[01]0002国", {}}),
    [](const auto& param) { return param.param.name; });

TEST_F(RoutingTest, RefusesAMalformedVehicleWithoutEchoingIt) {
  EXPECT_THAT(RouteVehicle(std::string(65, 'Z')),
              StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("ZZZZ"))));
  EXPECT_THAT(RouteVehicle(""), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(RoutingTest, SendsASerialToItsMaker) {
  EXPECT_THAT(RouteSerial(DidOf("cell-maker"), "CM-1"), IsOkAndHolds(ElementsAre(DidOf("cell-maker"))));
  EXPECT_THAT(RouteSerial(DidOf("workshop"), "OLD-A1"), IsOkAndHolds(ElementsAre(DidOf("workshop"))));
}

TEST_F(RoutingTest, SendsASerialOfAMakerThatIsGoneToTheLongestPrefix) {
  EXPECT_THAT(RouteSerial("did:web:gone.example", "OLD-B1"), IsOkAndHolds(ElementsAre(DidOf("successor"))));
  EXPECT_THAT(RouteSerial("did:web:gone.example", "OLD-A1"), IsOkAndHolds(ElementsAre(DidOf("successor-a"))));
}

TEST_F(RoutingTest, SendsNoForeignSerialToTheHolderOfTheEmptyPrefix) {
  EXPECT_THAT(RouteSerial("did:web:gone.example", "CM-1"), IsOkAndHolds(IsEmpty()));
}

TEST_F(RoutingTest, RefusesAMalformedBattery) {
  EXPECT_THAT(RouteSerial("cell-maker", "CM-1"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("manufacturer")));
  EXPECT_THAT(RouteSerial(DidOf("cell-maker"), "CM 1"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("serial")));
}

class LeaverRoutingTest : public RoutingTest {
 protected:
  void Leave(const std::string& label, const std::string& successor, const std::string& custodian) {
    const identity::v1::Participant before = view_.by_label.at(label)->participant;
    Add(label, [&](identity::v1::Participant& p) {
      p = before;
      p.set_state(identity::v1::PARTICIPANT_STATE_LEFT);
      if (!successor.empty()) p.set_successor(DidOf(successor));
      if (!custodian.empty()) p.set_custodian(DidOf(custodian));
    });
  }
};

TEST_F(LeaverRoutingTest, SendsWhatALeaverHeldToItsSuccessor) {
  Leave("cell-maker", "successor", "workshop");
  Leave("oem", "oem-trucks", "");

  EXPECT_THAT(RouteSerial(DidOf("cell-maker"), "CM-1"), IsOkAndHolds(ElementsAre(DidOf("successor"))));
  EXPECT_THAT(RouteVehicle("JN1BZAZE1U0000001"), IsOkAndHolds(ElementsAre(DidOf("oem-trucks"))));
  EXPECT_THAT(RouteVehicle("ZE1-000123"), IsOkAndHolds(ElementsAre(DidOf("oem-trucks"))));
}

TEST_F(LeaverRoutingTest, SendsWhatALeaverWithoutSuccessorHeldToItsCustodian) {
  Leave("cell-maker", "", "workshop");

  EXPECT_THAT(RouteSerial(DidOf("cell-maker"), "CM-1"), IsOkAndHolds(ElementsAre(DidOf("workshop"))));
}

TEST_F(LeaverRoutingTest, FollowsLeaversToTheOneThatIsThere) {
  Leave("cell-maker", "successor", "");
  Leave("successor", "successor-a", "");

  EXPECT_THAT(RouteSerial(DidOf("cell-maker"), "CM-1"), IsOkAndHolds(ElementsAre(DidOf("successor-a"))));
}

TEST_F(LeaverRoutingTest, NamesALeaverWithoutHeirsItself) {
  Leave("cell-maker", "", "");

  EXPECT_THAT(RouteSerial(DidOf("cell-maker"), "CM-1"), IsOkAndHolds(ElementsAre(DidOf("cell-maker"))));
}

TEST_F(LeaverRoutingTest, AsksWhoIsThereItselfWhateverHeirItNames) {
  const identity::v1::Participant before = view_.by_label.at("cell-maker")->participant;
  Add("cell-maker", [&](identity::v1::Participant& p) {
    p = before;
    p.set_successor(DidOf("workshop"));
  });

  EXPECT_THAT(RouteSerial(DidOf("cell-maker"), "CM-1"), IsOkAndHolds(ElementsAre(DidOf("cell-maker"))));
}

TEST_F(LeaverRoutingTest, EndsInARingOfLeavers) {
  Leave("cell-maker", "successor", "");
  Leave("successor", "cell-maker", "");

  EXPECT_THAT(RouteSerial(DidOf("cell-maker"), "CM-1"), IsOk());
}

TEST_F(LeaverRoutingTest, NamesABatteryOfALinkByItsMakerThatHasLeft) {
  Leave("cell-maker", "workshop", "");

  const auto batteries = RouteLink(view_, "https://id.maker.example/b/CM-1");

  ASSERT_THAT(batteries, IsOk());
  EXPECT_EQ((*batteries)[0].manufacturer(), DidOf("cell-maker"));
}

TEST_F(RoutingTest, SendsALinkToEveryHolderOfItsDomain) {
  const auto batteries = RouteLink(view_, "https://id.maker.example/b/CM-1");

  ASSERT_THAT(batteries, IsOk());
  ASSERT_EQ(batteries->size(), 2u);
  EXPECT_EQ((*batteries)[0].manufacturer(), DidOf("cell-maker"));
  EXPECT_EQ((*batteries)[1].manufacturer(), DidOf("successor"));
  EXPECT_EQ((*batteries)[1].serial(), "CM-1");
}

TEST_F(RoutingTest, SaysThatNobodyRegisteredTheDomainOfALink) {
  EXPECT_THAT(RouteLink(view_, "https://maker.example/CM-1"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("link domain `maker.example`")));
}

TEST_F(RoutingTest, RefusesAnEmptySubject) {
  EXPECT_THAT(Route(view_, common::v1::Subject()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("subject")));
}

}  // namespace
}  // namespace tsunagi::catalog
