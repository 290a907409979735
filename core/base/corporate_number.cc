#include "core/base/corporate_number.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"

namespace tsunagi {
namespace {

constexpr size_t kDigits = 13;

// 財務省令 (平成26年財務省令第70号) 第2条: 9 less the remainder by 9 of the weighted sum, weights 1 and 2 in
// turn from the last digit.
int CheckDigit(absl::string_view base) {
  int sum = 0;
  int weight = 1;
  for (auto digit = base.rbegin(); digit != base.rend(); ++digit) {
    sum += (*digit - '0') * weight;
    weight = 3 - weight;
  }
  return 9 - sum % 9;
}

bool IsOnly(absl::string_view text, char c) {
  return std::all_of(text.begin(), text.end(), [c](char other) { return other == c; });
}

}  // namespace

absl::StatusOr<CorporateNumber> CorporateNumber::Parse(absl::string_view text) {
  const auto invalid = [text](absl::string_view reason, absl::string_view expected) {
    return InvalidArgument({reason, "corporate_number", text, expected});
  };
  if (text.size() != kDigits || !std::all_of(text.begin(), text.end(), absl::ascii_isdigit)) {
    return invalid("CORPORATE_NUMBER_INVALID", "13 digits 0 to 9 without hyphens");
  }
  const absl::string_view base = text.substr(1);
  if (IsOnly(base, '0') || IsOnly(base, '9')) {
    return invalid("CORPORATE_NUMBER_INVALID",
                   "a number that was assigned: the last twelve are not all 0 or all 9");
  }
  if (const int check = CheckDigit(base); text[0] - '0' != check) {
    return invalid("CHECK_DIGIT_WRONG", absl::StrCat("the first digit (check digit) to be ", check));
  }
  return CorporateNumber(std::string(text));
}

}  // namespace tsunagi
