#include "core/base/config.h"

#include "core/base/file.h"
#include "core/base/proto.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/struct.pb.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tsunagi/common/v1/types.pb.h"
#include "tsunagi/connector/v1/policy.pb.h"
#include "tsunagi/internal/v1/config.pb.h"

namespace tsunagi {
namespace {

using absl::StatusCode;
using connector::v1::PolicySet;
using internal::v1::NodeConfig;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(ConfigTest, FillsAMessage) {
  NodeConfig config;

  ASSERT_THAT(ParseYaml(R"(
# a comment
data_dir: /var/lib/tsunagi
listen: "127.0.0.1:0"
registrar:
  address: registrar.example:7443
  root_sha256: 00ff
trust_refresh_seconds: 10
)",
                        "node.yaml", config),
              IsOk());

  EXPECT_EQ(config.data_dir(), "/var/lib/tsunagi");
  EXPECT_EQ(config.listen(), "127.0.0.1:0");
  EXPECT_EQ(config.registrar().address(), "registrar.example:7443");
  EXPECT_EQ(config.registrar().root_sha256(), "00ff");
  EXPECT_EQ(config.trust_refresh_seconds(), 10u);
}

TEST(ConfigTest, ReadsListsEnumsAndTimes) {
  PolicySet set;

  ASSERT_THAT(ParseYaml(R"(
rules:
  - id: condition-to-dealers
    action: permit
    roles: [dealer, workshop]
    sections: [condition, SECTION_HISTORY]
    not_before: 2027-04-01
    not_after: 2027-10-01T12:00:00.5+09:00
    daily_lookups: 5
  - id: nothing-else
    action: RULE_ACTION_PROHIBIT
)",
                        "policies.yaml", set),
              IsOk());

  ASSERT_EQ(set.rules_size(), 2);
  const connector::v1::Rule& rule = set.rules(0);
  EXPECT_EQ(rule.action(), connector::v1::RULE_ACTION_PERMIT);
  EXPECT_THAT(rule.roles(), testing::ElementsAre("dealer", "workshop"));
  EXPECT_THAT(rule.sections(),
              testing::ElementsAre(common::v1::SECTION_CONDITION, common::v1::SECTION_HISTORY));
  EXPECT_EQ(*FromProto(rule.not_before()), absl::FromUnixSeconds(1806505200));   // 2027-03-31T15:00:00Z
  EXPECT_EQ(*FromProto(rule.not_after()), absl::FromUnixMillis(1822359600500));  // 2027-10-01T03:00:00.5Z
  EXPECT_EQ(rule.daily_lookups(), 5u);
  EXPECT_EQ(set.rules(1).action(), connector::v1::RULE_ACTION_PROHIBIT);
}

TEST(ConfigTest, ReportsEveryMistakeAtOnceInOrderOfLines) {
  NodeConfig config;

  const absl::Status status = ParseYaml(
      "data_dir: [a]\n"
      "lisen: 127.0.0.1:0\n"
      "trust_refresh_seconds: soon\n"
      "registrar: {adress: x}\n"
      "federation: a\n"
      "federation: b\n",
      "node.yaml", config);

  EXPECT_THAT(status,
              StatusIs(StatusCode::kInvalidArgument,
                       "node.yaml:1: `data_dir` is a list: expected text\n"
                       "node.yaml:2: `lisen` is not a known key: did you mean `listen`?\n"
                       "node.yaml:3: `trust_refresh_seconds` is `soon`: expected a whole number from 0 to "
                       "18446744073709551615\n"
                       "node.yaml:4: `adress` is not a known key: did you mean `address`?\n"
                       "node.yaml:6: `federation` is given twice: remove one"));
}

TEST(ConfigTest, LeavesTheMessageAloneWhenThereIsAMistake) {
  NodeConfig config;
  config.set_listen("before");

  ASSERT_FALSE(ParseYaml("listen: after\nbogus: 1\n", "node.yaml", config).ok());

  EXPECT_EQ(config.listen(), "before");
}

TEST(ConfigTest, EmptyYamlChangesNothing) {
  NodeConfig config;
  config.set_listen("before");

  for (const char* yaml : {"", "\n", "# only a comment\n", "---\n", "~"}) {
    EXPECT_THAT(ParseYaml(yaml, "node.yaml", config), IsOk()) << yaml;
  }

  EXPECT_EQ(config.listen(), "before");
}

struct Case {
  const char* name;
  const char* yaml;
  const char* message;
};

class NodeConfigMistakeTest : public testing::TestWithParam<Case> {};

