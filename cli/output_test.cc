#include "cli/output.h"

#include <string>

#include "cli/parts.h"
#include "cli/values.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/connector/v1/connector_service.pb.h"

namespace tsunagi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

passport::v1::IdentityPart Identity() {
  passport::v1::IdentityPart part;
  part.mutable_battery()->set_manufacturer("did:web:x.example");
  part.mutable_battery()->set_serial("A1");
  part.mutable_battery()->set_level(common::v1::BATTERY_LEVEL_PACK);
  part.mutable_manufactured()->set_year(2023);
  part.mutable_manufactured()->set_month(5);
  part.mutable_rated_capacity_ah()->set_unscaled(11260);
  part.mutable_rated_capacity_ah()->set_exponent(-2);
  return part;
}

TEST(OutputTest, AlignsColumnsByTheirWidthOnATerminal) {
  const Table table{{"label", "name", "n"}, {{"oem", "日の出自動車", "1"}, {"cell-maker", "abc", "22"}}};

  EXPECT_EQ(RenderTable(table),
            "label       name          n\n"
            "oem         日の出自動車  1\n"
            "cell-maker  abc           22\n");
}

TEST(OutputTest, MakesControlCharactersOfOthersVisible) {
  const std::string text = RenderTable({{"name"}, {{"a\x1b[31mb\nc"}}});

  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(OutputTest, ShowsMessagesAsPeopleWriteThem) {
  EXPECT_EQ(ToJson(Identity()).dump(),
            R"({"battery":{"manufacturer":"did:web:x.example","serial":"A1","level":"pack"},"model":"",)"
            R"("manufactured":"2023-05","manufacturer_name":"","plant":"","chemistry":"",)"
            R"("rated_capacity_ah":"112.60","source":""})");
}

TEST(OutputTest, ShowsInstantsBytesEnumsAndLists) {
  passport::v1::EventHeader header;
  header.set_type(passport::v1::EVENT_TYPE_CONDITION_MEASURED);
  header.mutable_occurred_at()->set_seconds(1700000000);
  header.set_nonce("\x01\xff");
  header.add_slots(passport::v1::PART_KIND_CONDITION);

  const Json json = ToJson(header);

  EXPECT_EQ(json["type"], "condition_measured");
  EXPECT_EQ(json["occurred_at"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(json["nonce"], "01ff");
  EXPECT_EQ(json["slots"], Json({"condition"}));
}

TEST(OutputTest, NumbersOutOfBoundsFromOthersDoNotGrow) {
  common::v1::Decimal huge;
  huge.set_unscaled(1);
  huge.set_exponent(2000000000);

  EXPECT_EQ(FormatDecimal(huge), "");
}

TEST(OutputTest, TellsAPartInOneLineAndASeriesByItsEnds) {
  passport::v1::ConditionSeriesPart series;
  for (int i = 0; i < 3; ++i) {
    auto& point = *series.add_points();
    point.mutable_measured_at()->set_seconds(1700000000 + i);
    point.mutable_capacity_ah()->set_unscaled(19 - i);
    point.mutable_capacity_ah()->set_exponent(-1);
  }

  EXPECT_EQ(PartLine(passport::v1::PART_KIND_IDENTITY, Encode(Identity())),
            "manufacturer did:web:x.example, serial A1, level pack, manufactured 2023-05, rated_capacity_ah "
            "112.60");
  EXPECT_EQ(PartLine(passport::v1::PART_KIND_CONDITION_SERIES, Encode(series)),
            "3 points, 2023-11-14T22:13:20Z 1.9 Ah … 2023-11-14T22:13:22Z 1.7 Ah");
}

TEST(OutputTest, TakesOpenPartsOutOfReleasedContent) {
  passport::v1::EventHeader header;
  header.set_author("did:web:x.example");
  header.add_slots(passport::v1::PART_KIND_IDENTITY);
  header.add_slots(passport::v1::PART_KIND_MATERIALS);
  passport::v1::EventSet set;
  auto& event = *set.add_events();
  event.set_header(Encode(header));
  event.add_slots()->mutable_open()->set_content(Encode(Identity()));
  event.add_slots()->set_digest("withheld");
  connector::v1::ReleasedContent content;
  content.set_events(Encode(set));

  const auto parts = PartsOf(content);

  ASSERT_TRUE(parts.ok()) << parts.status();
  ASSERT_EQ(parts->size(), 1u);
  EXPECT_EQ((*parts)[0].kind, passport::v1::PART_KIND_IDENTITY);
  EXPECT_EQ(ToJson(*parts)[0]["content"]["manufactured"], "2023-05");
}

TEST(OutputTest, RefusesContentWhoseSlotsDoNotFitTheirHeader) {
  passport::v1::EventSet set;
  set.add_events()->add_slots()->set_digest("x");
  connector::v1::ReleasedContent content;
  content.set_events(Encode(set));

  EXPECT_THAT(PartsOf(content), testing::StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("slots")));
}

TEST(OutputTest, AnErrorSaysWhatToDoNext) {
  const std::string text =
      RenderError(absl::UnavailableError("node at 127.0.0.1:1: refused"), Format::kTable);

  EXPECT_EQ(
      text,
      "error: node at 127.0.0.1:1: refused\n"
      "next: check that the process runs and that its address in operator.yaml is right: `tsunagi health`\n");
}

TEST(OutputTest, OnlyAFactThatDiffersIsToBeAmended) {
  ErrorDetail differs;
  differs.set_reason("CONTENT_DIFFERS");

  EXPECT_THAT(
      RenderError(WithDetail(absl::AlreadyExistsError("`A1` is registered"), differs), Format::kTable),
      HasSubstr("`tsunagi passport amend`"));
  EXPECT_THAT(RenderError(absl::AlreadyExistsError("label `oem` is taken"), Format::kTable),
              AllOf(HasSubstr("`tsunagi participant list`"), Not(HasSubstr("amend"))));
}

TEST(OutputTest, AnErrorAsJsonHasItsDetail) {
  const absl::Status status = InvalidArgument({"NUMBER_WRONG", "lithium_kg", "1,5", "a number"});

  const Json error = Json::parse(RenderError(status, Format::kJson))["error"];

  EXPECT_EQ(error["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(error["field"], "lithium_kg");
  EXPECT_EQ(error["value"], "1,5");
  EXPECT_EQ(error["expected"], "a number");
  EXPECT_TRUE(error.contains("next"));
}

struct Instant {
  const char* name;
  const char* text;
  bool good;
};

class InstantTest : public ::testing::TestWithParam<Instant> {};

TEST_P(InstantTest, IsReadStrictly) { EXPECT_EQ(ParseInstant(GetParam().text).has_value(), GetParam().good); }

INSTANTIATE_TEST_SUITE_P(Texts, InstantTest,
                         ::testing::Values(Instant{"Utc", "2026-04-01T09:30:00Z", true},
                                           Instant{"Offset", "2026-04-01T09:30:00+09:00", true},
                                           Instant{"Fraction", "2026-04-01T09:30:00.25Z", true},
                                           Instant{"NoOffset", "2026-04-01T09:30:00", false},
                                           Instant{"Blank", "2026-04-01 09:30:00Z", false},
                                           Instant{"Infinite", "infinite-future", false},
                                           Instant{"TooOld", "1989-04-01T09:30:00Z", false},
                                           Instant{"NoSuchDay", "2026-02-30T09:30:00Z", false}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tsunagi::cli
