#include "connector/transfer/resolve.h"

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "connector/transfer/fan_out.h"
#include "connector/transfer/notices.h"
#include "core/audit/receipt.h"
#include "core/base/proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/connector_node.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/audit/v1/proof.pb.h"

namespace tsunagi::connector {
namespace {

using common::v1::SECTION_CONDITION;
using common::v1::SECTION_HISTORY;
using common::v1::SECTION_IDENTITY;
using common::v1::SECTION_MATERIALS;
using common::v1::SECTION_VEHICLE;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsOk;
using testing::Not;
using testing::SizeIs;
using testing::StatusIs;

constexpr char kId[] = "7d2f6a0e-8b1c-4a37-9f54-0c1e5b6a9d21";
constexpr char kOpen[] = R"(
rules:
  - {id: d, action: permit, roles: [dealer], sections: [identity, condition, history], obligations: [cite]}
)";

// A cell maker, an OEM that mounted the module, a workshop that measured it, and a dealer that asks.
class ResolveTest : public testing::ConnectorTest {
 protected:
  static constexpr char kCar[] = "ZE2-000777";

  void SetUp() override {
    dealer_.federation.caller = std::make_shared<Caller>(dealer);
    for (testing::TestConnectorNode* node : {&maker, &oem_, &workshop_})
      dealer_.federation.nodes[node->did()] = node;
    ASSERT_THAT(maker.SetPolicies(kOpen), IsOk());
    ASSERT_THAT(workshop_.SetPolicies(kOpen), IsOk());
    ASSERT_THAT(
        oem_.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [lookup, history]}]"),
        IsOk());
    ASSERT_THAT(workshop_.records.Import({testing::Measured(battery, "2026-03-01", "83.2")}), IsOk());
    ASSERT_THAT(oem_.records.Import({testing::Mounted(battery, "2025-06-01", kCar)}), IsOk());
    AddHolder(workshop_.did());
  }

  void AddHolder(const std::string& did) {
    dealer_.federation.holders[maker.did()].add_holders()->set_participant(did);
  }
  v1::ResolveRequest RequestOf(const common::v1::Subject& of,
                               const std::vector<common::v1::Section>& sections) const {
    v1::ResolveRequest request;
    *request.mutable_subject() = of;
    for (const common::v1::Section section : sections) request.add_sections(section);
    request.set_purpose("reuse");
    return request;
  }
  absl::StatusOr<v1::ResolveResponse> Resolve(const v1::ResolveRequest& request) {
    return dealer_.resolver.Resolve(dealer_.Operator(), request);
  }
  absl::StatusOr<v1::ResolveResponse> Resolve(const std::vector<common::v1::Section>& sections) {
    return Resolve(RequestOf(subject, sections));
  }
  static std::string OutcomeOf(const v1::ResolveResponse& response, const std::string& did) {
    for (const v1::HolderAnswer& answer : response.answers()) {
      if (answer.participant() == did) return answer.outcome();
    }
    return "";
  }
  static std::set<std::string> ReleasedBy(const v1::ResolveResponse& response, common::v1::Section section) {
    std::set<std::string> released;
    for (const v1::Statement& statement : response.statements()) {
      if (statement.section() == section) released.insert(statement.released_by());
    }
    return released;
  }

  testing::TestConnectorNode oem_{federation, clock, "oem", 3};
  testing::TestConnectorNode workshop_{federation, clock, "workshop", 4};
  testing::TestConnectorNode dealer_{federation, clock, "dealer", 5};
};

TEST_F(ResolveTest, MergesWhatEveryHolderReleases) {
  const auto response = Resolve({SECTION_IDENTITY, SECTION_CONDITION});

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->battery().serial(), "M-1");
  EXPECT_EQ(OutcomeOf(*response, maker.did()), "RELEASED");
  EXPECT_EQ(OutcomeOf(*response, workshop_.did()), "RELEASED");
  EXPECT_THAT(response->answers(), SizeIs(2));
  EXPECT_THAT(ReleasedBy(*response, SECTION_IDENTITY), ElementsAre(maker.did()));
  EXPECT_THAT(ReleasedBy(*response, SECTION_CONDITION), ElementsAre(maker.did(), workshop_.did()));
}

