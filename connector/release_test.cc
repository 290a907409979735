#include "connector/transfer/release.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/audit/receipt.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/connector_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::connector {
namespace {

using common::v1::SECTION_CONDITION;
using common::v1::SECTION_HISTORY;
using common::v1::SECTION_IDENTITY;
using common::v1::SECTION_LOOKUP;
using common::v1::SECTION_MATERIALS;
using common::v1::SECTION_REGULATION;
using common::v1::SECTION_VEHICLE;
using passport::v1::PART_KIND_CONDITION;
using passport::v1::PART_KIND_CONDITION_SERIES;
using passport::v1::PART_KIND_HISTORY;
using passport::v1::PART_KIND_IDENTITY;
using passport::v1::PART_KIND_VEHICLE;
using policy::BitOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsOk;
using testing::Not;
using testing::Pair;
using testing::SizeIs;
using testing::StatusIs;
using testing::UnorderedElementsAre;

constexpr char kPolicies[] = R"(
rules:
  - {id: dealers, action: permit, roles: [dealer], purposes: [reuse], sections: [identity, condition, history, regulation], obligations: [cite]}
  - {id: owners, action: permit, roles: [owner], sections: [vehicle, condition, lookup]}
  - {id: latest, action: permit, roles: [viewer], sections: [condition], fields: [condition.latest]}
  - {id: lot, action: permit, roles: [recycler], sections: [identity], serial_prefix: LOT-}
  - {id: history, action: permit, roles: [recycler], sections: [history]}
)";

class ReleaseTest : public testing::ConnectorTest {
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
  // Something that happens right after the first read, before anything is decided on it.
  static std::function<void(passport::v1::ReadPartsResponse&)> Once(std::function<void()> happen) {
    return [happen = std::move(happen)](passport::v1::ReadPartsResponse&) mutable {
      if (const auto now = std::exchange(happen, nullptr)) now();
    };
  }
  void EraseVehicle() {
    passport::v1::ErasePartsRequest request;
    request.set_request_id(maker.records.NewRequestId());
    *request.mutable_subject() = testing::VehicleSubject(kChassis);
    request.set_reason("request of the owner");
    EXPECT_EQ(maker.records.eraser().EraseParts(maker.records.own_operator(), request)->erased(), 1u);
  }
  common::v1::Subject Missing() const {
    common::v1::Subject missing = subject;
    missing.mutable_battery()->set_serial("M-NONE");
    return missing;
  }
};

TEST_F(ReleaseTest, ReleasesWhatAgreementAndPolicyPermit) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION, SECTION_HISTORY});

  const auto content =
      maker.Content(dealer, Node::RequestOf(agreement, subject, {SECTION_CONDITION, SECTION_HISTORY}));

  ASSERT_THAT(content, IsOk());
  EXPECT_EQ(content->battery().serial(), "M-1");
  EXPECT_EQ(Shown(*content),
            BitOf(PART_KIND_CONDITION) | BitOf(PART_KIND_CONDITION_SERIES) | BitOf(PART_KIND_HISTORY));
  EXPECT_THAT(content->withheld(), IsEmpty());
  EXPECT_THAT(content->obligations(), ElementsAre("cite"));
}

TEST_F(ReleaseTest, SaysWhyEachSectionIsLeftOut) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION, SECTION_REGULATION});

  const auto content = maker.Content(
      dealer, Node::RequestOf(agreement, subject,
                              {SECTION_CONDITION, SECTION_IDENTITY, SECTION_MATERIALS, SECTION_REGULATION}));

  ASSERT_THAT(content, IsOk());
  EXPECT_THAT(Withheld(*content), UnorderedElementsAre(Pair(SECTION_IDENTITY, "NOT_IN_AGREEMENT"),
                                                       Pair(SECTION_MATERIALS, "NO_PERMISSION"),
                                                       Pair(SECTION_REGULATION, "NO_DATA")));
}

