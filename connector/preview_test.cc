#include "connector/transfer/preview.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/evidence_keys.h"
#include "tests/support/connector_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::connector {
namespace {

using common::v1::SECTION_CONDITION;
using common::v1::SECTION_HISTORY;
using common::v1::SECTION_LOOKUP;
using common::v1::SECTION_MATERIALS;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsOk;
using testing::SizeIs;
using testing::StatusIs;

class PreviewTest : public testing::ConnectorTest {
 protected:
  PreviewTest() { federation.Add("dealer", {"dealer"}); }

  absl::StatusOr<v1::PurposePreview> Preview(const common::v1::Subject& of,
                                             const std::vector<common::v1::Section>& sections = {},
                                             const std::string& party = "dealer",
                                             const std::string& purpose = "reuse") {
    const auto response = PreviewAll(of, sections, party, purpose);
    if (!response.ok()) return response.status();
    EXPECT_THAT(response->previews(), SizeIs(1));
    EXPECT_EQ(response->previews(0).purpose(), purpose);
    return response->previews(0);
  }
  absl::StatusOr<v1::PreviewReleaseResponse> PreviewAll(const common::v1::Subject& of,
                                                        const std::vector<common::v1::Section>& sections,
                                                        const std::string& party = "dealer",
                                                        const std::string& purpose = "") {
    v1::PreviewReleaseRequest request;
    request.set_party(party);
    *request.mutable_subject() = of;
    for (const common::v1::Section section : sections) request.add_sections(section);
    request.set_purpose(purpose);
    return testing::Await<v1::PreviewReleaseResponse>(
        [&](auto done) { maker.previews.Preview(maker.Operator(), request, std::move(done)); });
  }
  static const v1::PreviewedSection& Row(const v1::PurposePreview& preview, common::v1::Section section) {
    for (const v1::PreviewedSection& row : preview.sections()) {
      if (row.section() == section) return row;
    }
    return v1::PreviewedSection::default_instance();
  }
};

TEST_F(PreviewTest, ShowsWhatThePartyWouldGetAndWhyNotTheRest) {
  ASSERT_THAT(maker.SetPolicies(
                  "rules: [{id: d, action: permit, roles: [dealer], sections: [condition, regulation]}, "
                  "{id: no, action: prohibit, roles: [dealer], sections: [materials]}]"),
              IsOk());

  const auto preview = Preview(subject);

  ASSERT_THAT(preview, IsOk());
  EXPECT_THAT(preview->sections(), SizeIs(9));
  EXPECT_TRUE(Row(*preview, SECTION_CONDITION).released());
  EXPECT_THAT(Row(*preview, SECTION_CONDITION).parts(),
              ElementsAre(passport::v1::PART_KIND_CONDITION, passport::v1::PART_KIND_CONDITION_SERIES));
  EXPECT_THAT(Row(*preview, SECTION_CONDITION).rules(), ElementsAre("d"));
  EXPECT_EQ(Row(*preview, SECTION_MATERIALS).reason(), "PROHIBITED");
  EXPECT_THAT(Row(*preview, SECTION_MATERIALS).rules(), ElementsAre("no"));
  EXPECT_EQ(Row(*preview, common::v1::SECTION_REGULATION).reason(), "NO_DATA");
  EXPECT_EQ(Row(*preview, SECTION_HISTORY).reason(), "NO_PERMISSION");
  EXPECT_TRUE(preview->agreement().empty());
}

TEST_F(PreviewTest, NamesTheRunningAgreement) {
  ASSERT_THAT(maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [condition]}]"),
              IsOk());
  const std::string agreement = maker.Agree(dealer, {SECTION_CONDITION, SECTION_HISTORY}).value().id();

  EXPECT_EQ(Preview(subject)->agreement(), agreement);
  EXPECT_EQ(Preview(subject, {}, "dealer", "resale")->agreement(), "");
}

TEST_F(PreviewTest, ShowsEachPurposeThatRulesAboutThePartyName) {
  ASSERT_THAT(maker.SetPolicies(R"(rules:
  - {id: d, action: permit, roles: [dealer], purposes: [reuse, audit], sections: [condition]}
  - {id: h, action: permit, roles: [dealer], purposes: [reuse], sections: [history]}
  - {id: o, action: permit, roles: [oem], purposes: [recall], sections: [history]}
  - {id: m, action: permit, roles: [oem], parties: ["did:web:x.example"], purposes: [sale], sections: [history]})"),
              IsOk());

  const auto response = PreviewAll(subject, {SECTION_HISTORY});

  ASSERT_THAT(response, IsOk());
  ASSERT_THAT(response->previews(), SizeIs(2));
  EXPECT_EQ(response->previews(0).purpose(), "audit");
  EXPECT_EQ(Row(response->previews(0), SECTION_HISTORY).reason(), "PURPOSE_NOT_PERMITTED");
  EXPECT_EQ(response->previews(1).purpose(), "reuse");
  EXPECT_TRUE(Row(response->previews(1), SECTION_HISTORY).released());
}