TEST_F(ResolveTest, SaysWhoSaidItWhenAndUnderWhichAgreement) {
  const auto response = Resolve({SECTION_IDENTITY});
  ASSERT_THAT(response, IsOk());
  ASSERT_THAT(response->statements(), SizeIs(1));

  const v1::Statement& statement = response->statements(0);

  EXPECT_EQ(statement.author(), maker.did());
  EXPECT_EQ(statement.kind(), passport::v1::PART_KIND_IDENTITY);
  EXPECT_TRUE(statement.in_passport());
  EXPECT_TRUE(statement.has_occurred_at());
  EXPECT_FALSE(statement.has_dated_at());
  EXPECT_THAT(statement.agreement(), testing::StartsWith("maker-"));
  EXPECT_THAT(response->answers(0).obligations(), ElementsAre("cite"));
}

TEST_F(ResolveTest, TellsWhatIsWithheldAndWhy) {
  const auto response = Resolve({SECTION_IDENTITY, SECTION_MATERIALS});

  ASSERT_THAT(response, IsOk());
  ASSERT_THAT(response->answers(0).withheld(), SizeIs(1));
  EXPECT_EQ(response->answers(0).withheld(0).reason(), "NO_PERMISSION");
  EXPECT_THAT(ReleasedBy(*response, SECTION_MATERIALS), IsEmpty());
}

TEST_F(ResolveTest, UsesAgreementsAgain) {
  ASSERT_THAT(Resolve({SECTION_CONDITION}), IsOk());
  const int asked = dealer_.federation.agreements_asked;
  ASSERT_THAT(Resolve({SECTION_CONDITION}), IsOk());

  EXPECT_EQ(dealer_.federation.agreements_asked, asked);
}

TEST_F(ResolveTest, MakesANewAgreementWhenPolicyPermitsMore) {
  ASSERT_THAT(Resolve({SECTION_IDENTITY, SECTION_MATERIALS}), IsOk());
  ASSERT_THAT(
      maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [identity, materials]}]"),
      IsOk());

  const auto response = Resolve({SECTION_IDENTITY, SECTION_MATERIALS});

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(ReleasedBy(*response, SECTION_MATERIALS), ElementsAre(maker.did()));
}

TEST_F(ResolveTest, AnswersInPartWhenAHolderIsAway) {
  dealer_.federation.unreachable.insert(workshop_.did());

  const auto response = Resolve({SECTION_CONDITION});

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(OutcomeOf(*response, workshop_.did()), "UNREACHABLE");
  EXPECT_THAT(ReleasedBy(*response, SECTION_CONDITION), ElementsAre(maker.did()));
}

TEST_F(ResolveTest, AnswersInPartWhenAHolderRefuses) {
  ASSERT_THAT(workshop_.SetPolicies("rules: []"), IsOk());

  const auto response = Resolve({SECTION_CONDITION});

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(OutcomeOf(*response, workshop_.did()), "NOT_FOUND");
  EXPECT_THAT(ReleasedBy(*response, SECTION_CONDITION), ElementsAre(maker.did()));
}

TEST_F(ResolveTest, AnswersWithNothingWhenNobodyHasAnything) {
  const auto response =
      Resolve(RequestOf(testing::SubjectOf(testing::Battery(maker.did(), "NONE")), {SECTION_CONDITION}));

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(response->statements(), IsEmpty());
  EXPECT_EQ(OutcomeOf(*response, maker.did()), "NOT_FOUND");
}

TEST_F(ResolveTest, AddsWhatItsOwnNodeHolds) {
  ASSERT_THAT(dealer_.records.Import({testing::Measured(battery, "2026-05-01", "82.0")}), IsOk());

  const auto response = Resolve({SECTION_CONDITION});

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(ReleasedBy(*response, SECTION_CONDITION), Contains(dealer_.did()));
}

TEST_F(ResolveTest, AsksParticipantsThatAreNamed) {
  dealer_.federation.holders.clear();
  v1::ResolveRequest request = RequestOf(subject, {SECTION_CONDITION});
  request.add_participants("workshop");

  const auto response = Resolve(request);

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(OutcomeOf(*response, workshop_.did()), "RELEASED");
}

