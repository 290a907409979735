#include <future>
#include <string>
#include <vector>

#include "connector/transfer/release.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/connector_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::connector {
namespace {

using common::v1::SECTION_CONDITION;
using common::v1::SECTION_LOOKUP;
using common::v1::SECTION_VEHICLE;
using passport::v1::PART_KIND_CONDITION;
using passport::v1::PART_KIND_CONDITION_SERIES;
using passport::v1::PART_KIND_VEHICLE;
using policy::BitOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsOk;
using testing::Not;
using testing::Pair;
using testing::StatusIs;

constexpr char kPolicies[] = R"(
rules:
  - {id: finder, action: permit, roles: [finder], sections: [lookup], daily_lookups: 3}
  - {id: finder-data, action: permit, roles: [finder], sections: [condition], purposes: [reuse]}
  - {id: oem, action: permit, roles: [oem], sections: [vehicle, identity]}
  - {id: others-lot, action: permit, roles: [lot], sections: [lookup, condition], serial_prefix: OTHER-}
  - {id: some, action: permit, roles: [some], sections: [vehicle], serial_prefix: OTHER-}
  - {id: most, action: permit, roles: [most], sections: [vehicle]}
  - {id: but-not, action: prohibit, roles: [most], sections: [vehicle], serial_prefix: OTHER-}
)";

// Releases by vehicle.
class LookupTest : public testing::ConnectorTest {
 protected:
  using Node = testing::TestConnectorNode;

  void SetUp() override { ASSERT_THAT(maker.SetPolicies(kPolicies), IsOk()); }

  std::string AgreementOf(const Caller& caller, const std::vector<common::v1::Section>& sections) {
    return maker.Agree(caller, sections).value().id();
  }
  absl::StatusOr<v1::ReleasedContent> ByVehicle(const Caller& caller, const std::string& agreement,
                                                const std::vector<common::v1::Section>& sections,
                                                const std::string& vehicle = kChassis) {
    return maker.Content(caller, Node::RequestOf(agreement, testing::VehicleSubject(vehicle), sections));
  }

  const Caller finder_ = CallerOf("finder", {"finder"});
  const Caller oem_ = CallerOf("oem", {"oem"});
};

TEST_F(LookupTest, FindsTheBatteryAndReleasesNoVehiclePart) {
  const std::string agreement = AgreementOf(finder_, {SECTION_LOOKUP, SECTION_CONDITION, SECTION_VEHICLE});

  const auto content = ByVehicle(finder_, agreement, {SECTION_LOOKUP, SECTION_CONDITION, SECTION_VEHICLE});

  ASSERT_THAT(content, IsOk());
  EXPECT_EQ(content->battery().serial(), "M-1");
  EXPECT_EQ(Shown(*content), BitOf(PART_KIND_CONDITION) | BitOf(PART_KIND_CONDITION_SERIES));
  EXPECT_THAT(Withheld(*content), ElementsAre(Pair(SECTION_VEHICLE, "NO_PERMISSION")));
}

TEST_F(LookupTest, AnswersWithTheBatteryAlone) {
  const std::string agreement = AgreementOf(finder_, {SECTION_LOOKUP});

  const auto content = ByVehicle(finder_, agreement, {SECTION_LOOKUP});

  ASSERT_THAT(content, IsOk());
  EXPECT_EQ(content->battery().serial(), "M-1");
  EXPECT_TRUE(content->events().empty());
}

TEST_F(LookupTest, NamesTheBatteryAndNeverTheVehicleInItsRecord) {
  ASSERT_THAT(ByVehicle(finder_, AgreementOf(finder_, {SECTION_LOOKUP}), {SECTION_LOOKUP}), IsOk());

  for (const audit::v1::Record& record : maker.Records()) {
    EXPECT_THAT(record.SerializeAsString(), Not(HasSubstr("000123")));
  }
  EXPECT_EQ(maker.Records().back().release().battery().serial(), "M-1");
}

TEST_F(LookupTest, TakesEverySpelling) {
  const std::string agreement = AgreementOf(finder_, {SECTION_LOOKUP});

  EXPECT_THAT(ByVehicle(finder_, agreement, {SECTION_LOOKUP}, "ＺＥ１－０００１２３"), IsOk());
  EXPECT_THAT(ByVehicle(finder_, agreement, {SECTION_LOOKUP}, "ZAA-ZE1-000123"), IsOk());
}