TEST_F(ReleaseTest, ReleasesOneFieldOfASection) {
  const Caller viewer = CallerOf("viewer", {"viewer"});

  const auto content = maker.Content(
      viewer, Node::RequestOf(AgreementOf(viewer, {SECTION_CONDITION}), subject, {SECTION_CONDITION}));

  ASSERT_THAT(content, IsOk());
  EXPECT_EQ(Shown(*content), BitOf(PART_KIND_CONDITION));
}

TEST_F(ReleaseTest, ReleasesNothingThatIsErasedBetweenReadAndCommit) {
  const Caller owner = CallerOf("oem", {"owner"});
  const std::string agreement = AgreementOf(owner, {SECTION_VEHICLE, SECTION_CONDITION});
  maker.source.change = Once([&] { EraseVehicle(); });

  const auto content =
      maker.Content(owner, Node::RequestOf(agreement, subject, {SECTION_VEHICLE, SECTION_CONDITION}));

  ASSERT_THAT(content, IsOk());
  EXPECT_EQ(Shown(*content) & BitOf(PART_KIND_VEHICLE), 0u);
  EXPECT_THAT(Withheld(*content), ElementsAre(Pair(SECTION_VEHICLE, "NO_DATA")));
}

TEST_F(ReleaseTest, FindsNoBatteryByAVehicleThatIsErasedMeanwhile) {
  const Caller owner = CallerOf("oem", {"owner"});
  const std::string agreement = AgreementOf(owner, {SECTION_LOOKUP});
  maker.source.change = Once([&] { EraseVehicle(); });

  EXPECT_THAT(ByVehicle(owner, agreement, {SECTION_LOOKUP}), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ReleaseTest, ReleasesWhatIsWrittenBetweenReadAndCommit) {
  const std::string agreement = AgreementOf(dealer, {SECTION_HISTORY});
  maker.source.change = Once(
      [&] { EXPECT_THAT(maker.records.Import({testing::Repaired(battery, "2025-03-01", "fan")}), IsOk()); });

  const auto content = maker.Content(dealer, Node::RequestOf(agreement, subject, {SECTION_HISTORY}));

  ASSERT_THAT(content, IsOk());
  passport::v1::EventSet set;
  ASSERT_TRUE(set.ParseFromString(content->events()));
  EXPECT_EQ(set.events_size(), 2);
}

TEST_F(ReleaseTest, SendsNothingToAPartyThatIsSuspendedMeanwhile) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});
  maker.source.change = Once([&] { EXPECT_THAT(federation.Suspend("dealer"), IsOk()); });

  EXPECT_THAT(maker.Release(dealer, Node::RequestOf(agreement, subject, {SECTION_CONDITION})),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("suspended")));
}

TEST_F(ReleaseTest, RecordsTheReleaseBeforeItAnswers) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});
  const v1::ReleaseRequest request = Node::RequestOf(agreement, subject, {SECTION_CONDITION});

  const auto response = maker.Release(dealer, request);

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(audit::VerifyLogProof(response->proof(), maker.records.journal().origin(),
                                    maker.records.journal().log_key()),
              IsOk());
  audit::v1::Record record;
  ASSERT_TRUE(record.ParseFromString(response->proof().record()));
  const audit::v1::ReleaseRecord& release = record.release();
  EXPECT_EQ(release.provider(), maker.did());
  EXPECT_EQ(release.consumer(), dealer.did());
  EXPECT_EQ(release.battery().serial(), "M-1");
  EXPECT_THAT(release.parts(), ElementsAre(PART_KIND_CONDITION, PART_KIND_CONDITION_SERIES));
  EXPECT_EQ(release.purpose(), "reuse");
  EXPECT_EQ(release.agreement(), agreement);
  EXPECT_EQ(release.policy_version(), 1u);
  EXPECT_EQ(release.content_digest(), crypto::Sha256(response->content()));
  EXPECT_THAT(release.request_digest(), SizeIs(32));
  EXPECT_NE(release.request_digest(), crypto::Sha256(Encode(request)));
  EXPECT_THAT(release.obligations(), ElementsAre("cite"));
}

