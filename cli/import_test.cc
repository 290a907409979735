#include "cli/import.h"

#include <set>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "gtest/gtest.h"
#include "tests/support/fake_random.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::cli {
namespace {

using passport::v1::ImportFactsRequest;
using passport::v1::ImportFactsResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StatusIs;

FileFacts Facts(size_t count, size_t bytes = 0) {
  FileFacts facts;
  for (size_t i = 0; i < count; ++i) {
    auto& fact = facts.facts.emplace_back();
    fact.mutable_subject()->set_serial("S" + std::to_string(i));
    if (bytes > 0) fact.add_parts()->set_content(std::string(bytes, 'x'));
    facts.rows.push_back(2 * i + 1);
  }
  return facts;
}

// A node that remembers serials, and fails at a given write.
class FakeNode {
 public:
  absl::StatusOr<ImportFactsResponse> operator()(const ImportFactsRequest& request) {
    requests.push_back(request);
    if (!request.validate_only() && --writes_left < 0) return absl::UnavailableError("gone");
    ImportFactsResponse response;
    for (const auto& fact : request.facts()) {
      const bool there = serials.contains(fact.subject().serial());
      response.add_outcomes(there ? passport::v1::IMPORT_OUTCOME_UNCHANGED
                                  : passport::v1::IMPORT_OUTCOME_CREATED);
      if (!request.validate_only()) serials.insert(fact.subject().serial());
    }
    if (request.validate_only()) response.add_warnings("1: VIN check digit differs");
    return response;
  }
  std::vector<std::string> WrittenIds() const {
    std::vector<std::string> ids;
    for (const auto& request : requests) {
      if (!request.validate_only()) ids.push_back(request.request_id());
    }
    return ids;
  }

  std::vector<ImportFactsRequest> requests;
  std::set<std::string> serials;
  int writes_left = 1000;
};

class ImportTest : public ::testing::Test {
 protected:
  absl::StatusOr<ImportReport> Run(const FileFacts& facts, bool check_only = false) {
    const ImportOptions options{"digest", 10, check_only};
    return Import(
        facts, options, random_, [this](const auto& request) { return node_(request); }, progress_);
  }

  testing::FakeRandom random_;
  FakeNode node_;
  std::ostringstream progress_;
};

TEST_F(ImportTest, ChecksTheWholeFileBeforeItWritesAnything) {
  const auto report = Run(Facts(25));

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->created, 25u);
  ASSERT_EQ(node_.requests.size(), 6u);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(node_.requests[static_cast<size_t>(i)].validate_only());
  for (int i = 3; i < 6; ++i) EXPECT_FALSE(node_.requests[static_cast<size_t>(i)].validate_only());
  EXPECT_THAT(progress_.str(), HasSubstr("acknowledged rows 1 to 19, batch 1 of 3\n"));
}

TEST_F(ImportTest, WritesNothingWhenCheckingIsAllThatIsAsked) {
  node_.serials = {"S3", "S4"};

  const auto report = Run(Facts(12), true);

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->created, 10u);
  EXPECT_THAT(report->unchanged_rows, ElementsAre(7u, 9u));
  EXPECT_EQ(node_.serials.size(), 2u);
}

TEST_F(ImportTest, RunAgainCompletesWhatWasInterruptedWithTheSameRequests) {
  node_.writes_left = 1;
  EXPECT_THAT(Run(Facts(25)), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("gone")));
  const std::string interrupted = node_.WrittenIds().back();
  node_.writes_left = 1000;

  const auto report = Run(Facts(25));

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->created, 15u);
  EXPECT_EQ(report->unchanged, 10u);
  EXPECT_EQ(node_.WrittenIds()[2], interrupted);  // the batch whose answer was lost
  EXPECT_EQ(node_.serials.size(), 25u);
}

TEST_F(ImportTest, SendsNothingThatIsThereAlready) {
  ASSERT_TRUE(Run(Facts(20)).ok());
  const size_t writes = node_.WrittenIds().size();

  const auto report = Run(Facts(20));

  EXPECT_EQ(report->unchanged, 20u);
  EXPECT_EQ(report->created, 0u);
  EXPECT_EQ(node_.WrittenIds().size(), writes);
}

TEST_F(ImportTest, NamesRowsOfTheFileInsteadOfFactsOfTheRequest) {
  const auto send = [](const ImportFactsRequest& request) -> absl::StatusOr<ImportFactsResponse> {
    if (request.facts(0).subject().serial() == "S0") {
      ImportFactsResponse response;
      for (int i = 0; i < request.facts_size(); ++i)
        response.add_outcomes(passport::v1::IMPORT_OUTCOME_CREATED);
      response.add_warnings("4: VIN check digit differs");
      return response;
    }
    ErrorDetail detail;
    detail.set_row(3);
    return WithDetail(absl::AlreadyExistsError("node at x: row 3: `S12` is registered with another `model`"),
                      detail);
  };

  const auto report = Import(Facts(25), {"digest", 10, false}, random_, send, progress_);

  ASSERT_THAT(report, StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("node at x: row 25: `S12`")));
  EXPECT_EQ(DetailOf(report.status())->row(), 25u);
}

TEST(BrokenOffTest, SaysToRunTheCommandAgainWhereTheNodeDidNotAnswer) {
  for (const absl::Status& error : {absl::UnavailableError("gone"), absl::DeadlineExceededError("slow")}) {
    EXPECT_EQ(BrokenOff(error, "a.csv").message(),
              absl::StrCat("a.csv is not complete, run the same command again: ", error.message()));
  }
  EXPECT_EQ(BrokenOff(absl::InvalidArgumentError("row 2"), "a.csv").message(), "a.csv: row 2");
}

TEST_F(ImportTest, WarningsNameRowsToo) {
  const auto report = Run(Facts(3));

  EXPECT_THAT(report->warnings, ElementsAre("row 3: VIN check digit differs"));
}

TEST(BatchTest, StaysBelowTheMessageLimitAndLeavesNothingOut) {
  const FileFacts facts = Facts(30, 400 << 10);

  const auto batches = MakeBatches(facts.facts, 1000);

  EXPECT_EQ(batches.size(), 5u);  // 7 facts of 400 KiB fit into 3 MiB
  size_t next = 0;
  for (const Batch& batch : batches) {
    EXPECT_EQ(batch.begin, next);
    next = batch.end;
  }
  EXPECT_EQ(next, 30u);
}

TEST(BatchTest, AFactLargerThanTheLimitStandsAlone) {
  EXPECT_EQ(MakeBatches(Facts(3, 4 << 20).facts, 1000).size(), 3u);
}

TEST(BatchTest, RequestIdsAreUuidsThatDependOnFilePlaceAndContent) {
  const std::string id = BatchRequestId("file", 1, "content");

  EXPECT_TRUE(IsUuid(id));
  EXPECT_EQ(BatchRequestId("file", 1, "content"), id);
  EXPECT_NE(BatchRequestId("other", 1, "content"), id);
  EXPECT_NE(BatchRequestId("file", 2, "content"), id);
  EXPECT_NE(BatchRequestId("file", 1, "other"), id);
}

}  // namespace
}  // namespace tsunagi::cli
