#include "connector/negotiation/agreements.h"

#include <future>
#include <set>
#include <string>
#include <vector>

#include "connector/negotiation/obtain.h"
#include "core/base/proto.h"
#include "core/crypto/digest.h"
#include "core/crypto/envelope.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/connector_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::connector {
namespace {

using common::v1::SECTION_CONDITION;
using common::v1::SECTION_HISTORY;
using common::v1::SECTION_MATERIALS;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsOk;
using testing::SizeIs;
using testing::StartsWith;
using testing::StatusIs;

constexpr char kPolicies[] = R"(
rules:
  - {id: dealers, action: permit, roles: [dealer], purposes: [reuse], sections: [condition, history], obligations: [b-duty, a-duty]}
  - {id: lot, action: permit, roles: [recycler], sections: [materials], serial_prefix: LOT-}
)";

class AgreementsTest : public testing::ConnectorTest {
 protected:
  void SetUp() override { ASSERT_THAT(maker.SetPolicies(kPolicies), IsOk()); }
};

TEST_F(AgreementsTest, CoversWhatPolicyPermitsOfWhatWasAsked) {
  const auto agreement = maker.Agree(dealer, {SECTION_CONDITION, SECTION_MATERIALS});

  ASSERT_THAT(agreement, IsOk());
  ASSERT_THAT(agreement->permissions(), SizeIs(1));
  EXPECT_EQ(agreement->permissions(0).serial_prefix(), "");
  EXPECT_THAT(agreement->permissions(0).parts(),
              ElementsAre(passport::v1::PART_KIND_CONDITION, passport::v1::PART_KIND_CONDITION_SERIES));
  EXPECT_THAT(agreement->prohibitions(), IsEmpty());
  EXPECT_THAT(agreement->obligations(), ElementsAre("a-duty", "b-duty"));
  EXPECT_EQ(agreement->provider(), maker.did());
  EXPECT_EQ(agreement->consumer(), dealer.did());
  EXPECT_EQ(agreement->purpose(), "reuse");
  EXPECT_EQ(agreement->state(), v1::AGREEMENT_STATE_FINALIZED);
  EXPECT_EQ(agreement->policy_version(), 1u);
  EXPECT_THAT(agreement->id(), StartsWith("maker-"));
  EXPECT_THAT(agreement->id(), SizeIs(6 + 26));
}

TEST_F(AgreementsTest, EndsAfterAYear) {
  const auto agreement = maker.Agree(dealer, {SECTION_CONDITION});

  ASSERT_THAT(agreement, IsOk());
  EXPECT_EQ(FromProto(agreement->expire_time()).value() - FromProto(agreement->agreed_at()).value(),
            absl::Hours(365 * 24));
}

TEST_F(AgreementsTest, IsSignedByTheProvider) {
  const auto response = maker.Agree(dealer, maker.AgreementRequest({SECTION_CONDITION}));

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(crypto::Verify(response->agreement(), kAgreementPayload, maker.own.signing_key.public_key()),
              IsOk());
}

TEST_F(AgreementsTest, RecordsTheAgreement) {
  const auto response = maker.Agree(dealer, maker.AgreementRequest({SECTION_CONDITION}));
  ASSERT_THAT(response, IsOk());

  const audit::v1::Record record = maker.Records().back();

  EXPECT_EQ(record.agreement().state(), "FINALIZED");
  EXPECT_EQ(record.agreement().digest(), crypto::Sha256(response->agreement().payload()));
}

TEST_F(AgreementsTest, RefusesWithoutPolicy) {
  ASSERT_THAT(maker.SetPolicies("rules: []"), IsOk());

  EXPECT_THAT(maker.Agree(dealer, {SECTION_CONDITION}), StatusIs(absl::StatusCode::kNotFound, "not found"));
}

TEST_F(AgreementsTest, RefusesAnotherPurposeLikeAnUnknownThing) {
  EXPECT_EQ(maker.Agree(dealer, {SECTION_CONDITION}, "marketing").status(),
            maker.Agree(outsider, {SECTION_CONDITION}).status());
}