TEST_F(ReleaseTest, ReadsNothingWhenItDenies) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});

  EXPECT_THAT(maker.Content(outsider, Node::RequestOf(agreement, subject, {SECTION_CONDITION})), Not(IsOk()));
  EXPECT_THAT(maker.Content(dealer, Node::RequestOf("maker-none", subject, {SECTION_CONDITION})),
              Not(IsOk()));
  EXPECT_THAT(maker.Content(dealer, Node::RequestOf(agreement, subject, {SECTION_MATERIALS})), Not(IsOk()));
  EXPECT_THAT(ByVehicle(dealer, agreement, {SECTION_CONDITION}), Not(IsOk()));

  EXPECT_EQ(maker.source.reads, 0);
}

TEST_F(ReleaseTest, DeniesWithAnAgreementButWithoutPolicy) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});
  ASSERT_THAT(maker.SetPolicies("rules: []"), IsOk());

  EXPECT_THAT(maker.Content(dealer, Node::RequestOf(agreement, subject, {SECTION_CONDITION})),
              StatusIs(absl::StatusCode::kNotFound, "not found"));
}

TEST_F(ReleaseTest, DeniesWithPolicyButWithoutAgreement) {
  EXPECT_THAT(maker.Content(dealer, Node::RequestOf("", subject, {SECTION_CONDITION})),
              StatusIs(absl::StatusCode::kNotFound, "not found"));
}

TEST_F(ReleaseTest, NarrowsWithTheNextCall) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION, SECTION_HISTORY});
  const auto request = Node::RequestOf(agreement, subject, {SECTION_CONDITION, SECTION_HISTORY});
  ASSERT_THAT(maker.Content(dealer, request), IsOk());
  ASSERT_THAT(maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [history]}]"),
              IsOk());

  const auto content = maker.Content(dealer, request);

  ASSERT_THAT(content, IsOk());
  EXPECT_EQ(Shown(*content), BitOf(PART_KIND_HISTORY));
  EXPECT_THAT(Withheld(*content), ElementsAre(Pair(SECTION_CONDITION, "NO_PERMISSION")));
}

TEST_F(ReleaseTest, WidensOnlyWithANewAgreement) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION, SECTION_MATERIALS});
  ASSERT_THAT(maker.SetPolicies(
                  "rules: [{id: d, action: permit, roles: [dealer], sections: [condition, materials]}]"),
              IsOk());
  const std::vector<common::v1::Section> sections = {SECTION_CONDITION, SECTION_MATERIALS};

  const auto old = maker.Content(dealer, Node::RequestOf(agreement, subject, sections));
  const auto anew = maker.Content(dealer, Node::RequestOf(AgreementOf(dealer, sections), subject, sections));

  ASSERT_THAT(old, IsOk());
  EXPECT_THAT(Withheld(*old), ElementsAre(Pair(SECTION_MATERIALS, "NOT_IN_AGREEMENT")));
  ASSERT_THAT(anew, IsOk());
  EXPECT_THAT(anew->withheld(), IsEmpty());
}

TEST_F(ReleaseTest, WidensNeitherFieldsNorSerialsUnderAnOldAgreement) {
  const Caller viewer = CallerOf("viewer", {"viewer"});
  const Caller recycler = CallerOf("recycler", {"recycler"});
  const std::string latest = AgreementOf(viewer, {SECTION_CONDITION});
  const std::string lot = AgreementOf(recycler, {SECTION_IDENTITY, SECTION_HISTORY});
  ASSERT_THAT(maker.SetPolicies(R"(rules:
  - {id: all, action: permit, roles: [viewer, recycler], sections: [identity, condition, history]})"),
              IsOk());

  const auto field = maker.Content(viewer, Node::RequestOf(latest, subject, {SECTION_CONDITION}));
  const auto serial =
      maker.Content(recycler, Node::RequestOf(lot, subject, {SECTION_IDENTITY, SECTION_HISTORY}));

  ASSERT_THAT(field, IsOk());
  EXPECT_EQ(Shown(*field), BitOf(PART_KIND_CONDITION));
  EXPECT_THAT(Withheld(*field), ElementsAre(Pair(SECTION_CONDITION, "NOT_IN_AGREEMENT")));
  ASSERT_THAT(serial, IsOk());
  EXPECT_EQ(Shown(*serial), BitOf(PART_KIND_HISTORY));
  EXPECT_THAT(Withheld(*serial), ElementsAre(Pair(SECTION_IDENTITY, "NOT_IN_AGREEMENT")));
}