TEST_F(ResolveTest, RefusesAnUnknownParticipant) {
  v1::ResolveRequest request = RequestOf(subject, {SECTION_CONDITION});
  request.add_participants("nobody");

  EXPECT_THAT(Resolve(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nobody")));
}

TEST_F(ResolveTest, DoesNotAskTheSuspended) {
  ASSERT_THAT(federation.Suspend("workshop"), IsOk());

  const auto response = Resolve({SECTION_CONDITION});

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(OutcomeOf(*response, workshop_.did()), "");
  EXPECT_THAT(response->warnings(), Contains(HasSubstr("suspended")));
  EXPECT_EQ(workshop_.source.reads, 0);
}

TEST_F(ResolveTest, FindsTheBatteryByVehicleAndThenAsksEveryHolder) {
  v1::ResolveRequest request = RequestOf(testing::VehicleSubject(kCar), {SECTION_CONDITION, SECTION_VEHICLE});
  request.add_participants("oem");

  const auto response = Resolve(request);

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->battery().serial(), "M-1");
  EXPECT_THAT(ReleasedBy(*response, SECTION_CONDITION), ElementsAre(maker.did(), workshop_.did()));
  EXPECT_THAT(ReleasedBy(*response, SECTION_VEHICLE), IsEmpty());
}

TEST_F(ResolveTest, SaysWhichOtherBatteryTheVehicleHas) {
  ASSERT_THAT(
      oem_.records.Import({testing::Mounted(testing::Battery(maker.did(), "M-2"), "2025-06-01", kCar)}),
      IsOk());
  v1::ResolveRequest request = RequestOf(testing::VehicleSubject(kCar), {SECTION_CONDITION});
  request.add_participants("oem");

  const auto response = Resolve(request);

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->battery().serial(), "M-1");
  EXPECT_THAT(response->warnings(), Contains(HasSubstr("has another battery, `M-2`")));
}

TEST_F(ResolveTest, AsksAgainByTheBatteryWhoDidNotKnowTheVehicle) {
  dealer_.federation.holders.clear();
  v1::ResolveRequest request = RequestOf(testing::VehicleSubject(kCar), {SECTION_CONDITION});
  request.add_participants("workshop");
  request.add_participants("oem");

  const auto response = Resolve(request);

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(ReleasedBy(*response, SECTION_CONDITION), Contains(workshop_.did()));
  EXPECT_EQ(OutcomeOf(*response, workshop_.did()), "RELEASED");
}

TEST_F(ResolveTest, AsksTheHoldersOfTheVehiclesNamespace) {
  federation.Add("ze9-maker").add_namespaces()->set_chassis_type("ZE9");
  ASSERT_THAT(federation.Publish(), IsOk());

  const auto response = Resolve(RequestOf(testing::VehicleSubject("ZE9-000001"), {SECTION_CONDITION}));

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(OutcomeOf(*response, federation.DidOf("ze9-maker")), "UNREACHABLE");
  EXPECT_FALSE(response->has_battery());
}

TEST_F(ResolveTest, FollowsALinkByItsDomain) {
  federation.Add("a-maker").add_namespaces()->set_link_domain("id.maker.example");
  federation.Entry("maker").add_namespaces()->set_link_domain("id.maker.example");
  ASSERT_THAT(federation.Publish(), IsOk());
  v1::ResolveRequest request = RequestOf(subject, {SECTION_CONDITION});
  request.set_link("https://id.maker.example/battery/M-1");
  EXPECT_THAT(Resolve(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not both")));
  request.clear_subject();

  const auto response = Resolve(request);

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->battery().manufacturer(), maker.did());
  EXPECT_THAT(ReleasedBy(*response, SECTION_CONDITION), ElementsAre(maker.did(), workshop_.did()));
}

TEST_F(ResolveTest, SaysThatALinkCannotBeRouted) {
  v1::ResolveRequest request = RequestOf(subject, {SECTION_CONDITION});
  request.clear_subject();
  request.set_link("https://nobody.example/battery/M-1");

  EXPECT_THAT(Resolve(request),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("`nobody.example`")));
}

TEST_F(ResolveTest, SaysThatAVehicleCannotBeRouted) {
  const auto response = Resolve(RequestOf(testing::VehicleSubject("XX1-000001"), {SECTION_CONDITION}));

  EXPECT_THAT(response, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("`participants`")));
  EXPECT_THAT(std::string(response.status().message()), Not(HasSubstr("XX1")));
}

