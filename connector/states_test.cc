#include "connector/negotiation/states.h"

#include <set>
#include <utility>

#include "gtest/gtest.h"

namespace tsunagi::connector {
namespace {

using v1::AgreementState;

// Every pair of states and both sides, against the Dataspace Protocol's diagram written out by hand.
TEST(StatesTest, AllowsExactlyTheProtocolsTransitions) {
  const std::set<std::pair<int, int>> consumer = {{0, 1}, {2, 3}, {1, 5}, {2, 5}, {3, 5}};
  const std::set<std::pair<int, int>> provider = {{1, 2}, {3, 4}, {1, 5}, {2, 5}, {3, 5}};
  for (int from = 0; from < v1::AgreementState_ARRAYSIZE; ++from) {
    for (int to = 0; to < v1::AgreementState_ARRAYSIZE; ++to) {
      const auto a = static_cast<AgreementState>(from);
      const auto b = static_cast<AgreementState>(to);
      EXPECT_EQ(MayMove(a, b, Side::kConsumer), consumer.contains({from, to})) << from << " to " << to;
      EXPECT_EQ(MayMove(a, b, Side::kProvider), provider.contains({from, to})) << from << " to " << to;
    }
  }
}

TEST(StatesTest, EndsAtFinalizedAndTerminated) {
  for (int to = 0; to < v1::AgreementState_ARRAYSIZE; ++to) {
    for (const Side side : {Side::kConsumer, Side::kProvider}) {
      EXPECT_FALSE(MayMove(v1::AGREEMENT_STATE_FINALIZED, static_cast<AgreementState>(to), side));
      EXPECT_FALSE(MayMove(v1::AGREEMENT_STATE_TERMINATED, static_cast<AgreementState>(to), side));
    }
  }
}

}  // namespace
}  // namespace tsunagi::connector
