#include "connector/transfer/stream.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/merkle.h"
#include "core/audit/receipt.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/connector_node.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::connector {
namespace {

using common::v1::SECTION_CONDITION;
using common::v1::SECTION_IDENTITY;
using common::v1::SECTION_MATERIALS;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsOk;
using testing::SizeIs;
using testing::StatusIs;

constexpr char kPolicies[] = R"(
rules:
  - {id: dealers, action: permit, roles: [dealer], sections: [identity, condition], obligations: [cite]}
  - {id: secret, action: prohibit, roles: [dealer], sections: [identity, condition], serial_prefix: SECRET-}
  - {id: half, action: prohibit, roles: [dealer], sections: [identity], serial_prefix: HALF-}
)";

class StreamTest : public testing::ConnectorTest {
 protected:
  void SetUp() override {
    ASSERT_THAT(maker.SetPolicies(kPolicies), IsOk());
    agreement_ = maker.Agree(dealer, {SECTION_IDENTITY, SECTION_CONDITION}).value().id();
  }

  // Registers batteries `<prefix>0` … and returns their serials.
  std::vector<std::string> Register(const std::string& prefix, int count) {
    std::vector<passport::v1::NewFact> facts;
    std::vector<std::string> serials;
    for (int i = 0; i < count; ++i) {
      serials.push_back(prefix + std::to_string(i));
      facts.push_back(testing::Registered(testing::Battery(maker.did(), serials.back())));
    }
    EXPECT_THAT(maker.records.Import(facts), IsOk());
    return serials;
  }
  v1::ReleaseStreamRequest RequestOf(const std::vector<std::string>& serials,
                                     const std::vector<common::v1::Section>& sections = {SECTION_IDENTITY}) {
    v1::ReleaseStreamRequest request;
    request.set_agreement(agreement_);
    request.set_purpose("reuse");
    for (const common::v1::Section section : sections) request.add_sections(section);
    for (const std::string& serial : serials)
      *request.add_batteries() = testing::SubjectOf(testing::Battery(maker.did(), serial)).battery();
    return request;
  }
  // A measurement with a long series.
  passport::v1::NewFact MeasuredSeries(const std::string& serial, const std::string& day, int points) {
    passport::v1::NewFact fact = testing::Measured(testing::Battery(maker.did(), serial), day.c_str(), "90");
    passport::v1::ConditionSeriesPart series;
    series.ParseFromString(fact.parts(1).content());
    const passport::v1::ConditionPoint point = series.points(0);
    while (series.points_size() < points) *series.add_points() = point;
    fact.mutable_parts(1)->set_content(series.SerializeAsString());
    return fact;
  }
  void Measure(const std::string& serial) {
    EXPECT_THAT(
        maker.records.Import({testing::Measured(testing::Battery(maker.did(), serial), "2025-01-01", "90")}),
        IsOk());
  }
  using MaybeChunk = absl::optional<v1::ReleaseStreamResponse>;
  absl::StatusOr<MaybeChunk> Next(const Caller& caller, const std::shared_ptr<StreamWork>& work) {
    return testing::Await<MaybeChunk>([&](auto done) { maker.chunks.Next(caller, work, std::move(done)); });
  }
  // All chunks of a request.
  absl::StatusOr<std::vector<v1::ReleaseStreamResponse>> Stream(const Caller& caller,
                                                                const v1::ReleaseStreamRequest& request) {
    auto work = maker.chunks.Begin(request);
    if (!work.ok()) return work.status();
    std::vector<v1::ReleaseStreamResponse> chunks;
    while (true) {
      auto chunk = Next(caller, *work);
      if (!chunk.ok()) return chunk.status();
      if (!chunk->has_value()) return chunks;
      chunks.push_back(**std::move(chunk));
    }
  }
  static std::vector<v1::ReleasedContent> Contents(const std::vector<v1::ReleaseStreamResponse>& chunks) {
    std::vector<v1::ReleasedContent> contents;
    for (const v1::ReleaseStreamResponse& chunk : chunks) {
      for (const std::string& bytes : chunk.contents()) contents.emplace_back().ParseFromString(bytes);
    }
    return contents;
  }
  static std::set<std::string> Serials(const std::vector<v1::ReleaseStreamResponse>& chunks) {
    std::set<std::string> serials;
    for (const v1::ReleasedContent& content : Contents(chunks)) serials.insert(content.battery().serial());
    return serials;
  }

  std::string agreement_;
};

TEST_F(StreamTest, DecidesAChunkAgainWhoseBatteryChangedMeanwhile) {
  const std::vector<std::string> serials = Register("B-", 2);
  bool measured = false;
  maker.source.change = [&](passport::v1::ReadPartsResponse&) {
    if (!std::exchange(measured, true)) Measure("B-1");
  };

  const auto chunks = Stream(dealer, RequestOf(serials, {SECTION_IDENTITY, SECTION_CONDITION}));

  ASSERT_THAT(chunks, IsOk());
  EXPECT_EQ(maker.source.reads, 2) << "one chunk, read twice";
}