TEST_F(PreviewTest, ShowsOneForAnyPurposeWhenRulesNameNone) {
  ASSERT_THAT(maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [condition]}]"),
              IsOk());

  const auto response = PreviewAll(testing::VehicleSubject(kChassis), {});
  const auto by_battery = PreviewAll(subject, {});

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(response->previews(), SizeIs(1));
  ASSERT_THAT(by_battery, IsOk());
  ASSERT_THAT(by_battery->previews(), SizeIs(1));
  EXPECT_EQ(by_battery->previews(0).purpose(), "");
  EXPECT_TRUE(Row(by_battery->previews(0), SECTION_CONDITION).released());
}

TEST_F(PreviewTest, AsksForAPurposeWhenThereAreMoreThanSixteen) {
  std::vector<std::string> purposes;
  for (int i = 0; i < 17; ++i) purposes.push_back(absl::StrCat("p", i));
  ASSERT_THAT(maker.SetPolicies(absl::StrCat("rules: [{id: d, action: permit, roles: [dealer], purposes: [",
                                             absl::StrJoin(purposes, ","), "], sections: [condition]}]")),
              IsOk());

  EXPECT_THAT(PreviewAll(subject, {}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("`purpose`")));
}

TEST_F(PreviewTest, GivesReasonsWhereThePartyGetsNothing) {
  ASSERT_THAT(maker.SetPolicies(
                  "rules: [{id: d, action: permit, roles: [dealer], purposes: [x], sections: [condition]}]"),
              IsOk());

  const auto preview = Preview(subject, {SECTION_CONDITION});

  ASSERT_THAT(preview, IsOk());
  EXPECT_FALSE(Row(*preview, SECTION_CONDITION).released());
  EXPECT_EQ(Row(*preview, SECTION_CONDITION).reason(), "PURPOSE_NOT_PERMITTED");
  EXPECT_TRUE(preview->content().empty());
  EXPECT_EQ(maker.source.reads, 0);
}

TEST_F(PreviewTest, LeavesNoTrace) {
  ASSERT_THAT(
      maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [condition, lookup], "
                        "daily_lookups: 1}]"),
      IsOk());
  const size_t leaves = maker.Records().size();

  ASSERT_THAT(Preview(subject), IsOk());
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Preview(testing::VehicleSubject(kChassis)), IsOk());

  EXPECT_EQ(maker.Records().size(), leaves);
  EXPECT_THAT(maker.table.List({})->agreements(), IsEmpty());
}

TEST_F(PreviewTest, ShowsAnUnknownBatteryAsWithoutData) {
  ASSERT_THAT(maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [condition]}]"),
              IsOk());

  const auto preview =
      Preview(testing::SubjectOf(testing::Battery(maker.did(), "NONE")), {SECTION_CONDITION});

  ASSERT_THAT(preview, IsOk());
  EXPECT_EQ(Row(*preview, SECTION_CONDITION).reason(), "NO_DATA");
}

TEST_F(PreviewTest, NamesAnUnknownParty) {
  EXPECT_THAT(Preview(subject, {}, "nobody"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("nobody")));
}

TEST_F(PreviewTest, SaysThatASuspendedPartyGetsNothing) {
  ASSERT_THAT(federation.Suspend("dealer"), IsOk());

  EXPECT_THAT(Preview(subject), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("suspended")));
}

TEST_F(PreviewTest, ShowsThatTheWayByVehicleIsClosed) {
  ASSERT_THAT(maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [condition]}]"),
              IsOk());

  const auto preview = Preview(testing::VehicleSubject(kChassis), {SECTION_CONDITION, SECTION_LOOKUP});

  ASSERT_THAT(preview, IsOk());
  EXPECT_EQ(Row(*preview, SECTION_LOOKUP).reason(), "NO_PERMISSION");
  EXPECT_FALSE(Row(*preview, SECTION_CONDITION).released());
  EXPECT_EQ(maker.source.reads, 0);
}