TEST_F(ReleaseTest, KeepsAProhibitionForSomeSerialsUnderAnOldAgreement) {
  const std::string prohibition =
      "  - {id: no, action: prohibit, roles: [dealer], sections: [condition], serial_prefix: M-}\n";
  ASSERT_THAT(maker.SetPolicies(std::string(kPolicies) + prohibition), IsOk());
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION, SECTION_HISTORY});
  ASSERT_THAT(maker.SetPolicies(kPolicies), IsOk());

  const auto content =
      maker.Content(dealer, Node::RequestOf(agreement, subject, {SECTION_CONDITION, SECTION_HISTORY}));

  ASSERT_THAT(content, IsOk());
  EXPECT_THAT(Withheld(*content), ElementsAre(Pair(SECTION_CONDITION, "NOT_IN_AGREEMENT")));
}

TEST_F(ReleaseTest, ProhibitionWins) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION, SECTION_HISTORY});
  ASSERT_THAT(maker.SetPolicies(std::string(kPolicies) +
                                "  - {id: no, action: prohibit, roles: [dealer], sections: [condition]}\n"),
              IsOk());

  const auto content =
      maker.Content(dealer, Node::RequestOf(agreement, subject, {SECTION_CONDITION, SECTION_HISTORY}));

  ASSERT_THAT(content, IsOk());
  EXPECT_THAT(Withheld(*content), ElementsAre(Pair(SECTION_CONDITION, "PROHIBITED")));
}

// What a party gets that may see nothing is the same in all of these.
TEST_F(ReleaseTest, TellsStrangersNothing) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});
  const absl::Status expected = absl::NotFoundError("not found");

  EXPECT_EQ(maker.Content(outsider, Node::RequestOf(agreement, subject, {SECTION_CONDITION})).status(),
            expected);
  EXPECT_EQ(maker.Content(outsider, Node::RequestOf(agreement, Missing(), {SECTION_CONDITION})).status(),
            expected);
  EXPECT_EQ(maker.Content(outsider, Node::RequestOf("", subject, {SECTION_CONDITION})).status(), expected);
  EXPECT_EQ(maker.Content(outsider, Node::RequestOf("maker-x", subject, {SECTION_MATERIALS})).status(),
            expected);
  EXPECT_EQ(ByVehicle(outsider, agreement, {SECTION_CONDITION}).status(), expected);
  EXPECT_EQ(ByVehicle(outsider, agreement, {SECTION_CONDITION}, "ZE1-999999").status(), expected);
  EXPECT_EQ(maker.Content(dealer, Node::RequestOf(agreement, Missing(), {SECTION_CONDITION})).status(),
            expected);
}

TEST_F(ReleaseTest, RefusesAnotherPartysAgreementLikeAnUnknownOne) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});
  const Caller other = CallerOf("dealer-2", {"dealer"});

  const auto replayed = maker.Release(other, Node::RequestOf(agreement, subject, {SECTION_CONDITION}));
  const auto unknown = maker.Release(other, Node::RequestOf("maker-x", subject, {SECTION_CONDITION}));

  EXPECT_THAT(replayed, StatusIs(absl::StatusCode::kNotFound, "not found"));
  EXPECT_EQ(replayed.status(), unknown.status());
  EXPECT_FALSE(DetailOf(replayed.status()).has_value());
}

