#include "core/store/key.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::store {
namespace {

using ::tsunagi::testing::IsOkAndHolds;
using ::tsunagi::testing::StatusIs;

TEST(KeyTest, IsEncodedAsDocumented) {
  const std::string key = Key("ev").Str(std::string("a\0b", 3)).U64(258);

  EXPECT_EQ(key, std::string("ev\x00\x01"
                             "a\x00\xff"
                             "b\x00\x01"
                             "\x00\x00\x00\x00\x00\x00\x01\x02",
                             4 + 4 + 2 - 1 + 8 + 1));
}

TEST(KeyTest, OrdersLikeTheTuple) {
  const std::vector<std::tuple<std::string, uint64_t>> tuples = {
      {"", 0},
      {"", 1},
      {std::string("\0", 1), 0},
      {std::string("\0\x01", 2), 5},
      {std::string("\0\xff", 2), 5},
      {"\x01", 0},
      {"a", 0},
      {"a", 255},
      {"a", 256},
      {"a", UINT64_MAX},
      {std::string("a\0", 2), 0},
      {"aa", 0},
      {"b", 0},
      {"\xff", 0},
      {"\xff\xff", 0},
  };
  std::vector<std::string> keys;
  for (const auto& [text, number] : tuples) keys.push_back(Key("k").Str(text).U64(number));

  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST(KeyTest, OfOneStringIsNoPrefixOfAnothers) {
  const std::string shorter = Key("kind").Str("ab");
  const std::string longer = Key("kind").Str("abc");

  EXPECT_FALSE(absl::StartsWith(longer, shorter));
}

TEST(KeyTest, OfATuplePrefixIsAPrefix) {
  const std::string whole = Key("kind").Str("ab").U64(7).Str("c");

  EXPECT_TRUE(absl::StartsWith(whole, Key("kind").bytes()));
  EXPECT_TRUE(absl::StartsWith(whole, Key("kind").Str("ab").bytes()));
  EXPECT_TRUE(absl::StartsWith(whole, Key("kind").Str("ab").U64(7).bytes()));
}

TEST(KeyReaderTest, TakesApartWhatWasBuilt) {
  const std::string text("\0\x01\xff\0\0end", 8);
  const std::string key = Key("kind").Str(text).U64(UINT64_MAX).Str("");
  KeyReader reader(key);

  EXPECT_THAT(reader.Str(), IsOkAndHolds("kind"));
  EXPECT_THAT(reader.Str(), IsOkAndHolds(text));
  EXPECT_THAT(reader.U64(), IsOkAndHolds(UINT64_MAX));
  EXPECT_FALSE(reader.done());
  EXPECT_THAT(reader.Str(), IsOkAndHolds(""));
  EXPECT_TRUE(reader.done());
}

struct BadString {
  const char* name;
  std::string bytes;
};

class KeyReaderRefusesTest : public ::testing::TestWithParam<BadString> {};

TEST_P(KeyReaderRefusesTest, AsDataLoss) {
  KeyReader reader(GetParam().bytes);

  EXPECT_THAT(reader.Str(), StatusIs(absl::StatusCode::kDataLoss));
}

INSTANTIATE_TEST_SUITE_P(Strings, KeyReaderRefusesTest,
                         ::testing::Values(BadString{"Nothing", ""}, BadString{"NoEnd", "abc"},
                                           BadString{"CutInTheEnd", std::string("abc\0", 4)},
                                           BadString{"BareZero", std::string("a\0b\0\x01", 5)}),
                         [](const auto& param) { return param.param.name; });

TEST(KeyReaderTest, RefusesAnIntegerOfSevenBytes) {
  KeyReader reader("1234567");

  EXPECT_THAT(reader.U64(), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace tsunagi::store
