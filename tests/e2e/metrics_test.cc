// The metrics of a node that serves, and of its registrar.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/process/config.h"
#include "services/rpc/channel.h"
#include "services/rpc/status.h"
#include "tests/e2e/process_for_test.h"
#include "tests/support/eventually.h"
#include "tests/support/scrape.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::process {
namespace {

using testing::Eventually;
using testing::HasSubstr;
using testing::IsOk;
using testing::Not;
using testing::Samples;

constexpr char kHealthOk[] =
    "tsunagi_calls_total{method=\"tsunagi.ops.v1.OperationsService/GetHealth\",code=\"OK\"}";
constexpr char kHealthSeconds[] =
    "tsunagi_call_seconds_count{method=\"tsunagi.ops.v1.OperationsService/GetHealth\"}";

class MetricsTest : public ProcessTest {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    config_.mutable_metrics()->set_listen("127.0.0.1:0");
  }
  Samples Scrape() const { return testing::Scrape(config_.data_dir()); }
  bool Shows() const { return !testing::ScrapeText(config_.data_dir()).empty(); }
};

TEST_F(MetricsTest, ShowCallsAsTheyEnd) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy() && Shows(); }));
  Samples before = Scrape();

  ASSERT_TRUE(Healthy());

  Samples after = Scrape();
  EXPECT_EQ(after[kHealthOk], before[kHealthOk] + 1);
  EXPECT_EQ(after[kHealthSeconds], before[kHealthSeconds] + 1);
}

TEST_F(MetricsTest, ShowDenialsByReason) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy() && Shows(); }));
  const std::string token = ReadFile(config_.data_dir() + "/token", 1 << 14).value();
  Samples before = Scrape();

  ASSERT_THAT(WriteText(config_.data_dir() + "/token", "nonsense"), IsOk());
  ASSERT_FALSE(Healthy());
  ASSERT_THAT(WriteText(config_.data_dir() + "/token", token), IsOk());

  Samples after = Scrape();
  EXPECT_EQ(after["tsunagi_denials_total{reason=\"token\"}"],
            before["tsunagi_denials_total{reason=\"token\"}"] + 1);
  EXPECT_EQ(after["tsunagi_denials_total{reason=\"suspended\"}"], 0);
}

TEST_F(MetricsTest, ShowTheLogAndHowFarItIsCosigned) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Shows(); }));
  Samples before = Scrape();

  audit::Commit commit;
  commit.record = "record";
  ASSERT_THAT(process->journal().SubmitAndWait(std::move(commit)), IsOk());

  Samples after = Scrape();
  EXPECT_EQ(after["tsunagi_log_leaves"], before["tsunagi_log_leaves"] + 1);
  EXPECT_GT(after["tsunagi_journal_write_seconds_count"], before["tsunagi_journal_write_seconds_count"]);
  EXPECT_EQ(after["tsunagi_journal_writable"], 1);
  EXPECT_TRUE(Eventually([&] {
    Samples now = Scrape();
    return now["tsunagi_cosign_lag_leaves"] == 0 && now["tsunagi_cosign_age_seconds"] < 60;
  }));
}

TEST_F(MetricsTest, ShowThatNothingIsCosignedWhileTheRegistrarIsAway) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Shows() && Scrape()["tsunagi_cosign_lag_leaves"] == 0; }));
  registrar_.reset();

  audit::Commit commit;
  commit.record = "record";
  ASSERT_THAT(process->journal().SubmitAndWait(std::move(commit)), IsOk());
  process->journal().RefuseWrites(absl::UnavailableError("stopped by the test"));

  Samples after = Scrape();
  EXPECT_EQ(after["tsunagi_cosign_lag_leaves"], 1);
  EXPECT_EQ(after["tsunagi_journal_writable"], 0);
  EXPECT_TRUE(Eventually([&] { return Scrape()["tsunagi_cosign_age_seconds"] > 2; }));
}

TEST_F(MetricsTest, NameNoParticipantAndNoAddress) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy() && Shows(); }));

  const std::string text = testing::ScrapeText(config_.data_dir());

  EXPECT_THAT(text, HasSubstr("tsunagi_build_info{process=\"node\",version=\""));
  for (const std::string& secret : {std::string("oem"), std::string("did:"), std::string("battery.example"),
                                    std::string("127.0.0.1"), std::string(config_.data_dir())}) {
    EXPECT_THAT(text, Not(HasSubstr(secret))) << secret;
  }
}

TEST_F(MetricsTest, AreWhatPrometheusReadsAndThePagesList) {
  constexpr char kPython[] = "/usr/bin/python3";
  ASSERT_TRUE(testing::RunProgram({kPython, "-c", "import prometheus_client"})) << "run ./dev setup";
  registrar_.reset();
  internal::v1::RegistrarConfig registrar;
  registrar.set_data_dir(dir_.File("registrar"));
  registrar.set_listen(address_);
  registrar.set_est_listen(est_address_);
  registrar.set_federation(kFederation);
  registrar.mutable_metrics()->set_listen("127.0.0.1:0");
  auto started = identity::RegistrarProcess::Start(identity::WithDefaults(registrar), clock_);
  ASSERT_THAT(started, IsOk());
  registrar_ = *std::move(started);
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return Healthy() && Shows(); }));

  ASSERT_THAT(WriteText(dir_.File("node.txt"), testing::ScrapeText(config_.data_dir())), IsOk());
  ASSERT_THAT(WriteText(dir_.File("registrar.txt"), testing::ScrapeText(dir_.File("registrar"))), IsOk());

  EXPECT_TRUE(
      testing::RunProgram({kPython, "-B", absl::StrCat(TSUNAGI_SOURCE_DIR, "/services/metrics/check_text.py"),
                           TSUNAGI_SOURCE_DIR, dir_.File("node.txt"), dir_.File("registrar.txt")}));
}

TEST(MetricsConfigTest, AnAddressThatOthersReachIsAMistake) {
  internal::v1::NodeConfig config;
  const size_t mistakes = MistakesIn(config).size();

  config.mutable_metrics()->set_listen("0.0.0.0:9464");
  ASSERT_EQ(MistakesIn(config).size(), mistakes + 1);
  EXPECT_EQ(MistakesIn(config).back().field, "metrics.listen");
  config.mutable_metrics()->set_listen("127.0.0.1:9464");
  EXPECT_EQ(MistakesIn(config).size(), mistakes);
}

}  // namespace
}  // namespace tsunagi::process