TEST_F(ReleaseTest, SaysThatAnAgreementHasEnded) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});
  clock.Advance(kAgreementLife - absl::Seconds(1));
  EXPECT_THAT(maker.Content(dealer, Node::RequestOf(agreement, subject, {SECTION_CONDITION})), IsOk());
  clock.Advance(absl::Seconds(1));

  EXPECT_THAT(maker.Content(dealer, Node::RequestOf(agreement, subject, {SECTION_CONDITION})),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("request a new one")));
}

TEST_F(ReleaseTest, SaysThatAnAgreementIsForAnotherPurpose) {
  const Caller viewer = CallerOf("viewer", {"viewer"});
  const std::string agreement = AgreementOf(viewer, {SECTION_CONDITION});

  EXPECT_THAT(maker.Content(viewer, Node::RequestOf(agreement, subject, {SECTION_CONDITION}, "marketing")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("expected `reuse`")));
}

TEST_F(ReleaseTest, TellsNothingWhenPolicyDoesNotPermitThePurpose) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});

  EXPECT_THAT(maker.Content(dealer, Node::RequestOf(agreement, subject, {SECTION_CONDITION}, "marketing")),
              StatusIs(absl::StatusCode::kNotFound, "not found"));
}

TEST_F(ReleaseTest, RefusesAnAgreementThatWasTerminated) {
  auto agreement = maker.Agree(dealer, {SECTION_CONDITION}).value();
  internal::v1::StoredAgreement stored;
  *stored.mutable_agreement() = agreement;
  stored.mutable_agreement()->set_state(v1::AGREEMENT_STATE_TERMINATED);
  stored.mutable_agreement()->set_id("maker-terminated");
  audit::Commit commit;
  commit.writes = {store::Put(store::Table::kState, AgreementTable::Key("maker-terminated"), Encode(stored))};
  ASSERT_THAT(maker.records.journal().SubmitAndWait(std::move(commit)), IsOk());

  EXPECT_THAT(maker.Content(dealer, Node::RequestOf("maker-terminated", subject, {SECTION_CONDITION})),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(ReleaseTest, GivesReasonsWhereSomethingElseMayBeSeen) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});

  EXPECT_THAT(
      maker.Content(dealer, Node::RequestOf(agreement, subject, {SECTION_MATERIALS, SECTION_HISTORY})),
      StatusIs(absl::StatusCode::kPermissionDenied,
               HasSubstr("materials NO_PERMISSION, history NOT_IN_AGREEMENT")));
}

TEST_F(ReleaseTest, RecordsDenialsOfNamedPartiesWithBatteryAndReasons) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});
  ASSERT_THAT(maker.Content(dealer, Node::RequestOf(agreement, subject, {SECTION_MATERIALS})), Not(IsOk()));

  ASSERT_THAT(maker.Denials(), SizeIs(1));
  EXPECT_EQ(maker.Denials()[0].battery().serial(), "M-1");
  EXPECT_THAT(maker.Denials()[0].reasons(), ElementsAre("materials NO_PERMISSION"));
}

TEST_F(ReleaseTest, AggregatesDenialsOfStrangers) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(maker.Content(outsider, Node::RequestOf("", subject, {SECTION_CONDITION})), Not(IsOk()));
  }
  EXPECT_THAT(maker.Denials(), IsEmpty());
  clock.Advance(absl::Minutes(1));
  maker.denials.Flush();

  ASSERT_THAT(maker.Denials(), SizeIs(1));
  EXPECT_EQ(maker.Denials()[0].count(), 20u);
  EXPECT_FALSE(maker.Denials()[0].has_battery());
}

