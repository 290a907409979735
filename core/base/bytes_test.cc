#include "core/base/bytes.h"

#include "tests/support/status_matchers.h"

namespace tsunagi {
namespace {

using absl::StatusCode;
using testing::IsOkAndHolds;
using testing::StatusIs;

TEST(HexTest, WritesLowerCaseAndReadsItBack) {
  const std::string bytes("\x00\x7f\xff\xa5", 4);

  EXPECT_EQ(ToHex(bytes), "007fffa5");
  EXPECT_THAT(FromHex("007fffa5"), IsOkAndHolds(bytes));
  EXPECT_THAT(FromHex(""), IsOkAndHolds(""));
}

TEST(HexTest, RefusesOddLengthUpperCaseAndOtherCharacters) {
  for (const char* bad : {"0", "0A", "0g", "0x00", " 00", "00 "}) {
    EXPECT_THAT(FromHex(bad), StatusIs(StatusCode::kInvalidArgument)) << bad;
  }
}

// RFC 4648 section 10.
struct Vector {
  const char* bytes;
  const char* base64;
  const char* base64url;
};
constexpr Vector kRfc4648[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xff\xef\xbe", "/+++", "_---"},
};

TEST(Base64Test, AgreesWithRfc4648) {
  for (const Vector& vector : kRfc4648) {
    EXPECT_EQ(ToBase64(vector.bytes), vector.base64);
    EXPECT_THAT(FromBase64(vector.base64), IsOkAndHolds(vector.bytes));
  }
}

TEST(Base64UrlTest, AgreesWithRfc4648) {
  for (const Vector& vector : kRfc4648) {
    EXPECT_EQ(ToBase64Url(vector.bytes), vector.base64url);
    EXPECT_THAT(FromBase64Url(vector.base64url), IsOkAndHolds(vector.bytes));
  }
}

TEST(Base64Test, RefusesEveryOtherSpelling) {
  for (const char* bad : {"Zg", "Zg=", "Zg===", "Zm8", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm 9", "_---",
                          "Z===", "====", "Zg==Zg==", "Zg=a"}) {
    EXPECT_THAT(FromBase64(bad), StatusIs(StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(Base64UrlTest, RefusesEveryOtherSpelling) {
  for (const char* bad : {"Zg==", "Zm8=", "Z", "Zh", "Zm9", "Zm9v\n", " Zm9v", "/+++", "Zm9vY"}) {
    EXPECT_THAT(FromBase64Url(bad), StatusIs(StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(IntegerTest, IsBigEndian) {
  std::string out = "x";

  AppendU32(out, 0x01020304);
  AppendU64(out, 0xFFFEFDFCFBFAF9F8);

  EXPECT_EQ(ToHex(out), "7801020304fffefdfcfbfaf9f8");
}

}  // namespace
}  // namespace tsunagi
