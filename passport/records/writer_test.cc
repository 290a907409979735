#include "passport/records/writer.h"

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/audit/merkle.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "passport/records/batch.h"
#include "passport/records/history.h"
#include "tests/support/passport_node.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::passport {
namespace {

using ::testing::AllOf;
using testing::Battery;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::FakeClock;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Measured;
using testing::Mounted;
using ::testing::Not;
using testing::Registered;
using testing::Repaired;
using testing::StatusIs;
using testing::TestFederation;
using testing::TestPassportNode;

class RecordWriterTest : public ::testing::Test {
 protected:
  std::vector<KeptEvent> HistoryOf(const BatteryId& battery) {
    return ReadHistory(node_.store(), battery).value();
  }

  FakeClock clock_;
  TestFederation federation_{clock_};
  TestPassportNode node_{federation_, clock_, "cell-maker"};
  const BatteryId module_ = Battery(node_.did(), "M-1");
};

TEST_F(RecordWriterTest, WritesFactsAsAChainOfEvents) {
  const auto response = node_.Import({Registered(module_), Measured(module_, "2025-01-01", "99.1"),
                                      Measured(module_, "2026-01-01", "92.5")});

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(response->outcomes(), Each(v1::IMPORT_OUTCOME_CREATED));
  const std::vector<KeptEvent> history = HistoryOf(module_);
  ASSERT_EQ(history.size(), 3u);
  for (size_t i = 0; i < history.size(); ++i) {
    EXPECT_EQ(history[i].header.sequence(), i + 1);
    EXPECT_EQ(history[i].header.author(), node_.did());
    EXPECT_EQ(history[i].header.previous_digest(), i == 0 ? "" : history[i - 1].stored.digest());
    EXPECT_EQ(history[i].stored.batch(), history[0].stored.batch()) << "one signature for one request";
  }
  EXPECT_EQ(node_.journal().Size(), 1u) << "one leaf for one batch";
}

TEST_F(RecordWriterTest, DrawsFreshSaltsForEverySlotEmptyOnesToo) {
  ASSERT_THAT(node_.Import({Registered(module_), Registered(Battery(node_.did(), "M-2"))}), IsOk());

  std::set<std::string> digests;
  for (const char* serial : {"M-1", "M-2"}) {
    const KeptEvent event = HistoryOf(Battery(node_.did(), serial)).at(0);
    ASSERT_EQ(event.stored.slots_size(), 4);
    for (const internal::v1::StoredSlot& slot : event.stored.slots()) {
      EXPECT_EQ(slot.digest().size(), 32u);
      EXPECT_TRUE(digests.insert(slot.digest()).second);
    }
    EXPECT_EQ(event.parts.size(), 2u) << "identity and materials";
  }
}

TEST_F(RecordWriterTest, SaysUnchangedForTheSameContent) {
  ASSERT_THAT(node_.Import({Registered(module_), Repaired(module_, "2025-01-01", "fan", "山田太郎")}),
              IsOk());

  const auto again = node_.Import({Registered(module_), Repaired(module_, "2025-01-01", "fan", "山田太郎")});

  ASSERT_THAT(again, IsOk());
  EXPECT_THAT(again->outcomes(), Each(v1::IMPORT_OUTCOME_UNCHANGED));
  EXPECT_EQ(HistoryOf(module_).size(), 2u);
  EXPECT_EQ(node_.journal().Size(), 1u);
}

TEST_F(RecordWriterTest, CompletesAFileThatWasLoadedInPart) {
  ASSERT_THAT(node_.Import({Registered(module_)}), IsOk());

  const auto rest = node_.Import({Registered(module_), Registered(Battery(node_.did(), "M-2"))});

  ASSERT_THAT(rest, IsOk());
  EXPECT_THAT(rest->outcomes(), ElementsAre(v1::IMPORT_OUTCOME_UNCHANGED, v1::IMPORT_OUTCOME_CREATED));
}

TEST_F(RecordWriterTest, TakesTheSameFactTwiceInOneRequestOnce) {
  const auto response = node_.Import({Registered(module_), Registered(module_)});

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(response->outcomes(), ElementsAre(v1::IMPORT_OUTCOME_CREATED, v1::IMPORT_OUTCOME_UNCHANGED));
}

TEST_F(RecordWriterTest, WritesAnotherMeasurementOfTheSameInstant) {
  ASSERT_THAT(node_.Import({Measured(module_, "2025-01-01", "99.1")}), IsOk());

  ASSERT_THAT(node_.Import({Measured(module_, "2025-01-01", "99.2")}), IsOk());

  EXPECT_EQ(HistoryOf(module_).size(), 2u);
}

TEST_F(RecordWriterTest, RefusesToRewriteAnIdentityFactNamingTheField) {
  ASSERT_THAT(node_.Import({Registered(module_)}), IsOk());

  const absl::Status status =
      node_.Import({Registered(Battery(node_.did(), "M-2")), Registered(module_, "0.5")}).status();

  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kAlreadyExists,
                       AllOf(HasSubstr("materials.lithium_kg"), HasSubstr("row 2"), HasSubstr("amendment"))));
  ASSERT_TRUE(DetailOf(status).has_value());
  EXPECT_EQ(DetailOf(status)->field(), "materials.lithium_kg");
  EXPECT_EQ(DetailOf(status)->row(), 2u);
  EXPECT_TRUE(HistoryOf(Battery(node_.did(), "M-2")).empty()) << "all or none";
}