TEST_F(ResolveTest, GivesReceiptsThatVerify) {
  v1::ResolveRequest request = RequestOf(subject, {SECTION_IDENTITY});
  request.set_receipts(true);

  const auto response = Resolve(request);

  ASSERT_THAT(response, IsOk());
  ASSERT_THAT(response->receipts(), SizeIs(1));
  audit::v1::Receipt receipt;
  ASSERT_THAT(DecodeCanonical(response->receipts(0), "receipt", receipt), IsOk());
  EXPECT_THAT(audit::VerifyLogProof(receipt.proof(), maker.records.journal().origin(),
                                    maker.records.journal().log_key()),
              IsOk());
  EXPECT_FALSE(receipt.directory_chain().empty());
  identity::v1::Participant provider;
  ASSERT_TRUE(provider.ParseFromString(receipt.provider_entry().payload()));
  EXPECT_EQ(provider.did(), maker.did());
}

struct Tampering {
  const char* name;
  void (*change)(v1::ReleaseResponse&);
};

void ChangeRecord(v1::ReleaseResponse& response,
                  const std::function<void(audit::v1::ReleaseRecord&)>& change) {
  audit::v1::Record record;
  record.ParseFromString(response.proof().record());
  change(*record.mutable_release());
  response.mutable_proof()->set_record(Encode(record));
}

void ChangeContent(v1::ReleaseResponse& response, const std::function<void(v1::ReleasedContent&)>& change) {
  v1::ReleasedContent content;
  content.ParseFromString(response.content());
  change(content);
  response.set_content(Encode(content));
}

class TamperedReleaseTest : public ResolveTest, public testing::WithParamInterface<Tampering> {};

TEST_P(TamperedReleaseTest, IsInvalidAndLeftOut) {
  dealer_.federation.change_release = GetParam().change;

  const auto response = Resolve({SECTION_IDENTITY, SECTION_CONDITION});

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(OutcomeOf(*response, maker.did()), "INVALID");
  EXPECT_THAT(response->statements(), IsEmpty());
  EXPECT_THAT(response->warnings(), Contains(HasSubstr("left out")));
}

INSTANTIATE_TEST_SUITE_P(
    Releases, TamperedReleaseTest,
    testing::Values(
        Tampering{"Content", [](v1::ReleaseResponse& r) { r.mutable_content()->back() ^= 1; }},
        Tampering{"NoContent", [](v1::ReleaseResponse& r) { r.clear_content(); }},
        Tampering{"Duties",
                  [](v1::ReleaseResponse& r) { ChangeContent(r, [](auto& c) { c.clear_obligations(); }); }},
        Tampering{"Consumer",
                  [](v1::ReleaseResponse& r) {
                    ChangeRecord(r, [](auto& x) { x.set_consumer("did:web:x.example"); });
                  }},
        Tampering{"Purpose",
                  [](v1::ReleaseResponse& r) { ChangeRecord(r, [](auto& x) { x.set_purpose("other"); }); }},
        Tampering{"Agreement",
                  [](v1::ReleaseResponse& r) { ChangeRecord(r, [](auto& x) { x.set_agreement("a"); }); }},
        Tampering{"RecordOnly",
                  [](v1::ReleaseResponse& r) { ChangeRecord(r, [](auto& x) { x.set_policy_version(99); }); }},
        Tampering{"NoProof", [](v1::ReleaseResponse& r) { r.clear_proof(); }},
        Tampering{"Salt", [](v1::ReleaseResponse& r) { r.mutable_proof()->mutable_salt()->back() ^= 1; }},
        Tampering{"Checkpoint",
                  [](v1::ReleaseResponse& r) { r.mutable_proof()->mutable_checkpoint()->at(3) ^= 1; }},
        Tampering{"Index", [](v1::ReleaseResponse& r) { r.mutable_proof()->set_leaf_index(0); }}),
    [](const auto& test) { return std::string(test.param.name); });

// The provider itself may lie about another's words: the author's signature tells.
TEST_F(ResolveTest, LeavesOutEventsThatTheirAuthorDidNotSign) {
  workshop_.source.change = [](passport::v1::ReadPartsResponse& response) {
    for (passport::v1::ReadParts& parts : *response.mutable_batteries()) {
      passport::v1::EventSet set;
      set.ParseFromString(parts.events());
      for (passport::v1::EventDisclosure& event : *set.mutable_events()) {
        for (passport::v1::SlotDisclosure& slot : *event.mutable_slots()) {
          if (slot.has_open()) slot.mutable_open()->mutable_content()->back() ^= 1;
        }
      }
      parts.set_events(set.SerializeAsString());
    }
  };

  const auto response = Resolve({SECTION_CONDITION});

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(OutcomeOf(*response, workshop_.did()), "INVALID");
  EXPECT_THAT(ReleasedBy(*response, SECTION_CONDITION), ElementsAre(maker.did()));
}

