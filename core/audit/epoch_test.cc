#include "core/audit/epoch.h"

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::audit {
namespace {

using testing::StatusIs;

constexpr char kLog[] = "registrar.battery.example/registrar";

TEST(EpochTest, NamesTheFirstByTheLogAlone) {
  EXPECT_EQ(EpochOrigin(kLog, 1), kLog);
  EXPECT_EQ(EpochOrigin(kLog, 2), "registrar.battery.example/registrar/2");
}

TEST(EpochTest, ReadsWhatItWrites) {
  for (const uint64_t epoch : {1u, 2u, 10u, 4000000000u}) {
    const auto read = ParseEpochOrigin(EpochOrigin(kLog, epoch));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->log, kLog);
    EXPECT_EQ(read->epoch, epoch);
  }
}

TEST(EpochTest, RefusesEveryOtherForm) {
  for (const char* origin :
       {"", "/", "registrar.battery.example", "registrar.battery.example/", "/registrar",
        "registrar.battery.example/registrar/", "registrar.battery.example/registrar/0",
        "registrar.battery.example/registrar/1", "registrar.battery.example/registrar/02",
        "registrar.battery.example/registrar/+2", "registrar.battery.example/registrar/ 2",
        "registrar.battery.example/registrar/2/3", "registrar.battery.example/registrar/two",
        "registrar.battery.example/registrar/18446744073709551616"}) {
    EXPECT_THAT(ParseEpochOrigin(origin), StatusIs(absl::StatusCode::kInvalidArgument)) << origin;
  }
}

TEST(EpochTest, FindsWhatANoteClaims) {
  EXPECT_EQ(ClaimedOrigin("registrar.battery.example/registrar/2\n7\nroot\n"),
            "registrar.battery.example/registrar/2");
  EXPECT_EQ(ClaimedOrigin("one line"), "one line");
}

}  // namespace
}  // namespace tsunagi::audit
