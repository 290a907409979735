#include "identity/identifiers.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

absl::Status Check(const std::string& scheme, const std::string& value) {
  v1::PartyIdentifier identifier;
  identifier.set_scheme(scheme);
  identifier.set_value(value);
  return CheckIdentifier(identifier);
}

std::vector<std::string> Warnings(const std::string& scheme, const std::string& value) {
  v1::Participant participant;
  v1::PartyIdentifier& identifier = *participant.add_identifiers();
  identifier.set_scheme(scheme);
  identifier.set_value(value);
  return IdentifierWarnings(participant);
}

struct Case {
  const char* name;
  const char* scheme;
  std::string value;
  const char* expected;  // part of the error; empty for a well-formed value
};
class IdentifierTest : public ::testing::TestWithParam<Case> {};

TEST_P(IdentifierTest, IsCheckedByItsScheme) {
  const absl::Status checked = Check(GetParam().scheme, GetParam().value);

  if (*GetParam().expected == '\0') {
    EXPECT_THAT(checked, IsOk());
  } else {
    EXPECT_THAT(checked, StatusIs(kInvalidArgument, HasSubstr(GetParam().expected)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Identifiers, IdentifierTest,
    ::testing::Values(
        Case{"Lei", "lei", "529900T8BM49AURSDO55", ""},
        Case{"LeiWithALeadingLetter", "lei", "HWUPKR0MPOU8FGXBT394", ""},
        Case{"LeiWithCheckDigitsBelowTen", "lei", "353800TESTMAKER00608", ""},
        Case{"LeiWithADigitChanged", "lei", "529900T8BM49AURSDO56", "check digits) are 55"},
        Case{"LeiWithLettersSwapped", "lei", "529900T8BM49AURSOD55", "check digits"},
        Case{"LeiInLowerCase", "lei", "529900t8bm49aursdo55", "capital letters"},
        Case{"LeiTooShort", "lei", "529900T8BM49AURSDO5", "20 capital letters"},
        Case{"Duns", "duns", "123456789", ""}, Case{"DunsWithHyphens", "duns", "12-345-6789", "9 digits"},
        Case{"DunsOfEightDigits", "duns", "12345678", "9 digits"}, Case{"Cid", "cid", "CID002003", ""},
        Case{"CidOfFiveDigits", "cid", "CID00200", "6 digits"},
        Case{"CidInLowerCase", "cid", "cid002003", "6 digits"},
        Case{"CidWithALetter", "cid", "CID00200A", "6 digits"},
        Case{"CorporateNumber", "houjin-bangou", "7000012050002", ""},
        Case{"CorporateNumberWithAWrongCheckDigit", "houjin-bangou", "1234567890123", "to be 9"},
        Case{"BpnlThatIsUnusual", "bpnl", "bpnl00000003crhk", ""},
        Case{"BpnlWithASpace", "bpnl", "BPNL 0000000001", "without spaces"},
        Case{"OfAnotherScheme", "jipdec", "LA123456", ""},
        Case{"EmptyOfAnotherScheme", "jipdec", "", "1 to 64"}),
    [](const auto& param) { return param.param.name; });

// Two spellings would be two claims of one company.
TEST(IdentifiersTest, AnLeiHasOneSpelling) {
  // 98 is right; 01 has the same remainder.
  EXPECT_THAT(Check("lei", "00000000000000000098"), IsOk());
  EXPECT_THAT(Check("lei", "00000000000000000001"), StatusIs(kInvalidArgument, HasSubstr("are 98")));
}

TEST(IdentifiersTest, WarnsOfWhatPeopleShouldLookAt) {
  EXPECT_THAT(Warnings("duns", "123456789"), ElementsAre(HasSubstr("no check digit")));
  EXPECT_THAT(Warnings("bpnl", "BPNL00000000IF61"), ElementsAre(HasSubstr("check characters XW")));
  EXPECT_THAT(Warnings("bpnl", "bpnl00000003crhk"), ElementsAre(HasSubstr("form")));
  EXPECT_THAT(Warnings("bpnl", "BPNS00000003B2OM"), ElementsAre(HasSubstr("form")));
}

TEST(IdentifiersTest, WarnsOfNoIssuedBpnlAndNoLei) {
  for (const char* issued : {"BPNL00000003CRHK", "BPNL00000003AYRE", "BPNL00000003B2OM", "BPNL00000007OR16",
                             "BPNL00000007RVTB", "BPNL00000003CML1", "BPNL00000003AVTH"}) {
    EXPECT_THAT(Warnings("bpnl", issued), IsEmpty()) << issued;
  }
  EXPECT_THAT(Warnings("lei", "529900T8BM49AURSDO55"), IsEmpty());
}

}  // namespace
}  // namespace tsunagi::identity