// What was previewed is what the party then gets: for random policies, sections, by serial and by vehicle.
// The party is a real consumer, with agreements that it keeps and uses again.
class PreviewEqualsReleaseTest : public testing::ConnectorTest {
 protected:
  PreviewEqualsReleaseTest() {
    consumer_.federation.caller = std::make_shared<Caller>(consumer_caller_);
    consumer_.federation.nodes[maker.did()] = &maker;
  }

  size_t Pick(size_t n) { return static_cast<size_t>(engine_() % n); }

  // Rules for the party. Duties and rules for some serials exclude each other: an agreement is about all
  // serials.
  std::string RandomPolicies() {
    const std::vector<std::string> words = {"identity",  "vehicle", "structure", "materials",
                                            "condition", "history", "lookup"};
    const bool some_serials = Pick(2) == 0;
    std::string yaml = "rules:\n";
    for (size_t i = 0; i < 1 + Pick(4); ++i) {
      absl::StrAppend(&yaml, "  - {id: r", i, ", action: ", Pick(4) != 0 ? "permit" : "prohibit",
                      ", parties: [\"", consumer_.did(), "\"], sections: [", words[Pick(7)], ", ",
                      words[Pick(7)], Pick(3) == 0 ? ", condition], fields: [condition.latest]" : "]");
      if (Pick(3) == 0) absl::StrAppend(&yaml, ", purposes: [", Pick(2) == 0 ? "reuse" : "other", "]");
      if (some_serials && Pick(2) == 0)
        absl::StrAppend(&yaml, ", serial_prefix: ", Pick(2) == 0 ? "M-" : "X-");
      if (!some_serials && Pick(2) == 0) absl::StrAppend(&yaml, ", obligations: [duty-", Pick(3), "]");
      yaml += "}\n";
    }
    return yaml;
  }
  Question RandomQuestion() {
    Question question;
    for (size_t i = 0; i < 1 + Pick(4); ++i) question.sections |= 2u << Pick(9);
    question.subject = Pick(3) == 0 ? testing::VehicleSubject(kChassis) : subject;
    if (question.subject.has_vehicle()) question.sections |= policy::BitOf(SECTION_LOOKUP);
    question.purpose = "reuse";
    return question;
  }
  v1::PurposePreview Preview(const Question& question) {
    v1::PreviewReleaseRequest request;
    request.set_party("consumer");
    *request.mutable_subject() = question.subject;
    for (const policy::Section section : policy::SectionsIn(question.sections)) request.add_sections(section);
    request.set_purpose(question.purpose);
    return testing::Await<v1::PreviewReleaseResponse>(
               [&](auto done) { maker.previews.Preview(maker.Operator(), request, std::move(done)); })
        .value()
        .previews(0);
  }
  Asked Ask(const Question& question) {
    const auto view = federation.trust().View();
    return consumer_.holders.Ask(consumer_.Operator(), view->Find("maker").value(), question,
                                 identity::EvidenceKeys(view, federation.name(), clock.Now()), 0);
  }

  std::mt19937 engine_{20261121};
  testing::TestConnectorNode consumer_{federation, clock, "consumer", 2};
  const Caller consumer_caller_ = CallerOf("consumer", {});
};

TEST_F(PreviewEqualsReleaseTest, ForRandomPolicies) {
  int released = 0;
  for (int round = 0; round < 120; ++round) {
    if (round % 3 == 0) {
      ASSERT_THAT(maker.SetPolicies(RandomPolicies()), IsOk());
    }
    const Question question = RandomQuestion();

    const v1::PurposePreview preview = Preview(question);
    const Asked asked = Ask(question);

    ASSERT_EQ(preview.content().empty(), !asked.release.has_value()) << asked.answer.DebugString();
    if (!asked.release.has_value()) continue;
    ++released;
    const v1::ReleasedContent& content = asked.release->content;
    ASSERT_EQ(preview.content(), asked.release->response.content());
    const auto withheld = Withheld(content);
    for (const v1::PreviewedSection& row : preview.sections()) {
      const auto reason = withheld.find(row.section());
      EXPECT_EQ(row.reason(), reason == withheld.end() ? "" : reason->second);
      policy::PartMask parts = 0;
      for (const int part : row.parts()) parts |= policy::BitOf(static_cast<passport::v1::PartKind>(part));
      EXPECT_EQ(parts, Shown(content) & policy::PartsOf(row.section()));
    }
  }
  EXPECT_GT(released, 20);
}

}  // namespace
}  // namespace tsunagi::connector
