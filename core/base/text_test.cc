#include "core/base/text.h"

#include "gtest/gtest.h"

namespace tsunagi {
namespace {

TEST(Utf8Test, DecodesOneToFourBytes) {
  EXPECT_EQ(DecodeUtf8("A").code_point, U'A');
  EXPECT_EQ(DecodeUtf8("ß").code_point, U'ß');
  EXPECT_EQ(DecodeUtf8("電池").code_point, U'電');
  EXPECT_EQ(DecodeUtf8("電池").length, 3u);
  EXPECT_EQ(DecodeUtf8("𠮷").code_point, U'𠮷');
  EXPECT_EQ(DecodeUtf8("").length, 0u);
}

TEST(Utf8Test, RefusesIllFormedBytes) {
  for (const char* bad :
       {"\x80", "\xff", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xe3\x81", "\xe3 ", "\xf8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
  EXPECT_TRUE(IsValidUtf8("車台番号 ZE1-012345 \xf4\x8f\xbf\xbf"));
}

TEST(Utf8Test, AppendsWhatItDecodes) {
  std::string out;
  for (const char32_t c : U"aß電𠮷") {
    if (c != 0) AppendUtf8(out, c);
  }

  EXPECT_EQ(out, "aß電𠮷");
}

TEST(PrintableTest, ShowsControlsDirectionMarksAndBrokenBytesAsEscapes) {
  EXPECT_EQ(Printable("a\nb\x1b[31m", 100), "a\\u000ab\\u001b[31m");
  EXPECT_EQ(Printable("a\u202Eb\u200Bc\u2028d\uFEFF", 100), "a\\u202eb\\u200bc\\u2028d\\ufeff");
  EXPECT_EQ(Printable("a\xff", 100), "a\\xff");
  EXPECT_EQ(Printable("神奈川 ｶﾅ", 100), "神奈川 ｶﾅ");
}

TEST(PrintableTest, CutsBetweenCharacters) {
  EXPECT_EQ(Printable("電池", 5), "電");
  EXPECT_EQ(Printable("abc", 2), "ab");
  EXPECT_EQ(Printable("abc", 0), "");
}

TEST(OneLineTest, IsTextThatActsOnNoScreen) {
  EXPECT_TRUE(IsOneLine(""));
  EXPECT_TRUE(IsOneLine("佐藤 花子"));
  for (const char* text : {"two\nlines", "\x1b[2J", "\xe2\x80\xae", "\xff", "cut \xe4\xbd"}) {
    EXPECT_FALSE(IsOneLine(text)) << Printable(text, 40);
  }
}

}  // namespace
}  // namespace tsunagi
