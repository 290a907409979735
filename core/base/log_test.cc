#include "core/base/log.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi {
namespace {

class LogTest : public ::testing::Test {
 protected:
  void TearDown() override { log::Start("", "info"); }

  template <typename F>
  static std::string Written(F write) {
    ::testing::internal::CaptureStderr();
    write();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, WritesOneJsonObjectPerLine) {
  log::Start("node", "info");

  const std::string line = Written([] {
    log::Warning("disk is nearly full", {{"free_mib", "12"}, {"path", "/data"}});
  });

  ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const nlohmann::json parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["level"], "warning");
  EXPECT_EQ(parsed["process"], "node");
  EXPECT_EQ(parsed["message"], "disk is nearly full");
  EXPECT_EQ(parsed["free_mib"], "12");
  EXPECT_EQ(parsed["path"], "/data");
  EXPECT_THAT(parsed["time"].get<std::string>(), ::testing::MatchesRegex("....-..-..T..:..:..\\....Z"));
}

TEST_F(LogTest, CannotBeInjectedInto) {
  const std::string evil = "x\"}\n{\"level\":\"error\"} \\ \x1b[2J \u202E \u2028 \xff %v %%n {}";

  const std::string line = Written([&] { log::Info(evil, {{evil, evil}}); });

  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.find("\u202E"), std::string::npos);
  const nlohmann::json parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["level"], "info");
  EXPECT_EQ(parsed["message"], "x\"}\n{\"level\":\"error\"} \\ \x1b[2J \u202E \u2028 \uFFFD %v %%n {}");
}

TEST_F(LogTest, AProcessNameIsNoPattern) {
  log::Start("a%v\"b", "info");

  EXPECT_EQ(nlohmann::json::parse(Written([] { log::Info("m"); }))["process"], "a%v\"b");
}

TEST_F(LogTest, ComplaintsOfProtobufAreJsonAndForDebuggingOnly) {
  const auto parse = [] { common::v1::Subject().ParseFromString("\x12\x01\xff"); };

  log::Start("node", "info");
  EXPECT_EQ(Written(parse), "");
  log::Start("node", "debug");
  EXPECT_EQ(nlohmann::json::parse(Written(parse))["level"], "debug");
}

TEST_F(LogTest, LeavesOutWhatIsBelowTheLevel) {
  const auto all = [] {
    log::Debug("1");
    log::Info("2");
    log::Warning("3");
    log::Error("4");
  };
  const struct {
    const char* level;
    int lines;
  } kCases[] = {{"debug", 4}, {"info", 3}, {"warning", 2}, {"error", 1}, {"off", 3}, {"", 3}, {"loud", 3}};

  for (const auto& c : kCases) {
    log::Start("node", c.level);
    const std::string lines = Written(all);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), c.lines) << c.level;
  }
}

}  // namespace
}  // namespace tsunagi
