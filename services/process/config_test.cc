#include "services/process/config.h"

#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::process {
namespace {

using internal::v1::NodeConfig;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

NodeConfig GoodConfig() {
  NodeConfig config;
  config.set_data_dir("/var/lib/tsunagi");
  config.set_listen("127.0.0.1:7443");
  config.set_federation("battery.example");
  config.set_participant("oem");
  config.mutable_registrar()->set_address("registrar.example:7443");
  config.mutable_registrar()->set_est_url("https://registrar.example:8443");
  config.mutable_registrar()->set_root_sha256(std::string(64, 'a'));
  return config;
}

TEST(ConfigTest, AcceptsWhatIsComplete) { EXPECT_THAT(CheckConfig(GoodConfig()), IsOk()); }

TEST(ConfigTest, ReportsEveryMistakeAtOnce) {
  EXPECT_THAT(CheckConfig(NodeConfig()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("`data_dir`"), HasSubstr("`listen`"), HasSubstr("`federation`"),
                             HasSubstr("`participant`"), HasSubstr("`registrar.address`"),
                             HasSubstr("`registrar.est_url`"), HasSubstr("`registrar.root_sha256`"))));
}

TEST(ConfigTest, FillsInWhatIsDocumented) {
  const NodeConfig config = WithDefaults(GoodConfig());

  EXPECT_EQ(config.shared_dir(), config.data_dir());
  EXPECT_EQ(config.log_level(), "info");
  EXPECT_EQ(config.status_list_max_age_seconds(), 86400);
  EXPECT_EQ(config.trust_refresh_seconds(), 8);
  EXPECT_EQ(config.cosign_seconds(), 60);
}

struct Mistake {
  const char* name;
  const char* field;
  std::function<void(NodeConfig&)> make;
};

class Mistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, NameTheField) {
  NodeConfig config = GoodConfig();
  GetParam().make(config);

  EXPECT_THAT(CheckConfig(config), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().field)));
}

INSTANTIATE_TEST_SUITE_P(
    ConfigTest, Mistakes,
    ::testing::Values(
        Mistake{"ListenWithoutPort", "`listen`", [](NodeConfig& c) { c.set_listen("127.0.0.1"); }},
        Mistake{"PortTooLarge", "`listen`", [](NodeConfig& c) { c.set_listen("127.0.0.1:65536"); }},
        Mistake{"AllAddressesToldToNobody", "`advertise`",
                [](NodeConfig& c) { c.set_listen("0.0.0.0:7443"); }},
        Mistake{"LabelInUpperCase", "`participant`", [](NodeConfig& c) { c.set_participant("OEM"); }},
        Mistake{"RegistrarWithoutTls", "`registrar.est_url`",
                [](NodeConfig& c) { c.mutable_registrar()->set_est_url("http://registrar.example"); }},
        Mistake{"DigestInUpperCase", "`registrar.root_sha256`",
                [](NodeConfig& c) { c.mutable_registrar()->set_root_sha256(std::string(64, 'A')); }},
        Mistake{"UnknownLogLevel", "`log_level`", [](NodeConfig& c) { c.set_log_level("verbose"); }},
        Mistake{"PassportWithoutPort", "`passport_address`",
                [](NodeConfig& c) { c.set_passport_address("here"); }},
        Mistake{"TrustTooSeldom", "`trust_refresh_seconds`",
                [](NodeConfig& c) { c.set_trust_refresh_seconds(3601); }}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace tsunagi::process
