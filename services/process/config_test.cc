#include "services/process/config.h"

#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::process {
namespace {

using internal::v1::NodeConfig;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
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

TEST(ConfigTest, AcceptsWhatIsComplete) { EXPECT_THAT(MistakesIn(GoodConfig()), IsEmpty()); }

TEST(ConfigTest, ReportsEveryMistakeOfAFileAtOnceWithItsLine) {
  const testing::TempDir dir;
  const std::string path = dir.File("node.yaml");
  ASSERT_THAT(WriteFileAtomically(path, R"(listen: here
participant: OEM
federation: battery.example
registrar:
  est_url: http://registrar.example
  root_sha256: 12
cosign_seconds: never
log_level: verbose
)",
                                  0600),
              IsOk());

  EXPECT_THAT(LoadConfig(path),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrReplaceAll(
                           R"(FILE: `data_dir` is missing: expected a folder for keys, certificate and store
FILE:1: `listen` is `here`: expected `host:port`
FILE:2: `participant` is `OEM`: expected the label that the registrar gave this participant
FILE:4: `registrar.address` is missing: expected `host:port`
FILE:5: `registrar.est_url` is `http://registrar.example`: expected the `https://host:port` of the invitation
FILE:6: `registrar.root_sha256` is `12`: expected 64 lower-case hex digits, as the invitation says
FILE:7: `cosign_seconds` is `never`: expected a whole number from 0 to 18446744073709551615
FILE:8: `log_level` is `verbose`: expected debug, info, warning or error)",
                           {{"FILE", path}})));
}

TEST(ConfigTest, LoadsWhatIsCompleteWithDefaults) {
  const testing::TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("node.yaml"),
                                  absl::StrCat(R"(data_dir: /d
listen: 127.0.0.1:7443
federation: battery.example
participant: oem
registrar:
  address: registrar.example:7443
  est_url: https://registrar.example:8443
  root_sha256: ")",
                                               std::string(64, 'a'), "\"\n"),
                                  0600),
              IsOk());

  const auto config = LoadConfig(dir.File("node.yaml"));

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->shared_dir(), "/d");
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

  EXPECT_THAT(MistakesIn(config), ElementsAre(Field(&FieldMistake::field, GetParam().field)));
}

INSTANTIATE_TEST_SUITE_P(
    ConfigTest, Mistakes,
    ::testing::Values(
        Mistake{"ListenWithoutPort", "listen", [](NodeConfig& c) { c.set_listen("127.0.0.1"); }},
        Mistake{"PortTooLarge", "listen", [](NodeConfig& c) { c.set_listen("127.0.0.1:65536"); }},
        Mistake{"AllAddressesToldToNobody", "advertise", [](NodeConfig& c) { c.set_listen("0.0.0.0:7443"); }},
        Mistake{"LabelInUpperCase", "participant", [](NodeConfig& c) { c.set_participant("OEM"); }},
        Mistake{"RegistrarWithoutTls", "registrar.est_url",
                [](NodeConfig& c) { c.mutable_registrar()->set_est_url("http://registrar.example"); }},
        Mistake{"DigestInUpperCase", "registrar.root_sha256",
                [](NodeConfig& c) { c.mutable_registrar()->set_root_sha256(std::string(64, 'A')); }},
        Mistake{"UnknownLogLevel", "log_level", [](NodeConfig& c) { c.set_log_level("verbose"); }},
        Mistake{"PassportWithoutPort", "passport_address",
                [](NodeConfig& c) { c.set_passport_address("here"); }},
        Mistake{"TrustTooSeldom", "trust_refresh_seconds",
                [](NodeConfig& c) { c.set_trust_refresh_seconds(3601); }},
        Mistake{"StampingAuthorityWithoutRoot", "stamping_authority.root_file",
                [](NodeConfig& c) { c.mutable_stamping_authority()->set_url("http://stamps.example"); }}),
    [](const auto& param) { return param.param.name; });