TEST_F(LookupTest, CountsHitsAndMissesAlike) {
  const std::string agreement = AgreementOf(finder_, {SECTION_LOOKUP});
  EXPECT_THAT(ByVehicle(finder_, agreement, {SECTION_LOOKUP}), IsOk());
  EXPECT_THAT(ByVehicle(finder_, agreement, {SECTION_LOOKUP}, "ZE1-999999"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ByVehicle(finder_, agreement, {SECTION_LOOKUP}), IsOk());

  EXPECT_THAT(ByVehicle(finder_, agreement, {SECTION_LOOKUP}),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ByVehicle(finder_, agreement, {SECTION_LOOKUP}, "ZE1-999999"),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(LookupTest, DoesNotCountThoseWhoMaySeeTheVehicle) {
  const std::string agreement = AgreementOf(oem_, {SECTION_VEHICLE});
  for (int i = 0; i < 5; ++i) {
    const auto content = ByVehicle(oem_, agreement, {SECTION_VEHICLE});
    ASSERT_THAT(content, IsOk());
    EXPECT_EQ(Shown(*content), BitOf(PART_KIND_VEHICLE));
  }
}

TEST_F(LookupTest, CountsThoseWhoMaySeeTheVehicleOfSomeBatteriesOnly) {
  const Caller mixed = CallerOf("mixed", {"finder", "some"});
  const std::string agreement = AgreementOf(mixed, {SECTION_LOOKUP, SECTION_VEHICLE});
  for (int i = 0; i < 3; ++i) ASSERT_THAT(ByVehicle(mixed, agreement, {SECTION_LOOKUP}), IsOk());

  EXPECT_THAT(ByVehicle(mixed, agreement, {SECTION_LOOKUP}), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(LookupTest, CountsThoseWhoseAgreementOpensTheVehicleOfSomeBatteriesOnly) {
  const Caller mixed = CallerOf("mixed", {"finder", "some"});
  const std::string agreement = AgreementOf(mixed, {SECTION_LOOKUP, SECTION_VEHICLE});
  ASSERT_THAT(maker.SetPolicies(std::string(kPolicies) +
                                "  - {id: more, action: permit, roles: [some], sections: [vehicle]}\n"),
              IsOk());
  for (int i = 0; i < 3; ++i) ASSERT_THAT(ByVehicle(mixed, agreement, {SECTION_LOOKUP}), IsOk());

  EXPECT_THAT(ByVehicle(mixed, agreement, {SECTION_LOOKUP}), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(LookupTest, CountsThoseWhoMayNowSeeTheVehicleOfSomeBatteriesOnly) {
  const Caller mixed = CallerOf("mixed", {"finder", "oem"});
  const std::string agreement = AgreementOf(mixed, {SECTION_LOOKUP, SECTION_VEHICLE});
  ASSERT_THAT(maker.SetPolicies(R"(rules:
  - {id: finder, action: permit, roles: [finder], sections: [lookup], daily_lookups: 3}
  - {id: some, action: permit, roles: [oem], sections: [vehicle], serial_prefix: OTHER-})"),
              IsOk());
  for (int i = 0; i < 3; ++i) ASSERT_THAT(ByVehicle(mixed, agreement, {SECTION_LOOKUP}), IsOk());

  EXPECT_THAT(ByVehicle(mixed, agreement, {SECTION_LOOKUP}), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(LookupTest, CountsThoseWhoMayNotSeeTheVehicleOfSomeBatteries) {
  const Caller mixed = CallerOf("mixed", {"finder", "most"});
  const std::string agreement = AgreementOf(mixed, {SECTION_LOOKUP, SECTION_VEHICLE});
  for (int i = 0; i < 3; ++i) ASSERT_THAT(ByVehicle(mixed, agreement, {SECTION_LOOKUP}), IsOk());

  EXPECT_THAT(ByVehicle(mixed, agreement, {SECTION_LOOKUP}), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(LookupTest, SaysThatTheAgreementDoesNotCoverTheBatteryOfTheVehicle) {
  const Caller lot = CallerOf("lot", {"lot"});
  const std::string agreement = AgreementOf(lot, {SECTION_LOOKUP});
  ASSERT_THAT(maker.SetPolicies(std::string(kPolicies) +
                                "  - {id: all, action: permit, roles: [lot], sections: [lookup]}\n"),
              IsOk());

  EXPECT_THAT(ByVehicle(lot, agreement, {SECTION_LOOKUP}),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("lookup NOT_IN_AGREEMENT")));
}

// Two batteries on one vehicle; M-1 comes first by its key.
class TwoBatteriesTest : public LookupTest {
 protected:
  void SetUp() override {
    LookupTest::SetUp();
    ASSERT_THAT(
        maker.records.Import({testing::Registered(second_), testing::Measured(second_, "2025-01-01", "88"),
                              testing::Mounted(second_, "2024-07-01", kChassis)}),
        IsOk());
  }
  const common::v1::BatteryId second_ = testing::Battery(maker.did(), "OTHER-2");
};

TEST_F(TwoBatteriesTest, AreBothTold) {
  const std::string agreement = AgreementOf(finder_, {SECTION_LOOKUP, SECTION_CONDITION});

  const auto content = ByVehicle(finder_, agreement, {SECTION_LOOKUP, SECTION_CONDITION});

  ASSERT_THAT(content, IsOk());
  EXPECT_EQ(content->battery().serial(), "M-1");
  ASSERT_EQ(content->other_batteries_size(), 1);
  EXPECT_EQ(content->other_batteries(0).serial(), "OTHER-2");
  EXPECT_EQ(maker.Records().back().release().other_batteries(0).serial(), "OTHER-2");
}

TEST_F(TwoBatteriesTest, GiveTheOneThatIsPermittedAndNothingOfTheOther) {
  const Caller lot = CallerOf("lot", {"lot"});
  const std::string agreement = AgreementOf(lot, {SECTION_LOOKUP, SECTION_CONDITION});

  const auto response = maker.Release(lot, Node::RequestOf(agreement, testing::VehicleSubject(kChassis),
                                                           {SECTION_LOOKUP, SECTION_CONDITION}));

  ASSERT_THAT(response, IsOk());
  v1::ReleasedContent content;
  ASSERT_TRUE(content.ParseFromString(response->content()));
  EXPECT_EQ(content.battery().serial(), "OTHER-2");
  EXPECT_EQ(content.other_batteries_size(), 0);
  EXPECT_THAT(response->content(), Not(HasSubstr("M-1")));
}

TEST_F(TwoBatteriesTest, NameNoOtherThatIsNotPermittedBehindOneThatIs) {
  const common::v1::BatteryId third = testing::Battery(maker.did(), "Z-3");
  ASSERT_THAT(maker.records.Import({testing::Registered(third), testing::Measured(third, "2025-01-01", "77"),
                                    testing::Mounted(third, "2024-07-01", kChassis)}),
              IsOk());
  const Caller lot = CallerOf("lot", {"lot"});
  const std::string agreement = AgreementOf(lot, {SECTION_LOOKUP, SECTION_CONDITION});

  const auto content = ByVehicle(lot, agreement, {SECTION_LOOKUP, SECTION_CONDITION});

  ASSERT_THAT(content, IsOk());
  EXPECT_EQ(content->battery().serial(), "OTHER-2");
  EXPECT_EQ(content->other_batteries_size(), 0);
}

TEST_F(LookupTest, NeedsTheRightInTheAgreementAsWell) {
  const std::string agreement = AgreementOf(finder_, {SECTION_CONDITION});

  EXPECT_THAT(ByVehicle(finder_, agreement, {SECTION_CONDITION}),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("lookup NOT_IN_AGREEMENT")));
}

TEST_F(LookupTest, TellsNothingAboutVehiclesOfOtherSerials) {
  const Caller lot = CallerOf("lot", {"lot"});
  const std::string agreement = AgreementOf(lot, {SECTION_LOOKUP, SECTION_CONDITION});

  const auto existing = ByVehicle(lot, agreement, {SECTION_LOOKUP});
  const auto missing = ByVehicle(lot, agreement, {SECTION_LOOKUP}, "ZE1-999999");

  EXPECT_THAT(existing, StatusIs(absl::StatusCode::kNotFound, "not found"));
  EXPECT_EQ(existing.status(), missing.status());
}

TEST_F(LookupTest, LetsExactlyOneOfAHundredThroughWhenOneIsLeft) {
  const std::string agreement = AgreementOf(finder_, {SECTION_LOOKUP});
  ASSERT_THAT(ByVehicle(finder_, agreement, {SECTION_LOOKUP}), IsOk());
  ASSERT_THAT(ByVehicle(finder_, agreement, {SECTION_LOOKUP}), IsOk());

  std::vector<std::future<int>> callers;
  for (int i = 0; i < 4; ++i) {
    callers.push_back(std::async(std::launch::async, [&] {
      int passed = 0;
      for (int call = 0; call < 25; ++call)
        passed += ByVehicle(finder_, agreement, {SECTION_LOOKUP}).ok() ? 1 : 0;
      return passed;
    }));
  }
  int passed = 0;
  for (auto& caller : callers) passed += caller.get();

  EXPECT_EQ(passed, 1);
}

TEST_F(LookupTest, FindsNothingAfterTheVehicleWasErased) {
  const std::string agreement = AgreementOf(finder_, {SECTION_LOOKUP});
  ASSERT_THAT(ByVehicle(finder_, agreement, {SECTION_LOOKUP}), IsOk());
  passport::v1::ErasePartsRequest erase;
  erase.set_request_id(NewUuid(maker.random));
  *erase.mutable_subject() = testing::VehicleSubject(kChassis);
  erase.set_reason("asked for");
  ASSERT_THAT(maker.records.eraser().EraseParts(maker.records.own_operator(), erase), IsOk());

  EXPECT_THAT(ByVehicle(finder_, agreement, {SECTION_LOOKUP}), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace tsunagi::connector