TEST_P(NodeConfigMistakeTest, IsReportedWithItsLine) {
  NodeConfig config;

  EXPECT_THAT(ParseYaml(GetParam().yaml, "n.yaml", config),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, NodeConfigMistakeTest,
    testing::Values(
        Case{"NotAMap", "- a\n", "n.yaml:1: the file is a list: expected a map"},
        Case{"Scalar", "hello", "n.yaml:1: the file is `hello`: expected a map"},
        Case{"KeyOfNothing", "listen:\n", "n.yaml:1: `listen` is empty: expected text"},
        Case{"FarKey", "zzzzzzzzzzzz: 1",
             "n.yaml:1: `zzzzzzzzzzzz` is not a known key: expected one of `data_dir`"},
        Case{"KeyIsList", "? [a]\n: b\n", "n.yaml:1: a key that is no text"},
        Case{"MessageIsText", "\nregistrar: x\n", "n.yaml:2: `registrar` is `x`: expected a map"},
        Case{"Negative", "cosign_seconds: -1",
             "n.yaml:1: `cosign_seconds` is `-1`: expected a whole number from 0"},
        Case{"TooLarge", "cosign_seconds: 18446744073709551616", "expected a whole number"},
        Case{"LeadingZero", "cosign_seconds: 010", "expected a whole number"},
        Case{"Plus", "cosign_seconds: +1", "expected a whole number"},
        Case{"Hex", "cosign_seconds: 0x10", "expected a whole number"},
        Case{"Fraction", "cosign_seconds: 1.0", "expected a whole number"},
        Case{"QuotedNumber", "cosign_seconds: \"1\"", "is `1` (quoted): expected a whole number"},
        Case{"BadSyntax", "a: 1\nlisten: [a\n", "invalid YAML"},
        Case{"Tab", "registrar:\n\taddress: x\n", "n.yaml:2: invalid YAML"},
        Case{"Alias", "listen: &a x\nadvertise: *a\n", "n.yaml:1: invalid YAML: anchors"},
        Case{"LoneAlias", "advertise: *a\n", "n.yaml:1: invalid YAML"},
        Case{"Tag", "listen: !!binary AA==\n", "n.yaml:1: invalid YAML: tags"},
        Case{"MergeKey", "<<: {listen: a}\n", "`<<` is not a known key"},
        Case{"TwoDocuments", "listen: a\n---\nlisten: b\n", "n.yaml:3: second YAML document"},
        Case{"NotUtf8", "listen: a\nadvertise: \xff\n", "n.yaml:2: not UTF-8"},
        Case{"DirectionMark", "listen: a\u202Eb\n", "n.yaml:1: invisible character `\\u202e`"},
        Case{"EscapedDirectionMark", "listen: \"a\\u202Eb\"\n", "expected text without invisible characters"},
        Case{"EscapedNul", "listen: \"a\\0b\"\n", "expected text without invisible characters"},
        Case{"TerminalEscape", "listen: \"\x1b[31m\"\n", "n.yaml:1: invisible character `\\u001b`"}),
    [](const auto& tested) { return tested.param.name; });

class PolicyMistakeTest : public testing::TestWithParam<Case> {};

TEST_P(PolicyMistakeTest, IsReportedWithItsPath) {
  PolicySet set;

  EXPECT_THAT(ParseYaml(GetParam().yaml, "p.yaml", set),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, PolicyMistakeTest,
    testing::Values(
        Case{"NotAList", "rules: {id: a}", "`rules` is a map: expected a list"},
        Case{"NearEnum", "rules:\n- sections: [identity, conditon]\n",
             "p.yaml:2: `rules[0].sections[1]` is `conditon`: did you mean `condition`?"},
        Case{"FarEnum", "rules:\n- action: x\n",
             "`rules[0].action` is `x`: expected one of `permit`, `prohibit`"},
        Case{"Unspecified", "rules:\n- action: unspecified\n", "`rules[0].action` is `unspecified`"},
        Case{"EnumNumber", "rules:\n- action: 1\n", "`rules[0].action` is `1`"},
        Case{"EnumList", "rules:\n- action: [permit]\n", "is a list: expected one of"},
        Case{"NoSuchDay", "rules:\n- not_before: 2027-02-30\n",
             "p.yaml:2: `rules[0].not_before` is `2027-02-30`: expected a day"},
        Case{"NoZone", "rules:\n- not_before: 2027-02-01T00:00:00\n", "expected a day"},
        Case{"LeapSecond", "rules:\n- not_before: 2027-02-01T23:59:60Z\n", "expected a day"},
        Case{"YearZero", "rules:\n- not_before: 0000-01-01\n", "expected a day"},
        Case{"Year10000", "rules:\n- not_before: 9999-12-31T23:59:59-12:00\n", "expected a day"},
        Case{"ShortZone", "rules:\n- not_before: 2027-02-01T00:00:00+09\n", "expected a day"},
        Case{"TrailingBlank", "rules:\n- not_before: \"2027-02-01T00:00:00Z \"\n", "expected a day"},
        Case{"Month", "rules:\n- not_before: 2027-02\n", "expected a day"},
        Case{"Padded", "rules:\n- not_before: \" 2027-02-01\"\n", "expected a day"},
        Case{"TimeMap", "rules:\n- not_before: {seconds: 1}\n", "is a map: expected a day"},
        Case{"UInt32", "rules:\n- daily_lookups: 4294967296\n", "from 0 to 4294967295"}),
    [](const auto& tested) { return tested.param.name; });

TEST(ConfigTest, RefusesTwoMembersOfAOneof) {
  common::v1::Subject subject;

  EXPECT_THAT(ParseYaml("battery: {serial: a}\nvehicle: b\n", "s.yaml", subject),
              StatusIs(StatusCode::kInvalidArgument,
                       "s.yaml:2: `vehicle` beside `battery`: expected only one of them"));
}

TEST(ConfigTest, ReadsNumbersAndTruthOfEveryWidth) {
  google::protobuf::FieldDescriptorProto field;
  google::protobuf::UninterpretedOption option;

  ASSERT_THAT(ParseYaml("number: -2147483648\nproto3_optional: true\n", "f", field), IsOk());
  ASSERT_THAT(ParseYaml("negative_int_value: -9223372036854775808\n", "o", option), IsOk());

  EXPECT_EQ(field.number(), std::numeric_limits<int32_t>::min());
  EXPECT_TRUE(field.proto3_optional());
  EXPECT_EQ(option.negative_int_value(), std::numeric_limits<int64_t>::min());
  EXPECT_FALSE(ParseYaml("proto3_optional: yes\n", "f", field).ok());
  EXPECT_FALSE(ParseYaml("number: 2147483648\n", "f", field).ok());
}

TEST(ConfigTest, RefusesBytesFloatsAndMaps) {
  google::protobuf::UninterpretedOption option;
  google::protobuf::Struct map;

  EXPECT_THAT(ParseYaml("string_value: a\n", "o", option),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("cannot be given")));
  EXPECT_THAT(ParseYaml("double_value: 1\n", "o", option),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("cannot be given")));
  EXPECT_THAT(ParseYaml("fields: {}\n", "m", map),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("cannot be given")));
}