TEST_F(StreamTest, ReleasesManyBatteriesUnderOneLeafPerChunk) {
  const std::vector<std::string> serials = Register("S-", 100);

  const auto chunks = Stream(dealer, RequestOf(serials));

  ASSERT_THAT(chunks, IsOk());
  ASSERT_THAT(*chunks, SizeIs(1));
  EXPECT_THAT(Serials(*chunks), testing::UnorderedElementsAreArray(serials));
  EXPECT_EQ(maker.source.reads, 1);
  EXPECT_THAT(audit::VerifyLogProof((*chunks)[0].proof(), maker.records.journal().origin(),
                                    maker.records.journal().log_key()),
              IsOk());
}

TEST_F(StreamTest, RecordsAMerkleRootOverTheContents) {
  const auto chunks = Stream(dealer, RequestOf(Register("S-", 7)));
  ASSERT_THAT(chunks, IsOk());
  audit::v1::Record record;
  record.ParseFromString((*chunks)[0].proof().record());
  std::vector<audit::Digest> leaves;
  for (const std::string& content : (*chunks)[0].contents()) leaves.push_back(audit::LeafHash(content));

  EXPECT_EQ(record.chunk().merkle_root(), audit::RootOf(leaves));
  EXPECT_EQ(record.chunk().record_count(), 7u);
  EXPECT_EQ(record.chunk().release().consumer(), dealer.did());
  EXPECT_EQ(record.chunk().release().agreement(), agreement_);
  EXPECT_THAT(record.chunk().release().obligations(), testing::ElementsAre("cite"));
  EXPECT_FALSE(record.chunk().release().has_battery());
  for (uint64_t i = 0; i < leaves.size(); ++i) {
    EXPECT_THAT(audit::VerifyInclusion(leaves[i], i, leaves.size(), audit::InclusionPath(leaves, i),
                                       record.chunk().merkle_root()),
                IsOk());
  }
}

