#include <fstream>

#include "core/base/corporate_number.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "nlohmann/json.hpp"
#include "tests/support/shared_data.h"
#include "tests/support/status_matchers.h"

namespace tsunagi {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(CorporateNumberTest, AcceptsThePublishedExample) {
  // 国税庁's own number, 7000012050002: base 000012050002.
  const auto number = CorporateNumber::Parse("7000012050002");

  ASSERT_THAT(number, IsOk());
  EXPECT_EQ(number->text(), "7000012050002");
}

TEST(CorporateNumberTest, SaysWhichCheckDigitWasExpected) {
  const auto number = CorporateNumber::Parse("1000012050002");

  EXPECT_THAT(number, StatusIs(StatusCode::kInvalidArgument, HasSubstr("to be 7")));
  EXPECT_EQ(DetailOf(number.status())->reason(), "CHECK_DIGIT_WRONG");
}

TEST(CorporateNumberTest, RefusesABaseOfOnlyZerosOrNinesThoughTheirDigitsPass) {
  EXPECT_THAT(CorporateNumber::Parse("9000000000000"), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CorporateNumber::Parse("9999999999999"), StatusIs(StatusCode::kInvalidArgument));
}

TEST(CorporateNumberTest, RefusesOtherForms) {
  for (const char* bad : {"", "012345678901", "70000120500020", "7-0000-1205-0002", " 7000012050002",
                          "７000012050002", "700001205000a"}) {
    EXPECT_THAT(CorporateNumber::Parse(bad), StatusIs(StatusCode::kInvalidArgument, HasSubstr("13 digits")))
        << bad;
  }
}

TEST(CorporateNumberTest, AgreesWithTheGoldenVectors) {
  const auto path = testing::SharedData("golden-vectors.json");
  if (!path) GTEST_SKIP() << testing::kSharedDataMissing;
  std::ifstream file(*path);
  const nlohmann::json vectors = nlohmann::json::parse(file)["identifiers"]["corporate_number"];

  int accepted = 0;
  for (const std::string valid : vectors["valid"]) {
    const bool unassigned = valid == "9000000000000" || valid == "9999999999999";
    EXPECT_EQ(CorporateNumber::Parse(valid).ok(), !unassigned) << valid;
    accepted += unassigned ? 0 : 1;
  }
  EXPECT_GE(accepted, 7);
  for (const auto& invalid : vectors["invalid"]) {
    const auto parsed = CorporateNumber::Parse(invalid["value"].get<std::string>());
    ASSERT_THAT(parsed, StatusIs(StatusCode::kInvalidArgument));
    if (!invalid.contains("expected_check")) continue;
    EXPECT_THAT(std::string(parsed.status().message()),
                HasSubstr("to be " + std::to_string(invalid["expected_check"].get<int>())));
  }
}

TEST(DidTest, AcceptsHostsWithAndWithoutPath) {
  for (const char* good : {"did:web:registrar.example", "did:web:registrar.example:participants:cell-maker",
                           "did:web:a1.example:v1.0:under_score", "did:web:localhost"}) {
    EXPECT_THAT(Did::Parse(good), IsOk()) << good;
  }
}

TEST(DidTest, RefusesEveryOtherForm) {
  for (const char* bad : {"",
                          "did:web:",
                          "did:key:z6Mk",
                          "DID:web:a.example",
                          "did:web:A.example",
                          "did:web:a.example:Upper",
                          "did:web:a.example%3A8443",
                          "did:web:a.example:%2e%2e",
                          "did:web:a.example:..",
                          "did:web:a.example:.",
                          "did:web:a.example:",
                          "did:web:a.example::b",
                          "did:web:a..example",
                          "did:web:-a.example",
                          "did:web:a-.example",
                          "did:web:a.example/b",
                          "did:web:a.example#k",
                          "did:web:a.example?x",
                          "did:web:192.0.2.1",
                          "did:web:[::1]",
                          "did:web:a.example ",
                          "did:web:電池.example",
                          "did:web:a.example\n"}) {
    EXPECT_THAT(Did::Parse(bad), StatusIs(StatusCode::kInvalidArgument, HasSubstr("did:web:<host>"))) << bad;
  }
}

TEST(DidTest, RefusesMoreThan255Characters) {
  const std::string longest = "did:web:a.example:" + std::string(255 - 18, 'x');

  EXPECT_THAT(Did::Parse(longest), IsOk());
  EXPECT_THAT(Did::Parse(longest + "x"), StatusIs(StatusCode::kInvalidArgument));
}

TEST(LabelTest, IsADnsLabelOfAtMost40Characters) {
  for (const std::string& good :
       {std::string("a"), std::string("cell-maker"), std::string("0"), std::string(40, 'a')}) {
    EXPECT_THAT(Label::Parse(good), IsOk()) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string(41, 'a'), std::string("-a"), std::string("a-"), std::string("A"),
        std::string("a.b"), std::string("a_b"), std::string("a\0b", 3)}) {
    EXPECT_THAT(Label::Parse(bad), StatusIs(StatusCode::kInvalidArgument)) << bad;
  }
}

}  // namespace
}  // namespace tsunagi
