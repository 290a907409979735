#include "services/metrics/endpoint.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/scrape.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::metrics {
namespace {

using testing::HasSubstr;
using testing::HttpGet;
using testing::IsOk;
using testing::StatusIs;

TEST(EndpointTest, IsAtALoopbackAddressAndOneAlone) {
  for (const char* good : {"127.0.0.1:9464", "[::1]:9464", "127.0.0.1:0"}) {
    EXPECT_THAT(CheckListen(good), IsOk()) << good;
  }
  for (const char* bad : {"", "0.0.0.0:9464", "[::]:9464", "192.168.1.5:9464", "localhost:9464", "9464",
                          "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:9464,0.0.0.0:9465", "127.0.0.1:9464s",
                          "127.0.0.1:+9464", "127.0.0.1:9464 "}) {
    EXPECT_THAT(CheckListen(bad), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("`127.0.0.1:port`")))
        << bad;
    EXPECT_THAT(Endpoint::Start(bad, [](Families&) {}), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(EndpointTest, ShowsWhatIsCollectedAtEachScrape) {
  double value = 0;
  const auto endpoint = Endpoint::Start(
      "127.0.0.1:0", [&](Families& families) { families.Gauge("tsunagi_test", "Test.", ++value); });
  ASSERT_THAT(endpoint, IsOk());
  const std::string address = absl::StrCat("127.0.0.1:", (*endpoint)->port());

  EXPECT_THAT(HttpGet(address, "/metrics").body, HasSubstr("\ntsunagi_test 1\n"));
  EXPECT_THAT(HttpGet(address, "/metrics").body, HasSubstr("\ntsunagi_test 2\n"));
}

TEST(EndpointTest, ServesNothingElse) {
  const auto endpoint = Endpoint::Start("127.0.0.1:0", [](Families&) {});
  ASSERT_THAT(endpoint, IsOk());
  const std::string address = absl::StrCat("127.0.0.1:", (*endpoint)->port());

  for (const char* path : {"/", "/metric", "/../etc/passwd", "/CMakeLists.txt"}) {
    EXPECT_EQ(HttpGet(address, path).code, "404") << path;
  }
}

TEST(EndpointTest, SaysThatAPortIsTaken) {
  const auto first = Endpoint::Start("127.0.0.1:0", [](Families&) {});
  ASSERT_THAT(first, IsOk());

  EXPECT_THAT(Endpoint::Start(absl::StrCat("127.0.0.1:", (*first)->port()), [](Families&) {}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("a port that is free")));
}

TEST(EndpointTest, IsNotThereUnlessItIsConfigured) {
  const testing::TempDir dir;

  const auto endpoint = StartAndAnnounce("", dir.path(), [](Families&) {});

  ASSERT_THAT(endpoint, IsOk());
  EXPECT_EQ(*endpoint, nullptr);
  EXPECT_EQ(testing::ScrapeText(dir.path()), "");
}

}  // namespace
}  // namespace tsunagi::metrics
