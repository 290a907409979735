#include "cli/app.h"

#include <sstream>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/temp_dir.h"

namespace tsunagi::cli {
namespace {

using ::testing::HasSubstr;

struct Result {
  int code;
  std::string out;
  std::string err;
};

Result RunApp(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = Run(arguments, out, err);
  return {code, out.str(), err.str()};
}

struct Usage {
  const char* name;
  std::vector<std::string> arguments;
};

class UsageTest : public ::testing::TestWithParam<Usage> {};

TEST_P(UsageTest, IsExitCode2) {
  const Result result = RunApp(GetParam().arguments);

  EXPECT_EQ(result.code, kExitUsage) << result.out << result.err;
  EXPECT_FALSE(result.err.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Lines, UsageTest,
    ::testing::Values(
        Usage{"NoCommand", {}}, Usage{"UnknownCommand", {"frobnicate"}}, Usage{"NoSubcommand", {"passport"}},
        Usage{"UnknownOption", {"health", "--colour"}}, Usage{"UnknownFormat", {"--output", "xml", "health"}},
        Usage{"BadIdentifier", {"passport", "show", "LF40-P0001"}},
        Usage{"BadSection", {"passport", "resolve", "A@b", "--section", "price", "--purpose", "x"}},
        Usage{"SectionMissing", {"passport", "resolve", "A@b", "--purpose", "x"}},
        Usage{"BatchTooLarge", {"passport", "import", "f.csv", "--batch-size", "1001"}},
        Usage{"BatchOfNone", {"passport", "import", "f.csv", "--batch-size", "0"}},
        Usage{"KindUnknown", {"passport", "import", "f.csv", "--kind", "prices"}},
        Usage{"ReasonMissing", {"passport", "erase", "vehicle:ZE1-012345"}},
        Usage{"ChangeWithoutValue", {"passport", "amend", "A@b", "--set", "model"}},
        Usage{"MandateWithoutScope", {"mandate", "grant", "agency"}},
        Usage{"MandateForEverything", {"mandate", "grant", "agency", "--scope", "operations"}},
        Usage{"MandateWithoutEnd", {"mandate", "grant", "agency", "--scope", "policy", "--days", "1828"}},
        Usage{"NodeOfNobody", {"--node", "127.0.0.1:1", "policy", "list"}},
        Usage{"NoticeAboutNothing", {"notice", "file", "--section", "condition"}},
        Usage{"LeavingWithoutReason", {"participant", "leave", "maker"}},
        Usage{"ConsentToNothing", {"participant", "consent", "trucks"}},
        Usage{"ConsentToTwoAtOnce",
              {"participant", "consent", "trucks", "--vin-wmi", "JN1", "--chassis-type", "ZE1"}},
        Usage{"RegisterIsApply", {"participant", "register", "maker.yaml"}},
        Usage{"RootMissing", {"receipt", "verify", "r.receipt"}},
        Usage{"RoleMissing", {"account", "create", "--name", "Sato"}},
        Usage{"RoleUnknown", {"account", "set-role", "a-0", "--role", "owner"}},
        Usage{"AppAsAdministrator", {"client", "create", "--name", "MES", "--role", "administrator"}},
        Usage{"PasswordAsArgument", {"sign-in", "a-0", "--password", "secret"}},
        Usage{"AppWithoutSecret", {"health", "--client", "c-0"}}),
    [](const auto& test) { return test.param.name; });

TEST(AppTest, HelpIsASuccessAndExplainsIdentifiers) {
  const Result result = RunApp({"passport", "resolve", "--help"});

  EXPECT_EQ(result.code, kExitOk);
  EXPECT_THAT(result.out, HasSubstr("SERIAL@maker-label"));
  EXPECT_THAT(result.out, HasSubstr("vehicle:ZE1-012345"));
}

TEST(AppTest, TheHelpOfImportListsTheColumns) {
  const Result result = RunApp({"passport", "import", "--help"});

  EXPECT_THAT(result.out, HasSubstr("lithium_kg"));
  EXPECT_THAT(result.out, HasSubstr("measured_at*"));
}

TEST(AppTest, AnErrorIsExitCode1AndSaysHowToEnrol) {
  const testing::TempDir folder;

  const Result result = RunApp({"--profile", folder.path(), "health"});

  EXPECT_EQ(result.code, kExitError);
  EXPECT_TRUE(result.out.empty());
  EXPECT_THAT(result.err, HasSubstr("tsunagi enrol --invitation-file"));
}

TEST(AppTest, APreviewNeedsNoPurpose) {
  const testing::TempDir folder;

  const Result result = RunApp({"policy", "preview", "--as", "dealer", "--battery", "LF40-P0001@cell-maker",
                                "--profile", folder.path()});

  EXPECT_EQ(result.code, kExitError);
  EXPECT_THAT(result.err, HasSubstr("tsunagi enrol --invitation-file"));
}

TEST(AppTest, AnErrorCanBeJson) {
  const testing::TempDir folder;

  const Result result = RunApp({"health", "--profile", folder.path(), "--output", "json"});

  EXPECT_EQ(nlohmann::json::parse(result.err)["error"]["code"], "FAILED_PRECONDITION");
}

TEST(AppTest, EveryMistakeInAConfigurationIsNamedWithItsLine) {
  const testing::TempDir folder;
  const std::string config = folder.path() + "/operator.yaml";
  ASSERT_TRUE(WriteFileAtomically(
                  config, "federation: x.example\nparticpant: oem\nregistrar:\n  address: x:1\n", 0644)
                  .ok());

  const Result result =
      RunApp({"enrol", "--invitation-file", config, "--config", config, "--profile", folder.path()});

  EXPECT_EQ(result.code, kExitError);
  EXPECT_THAT(result.err, HasSubstr("operator.yaml: `participant` is missing: expected a value"));
  EXPECT_THAT(result.err,
              HasSubstr("operator.yaml:2: `particpant` is not a known key: did you mean `participant`?"));
  EXPECT_THAT(result.err, HasSubstr("operator.yaml:3: `registrar.est_url` is missing: expected a value"));
  EXPECT_THAT(result.err, HasSubstr("operator.yaml:3: `registrar.root_sha256` is missing: expected a value"));
}

TEST(AppTest, ABadFileIsRefusedBeforeAnythingIsAsked) {
  const testing::TempDir folder;
  const std::string file = folder.path() + "/batteries.csv";
  ASSERT_TRUE(WriteFileAtomically(file, "serial,level,manufactured\nA,pack", 0644).ok());

  const Result result = RunApp({"passport", "import", file, "--profile", folder.path()});

  EXPECT_EQ(result.code, kExitError);
  EXPECT_THAT(result.err, HasSubstr("batteries.csv: row 1: the file ends within the row"));
}

}  // namespace
}  // namespace tsunagi::cli
