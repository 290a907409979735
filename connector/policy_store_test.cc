#include "connector/policy_store.h"

#include <string>

#include "core/base/proto.h"
#include "core/crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/connector_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::connector {
namespace {

using testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr char kPermit[] = "rules: [{id: a, action: permit, roles: [dealer], sections: [condition]}]";
constexpr char kDeny[] = "rules: []";

class PolicyStoreTest : public testing::Test {
 protected:
  bool Permits() {
    const std::vector<std::string> roles = {"dealer"};
    return node_.policies->Current()
        ->Evaluate({"did:web:d.example", roles, "x", "S", clock_.Now()})
        .Permits(common::v1::SECTION_CONDITION);
  }

  testing::FakeClock clock_;
  testing::TestFederation federation_{clock_};
  testing::TestConnectorNode node_{federation_, clock_, "maker"};
};

TEST_F(PolicyStoreTest, DeniesUntilPoliciesAreSet) {
  EXPECT_EQ(node_.policies->Current()->version(), 0u);
  EXPECT_FALSE(Permits());
  EXPECT_EQ(node_.policies->Get()->policies().version(), 0u);
}

TEST_F(PolicyStoreTest, RaisesTheVersionWithEachSet) {
  EXPECT_THAT(node_.SetPolicies(kPermit), IsOkAndHolds(1u));
  EXPECT_TRUE(Permits());
  EXPECT_THAT(node_.SetPolicies(kDeny), IsOkAndHolds(2u));
  EXPECT_FALSE(Permits());
}

TEST_F(PolicyStoreTest, RecordsTheDigestOfTheSet) {
  ASSERT_THAT(node_.SetPolicies(kPermit), IsOk());

  const audit::v1::Record record = node_.Records().back();

  EXPECT_EQ(record.policy().version(), 1u);
  EXPECT_EQ(record.policy().digest(), crypto::Sha256(Encode(node_.policies->Get()->policies())));
}

TEST_F(PolicyStoreTest, NamesTheAccountThatSetItInTheLeaf) {
  v1::SetPoliciesRequest request;
  request.set_request_id(NewUuid(node_.random));
  const Caller caller = CallerForTest::WithAccount(node_.Operator(), "a-0123456789");

  node_.policies->Set(caller, request, [](const auto&) {});
  node_.records.journal().Settle();

  EXPECT_EQ(node_.Records().back().account(), "a-0123456789");
}

TEST_F(PolicyStoreTest, RefusesASetWithMistakesAndKeepsTheOldOne) {
  ASSERT_THAT(node_.SetPolicies(kPermit), IsOk());

  EXPECT_THAT(node_.SetPolicies("rules: [{id: a, action: permit, sections: [condition]}]"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a party by DID or a role")));
  EXPECT_TRUE(Permits());
  EXPECT_EQ(node_.policies->Get()->policies().version(), 1u);
}

TEST_F(PolicyStoreTest, AnswersTheSameRequestAlikeAndOnce) {
  v1::SetPoliciesRequest request;
  request.set_request_id(NewUuid(node_.random));
  ASSERT_THAT(ParseYaml(kPermit, "p", *request.mutable_policies()), IsOk());

  ASSERT_THAT(node_.SetPolicies(request), IsOk());
  const auto again = node_.SetPolicies(request);

  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->version(), 1u);
  EXPECT_EQ(node_.policies->Get()->policies().version(), 1u);
}

TEST_F(PolicyStoreTest, RefusesTheSameRequestIdForAnotherSet) {
  v1::SetPoliciesRequest request;
  request.set_request_id(NewUuid(node_.random));
  ASSERT_THAT(ParseYaml(kPermit, "p", *request.mutable_policies()), IsOk());
  ASSERT_THAT(node_.SetPolicies(request), IsOk());
  request.mutable_policies()->clear_rules();

  EXPECT_THAT(node_.SetPolicies(request), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_TRUE(Permits());
}

TEST_F(PolicyStoreTest, RefusesARequestIdThatIsNoUuid) {
  v1::SetPoliciesRequest request;
  request.set_request_id("1");

  EXPECT_THAT(node_.SetPolicies(request), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(PolicyStoreTest, SetsManyAtOnceWithoutLosingAVersion) {
  constexpr int kSets = 3;
  std::vector<std::future<absl::StatusOr<uint64_t>>> sets;
  sets.reserve(kSets);
  for (int i = 0; i < kSets; ++i) {
    sets.push_back(std::async(std::launch::async, [&] { return node_.SetPolicies(kPermit); }));
  }
  uint64_t done = 0;
  for (auto& set : sets) done += set.get().ok() ? 1 : 0;

  EXPECT_EQ(node_.policies->Get()->policies().version(), done);
  EXPECT_EQ(node_.policies->Current()->version(), done);
}

TEST_F(PolicyStoreTest, LoadsTheSetAgain) {
  ASSERT_THAT(node_.SetPolicies(kPermit), IsOk());

  auto reopened = PolicyStore::Open(node_.records.journal(), clock_);

  ASSERT_THAT(reopened, IsOk());
  EXPECT_EQ((*reopened)->Current()->version(), 1u);
}

TEST_F(PolicyStoreTest, DeniesEverythingWhenTheStoredSetIsNotUnderstood) {
  v1::PolicySet newer;
  newer.set_version(9);
  ASSERT_THAT(ParseYaml(kPermit, "p", newer), IsOk());
  v1::Rule::GetReflection()->MutableUnknownFields(newer.mutable_rules(0))->AddVarint(99, 1);
  audit::Commit commit;
  commit.writes = {store::Put(store::Table::kState, PolicyStore::Key(), newer.SerializeAsString())};
  ASSERT_THAT(node_.records.journal().SubmitAndWait(std::move(commit)), IsOk());

  auto reopened = PolicyStore::Open(node_.records.journal(), clock_);

  ASSERT_THAT(reopened, IsOk());
  const std::vector<std::string> roles = {"dealer"};
  EXPECT_EQ((*reopened)->Current()->Evaluate({"did:web:d.example", roles, "x", "S", clock_.Now()}).part_mask,
            0u);
}

TEST_F(PolicyStoreTest, TakesTheFirstSetFromAFileOnlyOnce) {
  v1::PolicySet first;
  ASSERT_THAT(ParseYaml(kPermit, "p", first), IsOk());
  ASSERT_THAT(node_.policies->SetFirst(first), IsOk());
  EXPECT_TRUE(Permits());
  ASSERT_THAT(node_.SetPolicies(kDeny), IsOk());

  ASSERT_THAT(node_.policies->SetFirst(first), IsOk());

  EXPECT_FALSE(Permits());
  EXPECT_EQ(node_.policies->Get()->policies().version(), 2u);
}

}  // namespace
}  // namespace tsunagi::connector