TEST(ConfigTest, BoundsDepthSizeAndNumberOfMistakes) {
  NodeConfig config;
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  const std::string large = "listen: " + std::string(1 << 20, 'a');
  std::string many;
  for (int i = 0; i < 150; ++i) many += "zzzzzzzzzzzzzzz" + std::to_string(i) + ": 1\n";

  EXPECT_THAT(ParseYaml("listen: " + deep, "n", config),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("deeper")));
  EXPECT_THAT(ParseYaml(large, "n", config),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("larger than 1048576")));
  EXPECT_THAT(ParseYaml(many, "n", config),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("and 50 more mistakes")));
}

TEST(ConfigTest, TellsWhatACheckFindsAmongTheOtherMistakesByLine) {
  NodeConfig config;
  const auto check = [](const google::protobuf::Message&) {
    return std::vector<FieldMistake>{{"participant", "", "a label"},
                                     {"registrar.est_url", "", "a URL"},
                                     {"registrar.address", "nowhere", "`host:port`"},
                                     {"cosign_seconds", "", "a number"},
                                     {"listen", "x", "`host:port`"}};
  };

  EXPECT_EQ(ParseYaml(R"(data_dir: /d
cosign_seconds: soon
registrar:
  address: nowhere
lissten: y
listen: x
)",
                      "node.yaml", config, check),
            absl::InvalidArgumentError(R"(node.yaml: `participant` is missing: expected a label
node.yaml:2: `cosign_seconds` is `soon`: expected a whole number from 0 to 18446744073709551615
node.yaml:3: `registrar.est_url` is missing: expected a URL
node.yaml:4: `registrar.address` is `nowhere`: expected `host:port`
node.yaml:5: `lissten` is not a known key: did you mean `listen`?
node.yaml:6: `listen` is `x`: expected `host:port`)"));
}

TEST(ConfigTest, ChecksAnEmptyFileToo) {
  NodeConfig config;

  EXPECT_EQ(ParseYaml("# nothing\n", "node.yaml", config,
                      [](const google::protobuf::Message&) {
                        return std::vector<FieldMistake>{{"listen", "", "`host:port`"}};
                      }),
            absl::InvalidArgumentError("node.yaml: `listen` is missing: expected `host:port`"));
}

TEST(ConfigTest, DoesNotCheckInsideWhatCouldNotBeRead) {
  NodeConfig config;

  EXPECT_EQ(
      ParseYaml("registrar: here\n", "node.yaml", config,
                [](const google::protobuf::Message&) {
                  return std::vector<FieldMistake>{{"registrar.address", "", "`host:port`"}};
                }),
      absl::InvalidArgumentError("node.yaml:1: `registrar` is `here`: expected a map of keys and values"));
}

TEST(ConfigTest, LoadsAFileAndNamesItInMistakes) {
  const testing::TempDir dir;
  NodeConfig config;
  ASSERT_THAT(WriteFileAtomically(dir.File("node.yaml"), "listen: a\n", 0600), IsOk());
  ASSERT_THAT(WriteFileAtomically(dir.File("bad.yaml"), "x: a\n", 0600), IsOk());

  ASSERT_THAT(LoadYamlFile(dir.File("node.yaml"), config), IsOk());

  EXPECT_EQ(config.listen(), "a");
  EXPECT_THAT(LoadYamlFile(dir.File("bad.yaml"), config),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr(dir.File("bad.yaml") + ":1:")));
  EXPECT_THAT(LoadYamlFile(dir.File("none.yaml"), config),
              StatusIs(StatusCode::kNotFound, HasSubstr(dir.File("none.yaml"))));
}

}  // namespace
}  // namespace tsunagi