TEST_F(AgreementsTest, AnswersAlikeWhetherOrNotTheSubjectExists) {
  v1::RequestAgreementRequest existing = maker.AgreementRequest({SECTION_CONDITION});
  *existing.mutable_subject() = subject;
  v1::RequestAgreementRequest missing = maker.AgreementRequest({SECTION_CONDITION});
  missing.mutable_subject()->mutable_battery()->set_manufacturer(maker.did());
  missing.mutable_subject()->mutable_battery()->set_serial("NONE");

  EXPECT_EQ(maker.Agree(outsider, existing).status(), maker.Agree(outsider, missing).status());
  EXPECT_EQ(Encode(maker.Agree(dealer, existing)->agreement()),
            Encode(maker.Agree(dealer, missing)->agreement()));
  EXPECT_EQ(maker.source.reads, 0);
}

TEST_F(AgreementsTest, CountsDenialsOfStrangersWithoutALeafOfTheirOwn) {
  ASSERT_THAT(maker.Agree(outsider, {SECTION_CONDITION}), StatusIs(absl::StatusCode::kNotFound));

  EXPECT_THAT(maker.Denials(), IsEmpty());
}

TEST_F(AgreementsTest, RecordsDenialsOfNamedParties) {
  ASSERT_THAT(maker.Agree(dealer, {SECTION_MATERIALS}), StatusIs(absl::StatusCode::kNotFound));

  ASSERT_THAT(maker.Denials(), SizeIs(1));
  EXPECT_EQ(maker.Denials()[0].caller(), dealer.did());
}

TEST_F(AgreementsTest, GivesTheRunningAgreementAgain) {
  const auto first = maker.Agree(dealer, {SECTION_CONDITION});
  const auto second = maker.Agree(dealer, {SECTION_CONDITION, SECTION_MATERIALS});

  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(first->id(), second->id());
}

TEST_F(AgreementsTest, MakesAnotherForOtherSections) {
  EXPECT_NE(maker.Agree(dealer, {SECTION_CONDITION})->id(),
            maker.Agree(dealer, {SECTION_CONDITION, SECTION_HISTORY})->id());
}

TEST_F(AgreementsTest, MakesAnotherForAnotherParty) {
  EXPECT_NE(maker.Agree(dealer, {SECTION_CONDITION})->id(),
            maker.Agree(CallerOf("dealer-2", {"dealer"}), {SECTION_CONDITION})->id());
}

TEST_F(AgreementsTest, MakesAnotherWhenTheOldOneHasEnded) {
  const auto first = maker.Agree(dealer, {SECTION_CONDITION});
  clock.Advance(kAgreementLife);

  EXPECT_NE(maker.Agree(dealer, {SECTION_CONDITION})->id(), first->id());
}

TEST_F(AgreementsTest, MakesAnotherWhenTheDutiesChange) {
  const auto first = maker.Agree(dealer, {SECTION_CONDITION});
  ASSERT_THAT(maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [condition]}]"),
              IsOk());

  const auto second = maker.Agree(dealer, {SECTION_CONDITION});

  ASSERT_THAT(second, IsOk());
  EXPECT_NE(second->id(), first->id());
  EXPECT_THAT(second->obligations(), IsEmpty());
}

TEST_F(AgreementsTest, AnswersTheSameRequestAlike) {
  const v1::RequestAgreementRequest request = maker.AgreementRequest({SECTION_CONDITION});
  const auto first = maker.Agree(dealer, request);
  ASSERT_THAT(maker.SetPolicies("rules: []"), IsOk());

  const auto again = maker.Agree(dealer, request);

  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(Encode(*first), Encode(*again));
}

