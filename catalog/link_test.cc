#include "catalog/link.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::catalog {
namespace {

using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;

struct Good {
  const char* name;
  const char* text;
  const char* serial;
};

class GoodLinkTest : public ::testing::TestWithParam<Good> {};

TEST_P(GoodLinkTest, GivesDomainAndSerial) {
  const auto link = ParseLink(GetParam().text);

  ASSERT_THAT(link, IsOk());
  EXPECT_EQ(link->domain, "id.maker.example");
  EXPECT_EQ(link->serial, GetParam().serial);
}

INSTANTIATE_TEST_SUITE_P(
    Links, GoodLinkTest,
    ::testing::Values(Good{"LastSegment", "https://id.maker.example/battery/CM-0001", "CM-0001"},
                      Good{"SlashAtTheEnd", "https://id.maker.example/CM-0001/", "CM-0001"},
                      Good{"QueryAndFragment", "https://id.maker.example/CM-0001?lang=ja#top", "CM-0001"},
                      Good{"DomainInUpperCaseWithPort", "https://ID.Maker.example:8443/CM-0001", "CM-0001"},
                      Good{"DigitalLink", "https://id.maker.example/01/04912345678904/21/CM-0001/10/L7",
                           "CM-0001"},
                      Good{"SerialWithSlash", "https://id.maker.example/b/CM%2f1", "CM/1"},
                      Good{"SerialThatIsTheIdentifier", "https://id.maker.example/b/21", "21"}),
    [](const auto& test) { return std::string(test.param.name); });

class BadLinkTest : public ::testing::TestWithParam<std::pair<const char*, std::string>> {};

TEST_P(BadLinkTest, IsRefused) {
  EXPECT_THAT(ParseLink(GetParam().second), StatusIs(absl::StatusCode::kInvalidArgument));
}

INSTANTIATE_TEST_SUITE_P(
    Links, BadLinkTest,
    ::testing::Values(std::pair{"Http", "http://id.maker.example/A1"},
                      std::pair{"NoPath", "https://id.maker.example"},
                      std::pair{"EmptyPath", "https://id.maker.example/"},
                      std::pair{"NoDomain", "https:///A1"},
                      std::pair{"UserInfo", "https://registered.example@other.example/A1"},
                      std::pair{"HalfEscape", "https://id.maker.example/A%2"},
                      std::pair{"EmptyEscape", "https://id.maker.example/A%"},
                      std::pair{"NoHex", "https://id.maker.example/A%zz"},
                      std::pair{"NoSerial", "https://id.maker.example/A%20B"},
                      std::pair{"TooLong", "https://id.maker.example/" + std::string(2'048, 'a') + "/A1"}),
    [](const auto& test) { return std::string(test.param.first); });

}  // namespace
}  // namespace tsunagi::catalog