TEST_F(ResolveTest, TrustsNoAgreementWithAWrongSignature) {
  dealer_.federation.change_agreement = [](v1::RequestAgreementResponse& response) {
    response.mutable_agreement()->mutable_signature()->back() ^= 1;
  };

  const auto response = Resolve({SECTION_CONDITION});

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(OutcomeOf(*response, maker.did()), "INVALID");
  EXPECT_EQ(maker.source.reads, 0);
}

TEST(FanOutTest, DoesEveryJobOnce) {
  std::vector<std::atomic<int>> done(100);

  FanOut(done.size(), 8, [&](size_t i) { ++done[i]; });

  for (const std::atomic<int>& count : done) EXPECT_EQ(count, 1);
}

TEST(FanOutTest, DoesNothingForNothing) {
  FanOut(0, 8, [](size_t) { FAIL(); });
}

TEST_F(ResolveTest, FilesNoticesWithEachManufacturer) {
  v1::FileHolderNoticesRequest request;
  request.set_request_id(kId);
  for (const char* serial : {"A", "B"}) *request.add_batteries() = testing::Battery(maker.did(), serial);
  *request.add_batteries() = testing::Battery(oem_.did(), "C");
  request.add_sections(SECTION_CONDITION);
  request.add_visible_to_roles("dealer");

  const auto filed = FileHolderNotices(dealer_.federation, request);

  ASSERT_THAT(filed, IsOk());
  EXPECT_EQ(filed->filed(), 3u);
  ASSERT_THAT(dealer_.federation.filed[maker.did()], SizeIs(1));
  EXPECT_THAT(dealer_.federation.filed[maker.did()][0].notices(), SizeIs(2));
  EXPECT_THAT(dealer_.federation.filed[maker.did()][0].notices(0).visible_to_roles(), ElementsAre("dealer"));
  EXPECT_THAT(dealer_.federation.filed[oem_.did()], SizeIs(1));
}

TEST_F(ResolveTest, FilesTheSameRequestWithTheSameIdsAndEachManufacturerWithAnother) {
  v1::FileHolderNoticesRequest request;
  request.set_request_id(kId);
  *request.add_batteries() = testing::Battery(maker.did(), "A");
  *request.add_batteries() = testing::Battery(oem_.did(), "C");
  request.add_sections(SECTION_CONDITION);
  for (int i = 0; i < 2; ++i) ASSERT_THAT(FileHolderNotices(dealer_.federation, request), IsOk());
  request.set_request_id(NewUuid(dealer_.random));
  ASSERT_THAT(FileHolderNotices(dealer_.federation, request), IsOk());

  const auto& filed = dealer_.federation.filed[maker.did()];
  ASSERT_THAT(filed, SizeIs(3));
  EXPECT_TRUE(IsUuid(filed[0].request_id())) << filed[0].request_id();
  EXPECT_EQ(filed[0].request_id(), filed[1].request_id());
  EXPECT_NE(filed[0].request_id(), filed[2].request_id());
  EXPECT_NE(filed[0].request_id(), dealer_.federation.filed[oem_.did()][0].request_id());
}

TEST_F(ResolveTest, RefusesNoticesWithoutARequestId) {
  v1::FileHolderNoticesRequest request;
  *request.add_batteries() = battery;
  request.add_sections(SECTION_CONDITION);

  EXPECT_THAT(FileHolderNotices(dealer_.federation, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("`request_id`")));
}

TEST_F(ResolveTest, SaysWhichCatalogDidNotTakeNotices) {
  dealer_.federation.unreachable.insert(maker.did());
  v1::FileHolderNoticesRequest request;
  request.set_request_id(kId);
  *request.add_batteries() = battery;
  request.add_sections(SECTION_CONDITION);

  EXPECT_THAT(FileHolderNotices(dealer_.federation, request),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(maker.did())));
}

TEST_F(ResolveTest, RefusesNoticesAboutNothing) {
  v1::FileHolderNoticesRequest request;
  request.set_request_id(kId);
  EXPECT_THAT(FileHolderNotices(dealer_.federation, request), StatusIs(absl::StatusCode::kInvalidArgument));
  *request.add_batteries() = battery;
  EXPECT_THAT(FileHolderNotices(dealer_.federation, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("sections")));
}

}  // namespace
}  // namespace tsunagi::connector