TEST_F(RecordWriterTest, RefusesARegistrationWithAnotherTimeOrAMissingPart) {
  ASSERT_THAT(node_.Import({Registered(module_)}), IsOk());
  v1::NewFact later = Registered(module_);
  later.mutable_occurred_at()->set_seconds(later.occurred_at().seconds() + 1);
  EXPECT_THAT(node_.Import({later}), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("occurred_at")));

  v1::NewFact fewer = Registered(module_);
  fewer.mutable_parts()->RemoveLast();
  EXPECT_THAT(node_.Import({fewer}), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("materials")));
}

TEST_F(RecordWriterTest, RegistersOnlyItsOwnBatteries) {
  EXPECT_THAT(node_.Import({Registered(Battery(federation_.DidOf("oem"), "M-1"))}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("manufacturer")));
}

TEST_F(RecordWriterTest, ChecksEveryFactBeforeItWritesAny) {
  const absl::Status status =
      node_.Import({Registered(module_), Registered(Battery(node_.did(), "M 2"))}).status();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("row 2")));
  EXPECT_EQ(DetailOf(status)->row(), 2u);
  EXPECT_TRUE(HistoryOf(module_).empty());
  EXPECT_EQ(node_.journal().Size(), 0u);
}

TEST_F(RecordWriterTest, RefusesNoFactsAndMoreThanAThousand) {
  EXPECT_THAT(node_.Import({}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(node_.Import(std::vector<v1::NewFact>(1001, Registered(module_))),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(RecordWriterTest, NamesTheAccountThatAskedInTheLeaf) {
  v1::ImportFactsRequest request;
  request.set_request_id(node_.NewRequestId());
  *request.add_facts() = Registered(module_);

  const Caller person = CallerForTest::WithAccount(node_.own_operator(), "a-0123456789");
  ASSERT_THAT(node_.writer().ImportFacts(person, request), IsOk());

  const auto leaves = node_.journal().Leaves(0, 1);
  ASSERT_THAT(leaves, IsOk());
  audit::v1::Record record;
  ASSERT_THAT(Decode(leaves->at(0).record, "record", record), IsOk());
  EXPECT_EQ(record.account(), "a-0123456789");
}

TEST_F(RecordWriterTest, WritesNothingWhenOnlyAskedToValidate) {
  v1::ImportFactsRequest request;
  request.set_request_id(node_.NewRequestId());
  request.set_validate_only(true);
  *request.add_facts() = Registered(module_);

  const auto response = node_.writer().ImportFacts(node_.own_operator(), request);

  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(response->outcomes(), ElementsAre(v1::IMPORT_OUTCOME_CREATED));
  EXPECT_TRUE(HistoryOf(module_).empty());
}

TEST_F(RecordWriterTest, AnswersTheSameRequestIdWithTheSameReply) {
  v1::ImportFactsRequest request;
  request.set_request_id(node_.NewRequestId());
  *request.add_facts() = Mounted(module_, "2025-01-01", "", "JN1AZ0CP0BT000001");
  const auto first = node_.writer().ImportFacts(node_.own_operator(), request);
  ASSERT_THAT(first, IsOk());

  const auto second = node_.writer().ImportFacts(node_.own_operator(), request);

  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->SerializeAsString(), first->SerializeAsString()) << "created, not unchanged";
  EXPECT_EQ(HistoryOf(module_).size(), 1u);
  ASSERT_EQ(first->warnings_size(), 1);
  EXPECT_THAT(first->warnings(0), AllOf(HasSubstr("0: "), Not(HasSubstr("JN1AZ0CP0BT000001"))));
}

TEST_F(RecordWriterTest, RefusesARequestIdWithAnotherBody) {
  v1::ImportFactsRequest request;
  request.set_request_id(node_.NewRequestId());
  *request.add_facts() = Registered(module_);
  ASSERT_THAT(node_.writer().ImportFacts(node_.own_operator(), request), IsOk());
  *request.mutable_facts(0) = Registered(Battery(node_.did(), "M-2"));

  EXPECT_THAT(node_.writer().ImportFacts(node_.own_operator(), request),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(RecordWriterTest, KeepsTheChainWholeWhenManyWriteAtOnce) {
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  std::vector<std::string> ids;
  threads.reserve(kThreads);
  ids.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) ids.push_back(node_.NewRequestId());
  std::atomic<int> created = 0;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      v1::ImportFactsRequest request;
      request.set_request_id(ids[static_cast<size_t>(i)]);
      *request.add_facts() = Repaired(module_, "2025-01-01", absl::StrCat("repair ", i));
      absl::StatusOr<v1::ImportFactsResponse> response = absl::AbortedError("");
      while (absl::IsAborted(response.status()))
        response = node_.writer().ImportFacts(node_.own_operator(), request);
      created += response.ok() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(created, kThreads);
  const std::vector<KeptEvent> history = HistoryOf(module_);
  ASSERT_EQ(history.size(), static_cast<size_t>(kThreads));
  for (size_t i = 1; i < history.size(); ++i) {
    EXPECT_EQ(history[i].header.sequence(), i + 1);
    EXPECT_EQ(history[i].header.previous_digest(), history[i - 1].stored.digest());
  }
}

TEST_F(RecordWriterTest, PutsVehiclesAndPeopleInTablePersonOnly) {
  ASSERT_THAT(node_.Import({Mounted(module_, "2025-01-01", "ZAA-ZE1-000123"),
                            Repaired(module_, "2025-02-01", "fan", "山田太郎")}),
              IsOk());

  for (const store::Table table : {store::Table::kState, store::Table::kLog, store::Table::kRecords}) {
    ASSERT_THAT(node_.store().Scan(table, "", "",
                                   [](absl::string_view key, absl::string_view value) {
                                     const std::string all = absl::StrCat(key, value);
                                     EXPECT_THAT(all, Not(HasSubstr("ZE1-000123")));
                                     EXPECT_THAT(all, Not(HasSubstr("山田")));
                                     return true;
                                   }),
                IsOk());
  }
  int parts = 0;
  ASSERT_THAT(node_.store().Scan(store::Table::kPerson, "", "",
                                 [&](absl::string_view key, absl::string_view value) {
                                   EXPECT_THAT(std::string(key), Not(HasSubstr("ZE1-000123")));
                                   parts += value.empty() ? 0 : 1;
                                   return true;
                                 }),
              IsOk());
  EXPECT_EQ(parts, 2);
}

TEST(BatchTreeTest, ProvesEveryLeafOfEverySize) {
  for (size_t size = 1; size <= 33; ++size) {
    std::vector<crypto::Digest> leaves;
    for (size_t i = 0; i < size; ++i) leaves.push_back(audit::LeafHash(absl::StrCat("leaf ", i)));
    const BatchTree tree(leaves);
    EXPECT_EQ(tree.root(), audit::RootOf(leaves));
    for (size_t i = 0; i < size; ++i) {
      EXPECT_EQ(tree.Path(i), audit::InclusionPath(leaves, i)) << i << " of " << size;
    }
  }
}

}  // namespace
}  // namespace tsunagi::passport