TEST(OpenIdConfigTest, ReportsEveryMistakeAtOnceWithItsLine) {
  const testing::TempDir dir;
  const std::string path = dir.File("node.yaml");
  ASSERT_THAT(WriteFileAtomically(path,
                                  absl::StrCat(R"(data_dir: /d
listen: 127.0.0.1:7443
federation: battery.example
participant: oem
registrar:
  address: registrar.example:7443
  est_url: https://registrar.example:8443
  root_sha256: ")",
                                               std::string(64, 'a'), R"("
openid_provider:
  issuer: http://login.oem.example
  client_secret: hidden
  account_claim: two words
  scopes: [email, openid]
  allowed_addresses:
    - 10.1.2.3
    - localhost
)"),
                                  0600),
              IsOk());

  const absl::Status status = LoadConfig(path).status();

  for (const char* expected :
       {"node.yaml:9: `openid_provider.client_id` is missing", "node.yaml:10: `openid_provider.issuer` is",
        "node.yaml:11: ", "node.yaml:12: `openid_provider.account_claim` is",
        "node.yaml:13: `openid_provider.scopes[1]` is",
        "node.yaml:16: `openid_provider.allowed_addresses[1]` is `localhost`"}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr(expected)));
  }
}

NodeConfig WithProvider() {
  NodeConfig config = GoodConfig();
  config.mutable_openid_provider()->set_issuer("https://login.oem.example/tenant/");
  config.mutable_openid_provider()->set_client_id("tsunagi");
  return config;
}

TEST(OpenIdConfigTest, AcceptsWhatIsComplete) {
  NodeConfig config = WithProvider();
  EXPECT_THAT(MistakesIn(config), IsEmpty());
  config.mutable_openid_provider()->add_scopes("email");
  config.mutable_openid_provider()->add_allowed_addresses("fd00::1");
  config.mutable_openid_provider()->set_account_claim("email");
  EXPECT_THAT(MistakesIn(config), IsEmpty());
}

class OpenIdMistakes : public Mistakes {};

TEST_P(OpenIdMistakes, NameTheField) {
  NodeConfig config = WithProvider();
  GetParam().make(config);

  EXPECT_THAT(MistakesIn(config), ElementsAre(Field(&FieldMistake::field, GetParam().field)));
}

INSTANTIATE_TEST_SUITE_P(
    OpenIdConfigTest, OpenIdMistakes,
    ::testing::Values(Mistake{"IssuerMissing", "openid_provider.issuer",
                              [](NodeConfig& c) { c.mutable_openid_provider()->clear_issuer(); }},
                      Mistake{"IssuerWithQuery", "openid_provider.issuer",
                              [](NodeConfig& c) {
                                c.mutable_openid_provider()->set_issuer("https://login.oem.example/?x");
                              }},
                      Mistake{"IssuerWithFragment", "openid_provider.issuer",
                              [](NodeConfig& c) {
                                c.mutable_openid_provider()->set_issuer("https://login.oem.example/#x");
                              }},
                      Mistake{"IssuerTooLong", "openid_provider.issuer",
                              [](NodeConfig& c) {
                                c.mutable_openid_provider()->set_issuer("https://login.oem.example/" +
                                                                        std::string(1024, 'x'));
                              }},
                      Mistake{"ClientWithControl", "openid_provider.client_id",
                              [](NodeConfig& c) { c.mutable_openid_provider()->set_client_id("a\nb"); }},
                      Mistake{"SeventeenthScope", "openid_provider.scopes[16]",
                              [](NodeConfig& c) {
                                for (int i = 0; i < 17; ++i)
                                  c.mutable_openid_provider()->add_scopes(absl::StrCat("s", i));
                              }},
                      Mistake{"NetworkInsteadOfAddress", "openid_provider.allowed_addresses[0]",
                              [](NodeConfig& c) {
                                c.mutable_openid_provider()->add_allowed_addresses("10.0.0.0/8");
                              }}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace tsunagi::process