TEST_F(StreamTest, KeepsChunksBelowAMebibyte) {
  std::vector<std::string> serials;
  for (int i = 0; i < 150; ++i) {
    serials.push_back("BIG-" + std::to_string(i));
    ASSERT_THAT(maker.records.Import({MeasuredSeries(serials.back(), "2025-01-01", i < 100 ? 800 : 2'400)}),
                IsOk());
  }

  const auto chunks = Stream(dealer, RequestOf(serials, {SECTION_CONDITION}));

  ASSERT_THAT(chunks, IsOk());
  EXPECT_GE(chunks->size(), 3u);
  for (const v1::ReleaseStreamResponse& chunk : *chunks) EXPECT_LE(chunk.ByteSizeLong(), kMaxChunkBytes);
  EXPECT_THAT(Serials(*chunks), testing::UnorderedElementsAreArray(serials));
  EXPECT_THAT(Contents(*chunks), SizeIs(150));
}

TEST_F(StreamTest, SendsARecordThatIsLargerThanAChunkAlone) {
  std::vector<std::string> serials;
  for (int i = 0; i < 3; ++i) {
    const std::string serial = "HUGE-" + std::to_string(i);
    serials.push_back(serial);
    std::vector<passport::v1::NewFact> facts;
    for (int day = 10; day < 30; ++day) {
      facts.push_back(MeasuredSeries(serial, absl::StrCat("2025-01-", day), 4'096));
    }
    ASSERT_THAT(maker.records.Import(facts), IsOk());
  }

  const auto chunks = Stream(dealer, RequestOf(serials, {SECTION_CONDITION}));

  ASSERT_THAT(chunks, IsOk());
  EXPECT_THAT(*chunks, SizeIs(3));
  EXPECT_GT((*chunks)[0].ByteSizeLong(), kMaxChunkBytes);
  EXPECT_THAT(Serials(*chunks), testing::UnorderedElementsAreArray(serials));
}

TEST_F(StreamTest, LeavesOutAlikeWhatIsMissingAndWhatIsNotPermitted) {
  Register("S-", 2);
  Register("SECRET-", 2);

  const auto chunks = Stream(dealer, RequestOf({"S-0", "NONE", "SECRET-0", "S-1", "SECRET-NONE"}));

  ASSERT_THAT(chunks, IsOk());
  EXPECT_THAT(Serials(*chunks), testing::ElementsAre("S-0", "S-1"));
}

TEST_F(StreamTest, RecordsWhatANamedPartyWasDenied) {
  Register("SECRET-", 2);

  ASSERT_THAT(Stream(dealer, RequestOf({"SECRET-0", "SECRET-1"})), IsOk());

  ASSERT_THAT(maker.Denials(), SizeIs(1));
  EXPECT_EQ(maker.Denials()[0].count(), 2u);
}

TEST_F(StreamTest, GivesEachBatteryWhatItsRulesPermit) {
  Register("S-", 3);
  Register("HALF-", 3);
  for (const char* serial : {"S-1", "HALF-1"}) {
    ASSERT_THAT(
        maker.records.Import({testing::Measured(testing::Battery(maker.did(), serial), "2025-01-01", "90")}),
        IsOk());
  }

  const auto chunks = Stream(
      dealer, RequestOf({"S-1", "HALF-1", "S-2", "HALF-2", "HALF-0"}, {SECTION_IDENTITY, SECTION_CONDITION}));

  ASSERT_THAT(chunks, IsOk());
  EXPECT_THAT(Serials(*chunks), testing::UnorderedElementsAre("S-1", "S-2", "HALF-1"));
  for (const v1::ReleasedContent& content : Contents(*chunks)) {
    const bool half = content.battery().serial() == "HALF-1";
    EXPECT_EQ((Shown(content) & policy::BitOf(passport::v1::PART_KIND_IDENTITY)) == 0, half);
  }
}

TEST_F(StreamTest, TellsStrangersNothing) {
  Register("S-", 1);

  EXPECT_THAT(Stream(outsider, RequestOf({"S-0"})), StatusIs(absl::StatusCode::kNotFound, "not found"));
  EXPECT_THAT(Stream(outsider, RequestOf({"NONE"})), StatusIs(absl::StatusCode::kNotFound, "not found"));
  EXPECT_EQ(maker.source.reads, 0);
}

TEST_F(StreamTest, EndsWithinOneChunkWhenPoliciesAreTakenAway) {
  const std::vector<std::string> serials = Register("S-", 300);
  const auto work = maker.chunks.Begin(RequestOf(serials));
  ASSERT_THAT(work, IsOk());
  (*work)->window = 100;
  ASSERT_THAT(Next(dealer, *work), IsOk());
  ASSERT_THAT(maker.SetPolicies("rules: []"), IsOk());

  EXPECT_THAT(Next(dealer, *work), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(StreamTest, NarrowsWithTheNextChunk) {
  const std::vector<std::string> serials = Register("S-", 20);
  for (const std::string& serial : serials) {
    ASSERT_THAT(
        maker.records.Import({testing::Measured(testing::Battery(maker.did(), serial), "2025-01-01", "90")}),
        IsOk());
  }
  const auto work = maker.chunks.Begin(RequestOf(serials, {SECTION_IDENTITY, SECTION_CONDITION}));
  (*work)->window = 10;
  const auto first = Next(dealer, *work);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [condition]}]"),
              IsOk());

  const auto second = Next(dealer, *work);

  ASSERT_THAT(second, IsOk());
  ASSERT_TRUE(first->has_value() && second->has_value());
  const policy::PartMask identity = policy::BitOf(passport::v1::PART_KIND_IDENTITY);
  EXPECT_NE(Shown(Contents({**first})[0]) & identity, 0u);
  EXPECT_EQ(Shown(Contents({**second})[0]) & identity, 0u);
}

TEST_F(StreamTest, DecidesAChunkAgainWhenPoliciesChangeMeanwhile) {
  const std::vector<std::string> serials = Register("S-", 3);
  maker.source.change = [&](passport::v1::ReadPartsResponse&) {
    maker.source.change = nullptr;
    ASSERT_THAT(maker.SetPolicies("rules: [{id: d, action: permit, roles: [dealer], sections: [condition]}]"),
                IsOk());
  };

  EXPECT_THAT(Stream(dealer, RequestOf(serials)), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(StreamTest, RefusesAnEndedAgreementMidStream) {
  const std::vector<std::string> serials = Register("S-", 20);
  const auto work = maker.chunks.Begin(RequestOf(serials));
  (*work)->window = 10;
  ASSERT_THAT(Next(dealer, *work), IsOk());
  clock.Advance(kAgreementLife);

  EXPECT_THAT(Next(dealer, *work), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(StreamTest, RefusesBadRequests) {
  EXPECT_THAT(maker.chunks.Begin(RequestOf({})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("batteries")));
  EXPECT_THAT(maker.chunks.Begin(RequestOf(std::vector<std::string>(1001, "S"))),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1001 entries")));
  EXPECT_THAT(maker.chunks.Begin(RequestOf({"a b"})), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(maker.chunks.Begin(RequestOf({"S"}, {})), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(maker.chunks.Begin(RequestOf(std::vector<std::string>(1000, "S"))), IsOk());
}

}  // namespace
}  // namespace tsunagi::connector