TEST_F(AgreementsTest, RefusesTheSameRequestIdForAnotherRequest) {
  v1::RequestAgreementRequest request = maker.AgreementRequest({SECTION_CONDITION});
  ASSERT_THAT(maker.Agree(dealer, request), IsOk());
  request.add_sections(SECTION_HISTORY);

  EXPECT_THAT(maker.Agree(dealer, request), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(AgreementsTest, MakesOneOfManyRequestsAtOnce) {
  std::vector<std::future<absl::StatusOr<v1::Agreement>>> calls;
  for (int i = 0; i < 3; ++i) {
    calls.push_back(std::async(std::launch::async, [&] { return maker.Agree(dealer, {SECTION_CONDITION}); }));
  }
  std::set<std::string> ids;
  for (auto& call : calls) {
    const auto agreement = call.get();
    if (agreement.ok()) ids.insert(agreement->id());
  }

  EXPECT_THAT(ids, SizeIs(1));
}

TEST_F(AgreementsTest, CountsAPermitForSomeSerials) {
  const auto agreement = maker.Agree(CallerOf("r", {"recycler"}), {SECTION_MATERIALS});

  ASSERT_THAT(agreement, IsOk());
  EXPECT_EQ(agreement->permissions(0).serial_prefix(), "LOT-");
}

TEST_F(AgreementsTest, MakesAnotherWhenTheRulesPermitMoreOfASection) {
  const auto first = maker.Agree(CallerOf("r", {"recycler"}), {SECTION_MATERIALS});
  ASSERT_THAT(maker.SetPolicies("rules: [{id: d, action: permit, roles: [recycler], sections: [materials]}]"),
              IsOk());

  EXPECT_NE(maker.Agree(CallerOf("r", {"recycler"}), {SECTION_MATERIALS})->id(), first->id());
}

struct BadRequest {
  const char* name;
  void (*change)(v1::RequestAgreementRequest&);
  const char* expected;
};

class BadAgreementRequestTest : public AgreementsTest, public testing::WithParamInterface<BadRequest> {};

TEST_P(BadAgreementRequestTest, IsRefusedByName) {
  v1::RequestAgreementRequest request = maker.AgreementRequest({SECTION_CONDITION});
  GetParam().change(request);

  EXPECT_THAT(maker.Agree(dealer, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().expected)));
}

INSTANTIATE_TEST_SUITE_P(
    Requests, BadAgreementRequestTest,
    testing::Values(
        BadRequest{"NoSection", [](v1::RequestAgreementRequest& r) { r.clear_sections(); }, "`sections`"},
        BadRequest{
            "UnknownSection",
            [](v1::RequestAgreementRequest& r) { r.add_sections(static_cast<common::v1::Section>(77)); },
            "`sections` is `77`"},
        BadRequest{"NoPurpose", [](v1::RequestAgreementRequest& r) { r.clear_purpose(); }, "`purpose`"},
        BadRequest{"OddPurpose", [](v1::RequestAgreementRequest& r) { r.set_purpose("Re use"); },
                   "`purpose`"},
        BadRequest{"NoUuid", [](v1::RequestAgreementRequest& r) { r.set_request_id("7"); }, "request_id"},
        BadRequest{"OddSerial",
                   [](v1::RequestAgreementRequest& r) {
                     r.mutable_subject()->mutable_battery()->set_manufacturer("did:web:a.example");
                     r.mutable_subject()->mutable_battery()->set_serial("a b");
                   },
                   "serial"},
        BadRequest{"EmptySubject", [](v1::RequestAgreementRequest& r) { r.mutable_subject(); }, "`subject`"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(AgreementsTest, ListsInOrderByPages) {
  std::set<std::string> made;
  for (int i = 0; i < 5; ++i) {
    made.insert(maker.Agree(CallerOf("dealer-" + std::to_string(i), {"dealer"}), {SECTION_CONDITION})->id());
  }
  v1::ListAgreementsRequest request;
  request.set_page_size(2);
  std::vector<std::string> listed;
  do {
    const auto page = maker.table.List(request);
    ASSERT_THAT(page, IsOk());
    for (const v1::Agreement& agreement : page->agreements()) listed.push_back(agreement.id());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());

  EXPECT_THAT(listed, testing::ElementsAreArray(made));
}

// The consumer's side: what a provider may send back.
class ObtainTest : public AgreementsTest {
 protected:
  ObtainTest() {
    consumer_.federation.caller = std::make_shared<Caller>(dealer);
    consumer_.federation.nodes[maker.did()] = &maker;
  }

  absl::StatusOr<std::shared_ptr<const KnownAgreement>> Obtain(bool anew = false) {
    const auto provider = federation.trust().View()->Find("maker").value();
    return consumer_.obtained.Obtain(*provider, {policy::BitOf(SECTION_CONDITION), "reuse", subject}, anew);
  }
  // Lets the provider sign something else.
  void SignInstead(std::function<void(v1::Agreement&)> change) {
    consumer_.federation.change_agreement = [this, change](v1::RequestAgreementResponse& response) {
      v1::Agreement agreement;
      agreement.ParseFromString(response.agreement().payload());
      change(agreement);
      *response.mutable_agreement() =
          crypto::Sign(maker.own.signing_key, kAgreementPayload, Encode(agreement));
    };
  }

  testing::TestConnectorNode consumer_{federation, clock, "dealer", 2};
};

TEST_F(ObtainTest, AsksOnceAndUsesTheAgreementAgain) {
  const auto first = Obtain();
  const auto second = Obtain();

  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ((*first)->agreement.id(), (*second)->agreement.id());
  EXPECT_EQ(consumer_.federation.agreements_asked, 1);
  EXPECT_EQ(consumer_.Records().back().agreement().agreement(), (*first)->agreement.id());
}

TEST_F(ObtainTest, AsksAgainWhenToldTo) {
  ASSERT_THAT(Obtain(), IsOk());
  ASSERT_THAT(Obtain(true), IsOk());

  EXPECT_EQ(consumer_.federation.agreements_asked, 2);
}

TEST_F(ObtainTest, AsksAgainWhenTheAgreementHasEnded) {
  ASSERT_THAT(Obtain(), IsOk());
  clock.Advance(kAgreementLife);
  ASSERT_THAT(Obtain(), IsOk());

  EXPECT_EQ(consumer_.federation.agreements_asked, 2);
}

TEST_F(ObtainTest, IsNoPermissionForTheProviderToAskTheConsumer) {
  const auto agreement = Obtain();
  ASSERT_THAT(agreement, IsOk());
  ASSERT_THAT(
      consumer_.SetPolicies("rules: [{id: m, action: permit, roles: [maker], sections: [condition]}]"),
      IsOk());

  EXPECT_THAT(consumer_.Release(CallerOf("maker", {"maker"}),
                                testing::TestConnectorNode::RequestOf((*agreement)->agreement.id(), subject,
                                                                      {SECTION_CONDITION})),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ObtainTest, RefusesAWrongSignature) {
  consumer_.federation.change_agreement = [](v1::RequestAgreementResponse& response) {
    response.mutable_agreement()->mutable_payload()->back() ^= 1;
  };

  EXPECT_THAT(Obtain(), StatusIs(absl::StatusCode::kDataLoss));
}

struct ForeignAgreement {
  const char* name;
  void (*change)(v1::Agreement&);
};

class ForeignAgreementTest : public ObtainTest, public testing::WithParamInterface<ForeignAgreement> {};

TEST_P(ForeignAgreementTest, IsRefusedAndNotKept) {
  SignInstead(GetParam().change);

  EXPECT_THAT(Obtain(), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(consumer_.table.List({})->agreements(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Agreements, ForeignAgreementTest,
    testing::Values(
        ForeignAgreement{"OtherConsumer", [](v1::Agreement& a) { a.set_consumer("did:web:x.example"); }},
        ForeignAgreement{"OtherProvider", [](v1::Agreement& a) { a.set_provider("did:web:x.example"); }},
        ForeignAgreement{"OtherPurpose", [](v1::Agreement& a) { a.set_purpose("marketing"); }},
        ForeignAgreement{
            "MoreParts",
            [](v1::Agreement& a) { a.mutable_permissions(0)->add_parts(passport::v1::PART_KIND_MATERIALS); }},
        ForeignAgreement{"NoPermission", [](v1::Agreement& a) { a.clear_permissions(); }},
        ForeignAgreement{"IdOfAnother", [](v1::Agreement& a) { a.set_id("dealer" + a.id().substr(5)); }},
        ForeignAgreement{"OddId", [](v1::Agreement& a) { a.mutable_id()->back() = '1'; }},
        ForeignAgreement{"Ended", [](v1::Agreement& a) { *a.mutable_expire_time() = a.agreed_at(); }},
        ForeignAgreement{"NotFinalized",
                         [](v1::Agreement& a) { a.set_state(v1::AGREEMENT_STATE_REQUESTED); }}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tsunagi::connector
