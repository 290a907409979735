#include "connector/lookup_counter.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "connector/records.h"
#include "core/base/proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/connector_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::connector {
namespace {

using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr char kDealer[] = "did:web:dealer.example";

class LookupCounterTest : public testing::Test {
 protected:
  absl::Status LookUp(LookupCounter& counter, uint32_t limit) {
    auto reserved = counter.Reserve(kDealer, limit, clock_.Now());
    if (!reserved.ok()) return reserved.status();
    audit::Commit commit;
    audit::v1::Record record = RecordAt(clock_.Now());
    record.mutable_denial()->set_caller(kDealer);
    commit.record = Encode(record);
    (*reserved)->CountIn(commit);
    return node_.records.journal().SubmitAndWait(std::move(commit)).status();
  }

  testing::FakeClock clock_;
  testing::TestFederation federation_{clock_};
  testing::TestConnectorNode node_{federation_, clock_, "maker"};
};

TEST_F(LookupCounterTest, StopsAtTheLimitAndSaysWhenToComeBack) {
  EXPECT_THAT(LookUp(node_.lookups, 2), IsOk());
  EXPECT_THAT(LookUp(node_.lookups, 2), IsOk());
  EXPECT_THAT(LookUp(node_.lookups, 2),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("midnight in Japan")));
}

TEST_F(LookupCounterTest, CountsPerParty) {
  EXPECT_THAT(LookUp(node_.lookups, 1), IsOk());

  EXPECT_THAT(node_.lookups.Reserve("did:web:other.example", 1, clock_.Now()), IsOk());
}

TEST_F(LookupCounterTest, BeginsAnewAtMidnightInJapan) {
  clock_.Set(absl::FromCivil(absl::CivilSecond(2027, 4, 1, 14, 59, 59), absl::UTCTimeZone()));
  EXPECT_THAT(LookUp(node_.lookups, 1), IsOk());
  EXPECT_THAT(LookUp(node_.lookups, 1), StatusIs(absl::StatusCode::kResourceExhausted));

  clock_.Advance(absl::Seconds(1));

  EXPECT_THAT(LookUp(node_.lookups, 1), IsOk());
}

TEST_F(LookupCounterTest, GivesBackWhatWasNotCounted) {
  node_.lookups.Reserve(kDealer, 1, clock_.Now()).value().reset();

  EXPECT_THAT(LookUp(node_.lookups, 1), IsOk());
}

TEST_F(LookupCounterTest, RemembersTheCountOverARestart) {
  EXPECT_THAT(LookUp(node_.lookups, 2), IsOk());
  LookupCounter restarted(node_.records.journal());

  EXPECT_THAT(LookUp(restarted, 2), IsOk());
  EXPECT_THAT(LookUp(restarted, 2), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(LookupCounterTest, LetsExactlyOneOfAHundredThroughWhenOneIsLeft) {
  constexpr int kCalls = 100;
  std::atomic<int> passed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int call = i; call < kCalls; call += 8) passed += LookUp(node_.lookups, 1).ok() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(passed, 1);
}

}  // namespace
}  // namespace tsunagi::connector