TEST_F(ReleaseTest, DecidesAgainWhenPoliciesChangeMeanwhile) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION, SECTION_HISTORY});
  maker.source.change = [&](passport::v1::ReadPartsResponse&) {
    maker.source.change = nullptr;
    ASSERT_THAT(maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [history]}]"),
                IsOk());
  };

  const auto response =
      maker.Release(dealer, Node::RequestOf(agreement, subject, {SECTION_CONDITION, SECTION_HISTORY}));

  ASSERT_THAT(response, IsOk());
  v1::ReleasedContent content;
  content.ParseFromString(response->content());
  EXPECT_EQ(Shown(content), BitOf(PART_KIND_HISTORY));
  audit::v1::Record record;
  record.ParseFromString(response->proof().record());
  EXPECT_EQ(record.release().policy_version(), 2u);
  EXPECT_EQ(maker.source.reads, 2);
}

TEST_F(ReleaseTest, DeniesWhenPoliciesAreTakenAwayMeanwhile) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});
  maker.source.change = [&](passport::v1::ReadPartsResponse&) {
    maker.source.change = nullptr;
    ASSERT_THAT(maker.SetPolicies("rules: []"), IsOk());
  };

  EXPECT_THAT(maker.Release(dealer, Node::RequestOf(agreement, subject, {SECTION_CONDITION})),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ReleaseTest, ReleasesNothingThatTheGrantDoesNotOpen) {
  const std::string agreement = AgreementOf(dealer, {SECTION_CONDITION});
  const auto everything = maker.records.Read({subject}, {SECTION_CONDITION, SECTION_MATERIALS}).value();
  maker.source.change = [&](passport::v1::ReadPartsResponse& response) { response = everything; };

  EXPECT_THAT(maker.Release(dealer, Node::RequestOf(agreement, subject, {SECTION_CONDITION})),
              StatusIs(absl::StatusCode::kInternal));
}

TEST_F(ReleaseTest, NeverReleasesPeoplesNames) {
  ASSERT_THAT(
      maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [identity, vehicle, "
                        "structure, materials, condition, history, footprint, diligence, regulation]}]"),
      IsOk());
  std::vector<common::v1::Section> all;
  for (int section = 1; section < 10; ++section) all.push_back(static_cast<common::v1::Section>(section));

  const auto response = maker.Release(dealer, Node::RequestOf(AgreementOf(dealer, all), subject, all));

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(response->content(), HasSubstr("bus bar"));
  EXPECT_THAT(response->content(), Not(HasSubstr("Suzuki")));
}

TEST_F(ReleaseTest, LetsTheOwnerSeeItsDataWithoutAgreement) {
  const auto content =
      maker.Content(maker.Operator(), Node::RequestOf("", subject, {SECTION_MATERIALS, SECTION_VEHICLE}));

  ASSERT_THAT(content, IsOk());
  EXPECT_NE(Shown(*content) & BitOf(PART_KIND_VEHICLE), 0u);
  EXPECT_EQ(maker.Records().back().release().consumer(), maker.did());
}

TEST_F(ReleaseTest, ObeysAnOwnersProhibitionAndTellsTheOwnerWhy) {
  ASSERT_THAT(maker.SetPolicies("rules: [{id: no, action: prohibit, parties: [\"" + maker.did() +
                                "\"], sections: [vehicle]}]"),
              IsOk());

  EXPECT_THAT(maker.Content(maker.Operator(), Node::RequestOf("", subject, {SECTION_VEHICLE})),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("vehicle PROHIBITED")));
}

TEST_F(ReleaseTest, RefusesBadRequestsBeforeAnythingElse) {
  v1::ReleaseRequest request = Node::RequestOf("", subject, {});
  EXPECT_THAT(maker.Release(outsider, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("sections")));
  request = Node::RequestOf("", subject, {SECTION_CONDITION}, "");
  EXPECT_THAT(maker.Release(outsider, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("purpose")));
  request = Node::RequestOf("", testing::VehicleSubject(std::string(65, 'x')), {SECTION_CONDITION});
  EXPECT_THAT(maker.Release(outsider, request),
              StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("xxx"))));
}

}  // namespace
}  // namespace tsunagi::connector
