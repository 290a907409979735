#include "passport/model/values.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "core/base/error.h"

namespace tsunagi::passport {
namespace {

constexpr int64_t kUnscaledLimit = 1'000'000'000'000'000'000;
constexpr int kExponentLimit = 18;
constexpr int kFirstYear = 1990;
constexpr int kLastYear = 2100;

absl::Status BadNumber(absl::string_view text, absl::string_view field) {
  return InvalidArgument({"NUMBER_MALFORMED", field, text, "a number such as 0.481 with at most 18 digits"});
}

bool AllDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

int DigitCount(int64_t magnitude) {
  int digits = 1;
  for (; magnitude >= 10; magnitude /= 10) ++digits;
  return digits;
}

int64_t TimesPowerOfTen(int64_t magnitude, int power) {
  for (; power > 0; --power) magnitude *= 10;
  return magnitude;
}

// Both positive. Numbers whose leading digits stand in the same place differ by at most 17 in exponent, so
// that aligning them stays below 10^18.
std::strong_ordering CompareMagnitudes(int64_t a, int a_exponent, int64_t b, int b_exponent) {
  const int a_place = DigitCount(a) + a_exponent;
  const int b_place = DigitCount(b) + b_exponent;
  if (a_place != b_place) return a_place <=> b_place;
  const int low = std::min(a_exponent, b_exponent);
  return TimesPowerOfTen(a, a_exponent - low) <=> TimesPowerOfTen(b, b_exponent - low);
}

int Sign(int64_t value) { return (value > 0) - (value < 0); }

absl::CivilDay DayInJapan(absl::Time time) { return absl::ToCivilDay(time, absl::FixedTimeZone(9 * 3600)); }

}  // namespace

absl::StatusOr<Decimal> ParseDecimal(absl::string_view text, absl::string_view field) {
  absl::string_view rest = text;
  const bool negative = !rest.empty() && rest[0] == '-';
  if (negative) rest.remove_prefix(1);
  const size_t point = rest.find('.');
  const absl::string_view whole = rest.substr(0, point);
  const absl::string_view fraction = point == absl::string_view::npos ? "" : rest.substr(point + 1);
  const bool well_formed = AllDigits(whole) && (whole.size() == 1 || whole[0] != '0') &&
                           (point == absl::string_view::npos || AllDigits(fraction)) &&
                           whole.size() + fraction.size() <= 18 + (whole == "0" ? 1u : 0u);
  int64_t unscaled = 0;
  if (!well_formed || !absl::SimpleAtoi(absl::StrCat(whole, fraction), &unscaled) ||
      (negative && unscaled == 0)) {
    return BadNumber(text, field);
  }
  Decimal decimal;
  decimal.set_unscaled(negative ? -unscaled : unscaled);
  decimal.set_exponent(-static_cast<int>(fraction.size()));
  return decimal;
}

std::string PrintDecimal(const Decimal& decimal) {
  const int64_t unscaled = decimal.unscaled();
  if (decimal.exponent() >= 0) {
    return unscaled == 0 ? "0"
                         : absl::StrCat(unscaled, std::string(static_cast<size_t>(decimal.exponent()), '0'));
  }
  const auto places = static_cast<size_t>(-decimal.exponent());
  std::string digits = absl::StrCat(unscaled < 0 ? -unscaled : unscaled);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  const absl::string_view all = digits;
  const size_t point = digits.size() - places;
  return absl::StrCat(unscaled < 0 ? "-" : "", all.substr(0, point), ".", all.substr(point));
}

std::strong_ordering CompareDecimals(const Decimal& a, const Decimal& b) {
  const int a_sign = Sign(a.unscaled());
  const int b_sign = Sign(b.unscaled());
  if (a_sign != b_sign) return a_sign <=> b_sign;
  if (a_sign == 0) return std::strong_ordering::equal;
  if (a_sign > 0) return CompareMagnitudes(a.unscaled(), a.exponent(), b.unscaled(), b.exponent());
  return CompareMagnitudes(-b.unscaled(), b.exponent(), -a.unscaled(), a.exponent());
}

absl::Status CheckDecimal(const Decimal& decimal, absl::string_view field) {
  const bool fits = decimal.unscaled() < kUnscaledLimit && decimal.unscaled() > -kUnscaledLimit &&
                    decimal.exponent() <= kExponentLimit && decimal.exponent() >= -kExponentLimit;
  if (fits) return absl::OkStatus();
  return InvalidArgument({"NUMBER_OUT_OF_RANGE", field,
                          absl::StrCat(decimal.unscaled(), "e", decimal.exponent()),
                          "fewer than 19 digits and an exponent from -18 to 18"});
}

absl::Status CheckYearMonth(const YearMonth& month, absl::Time latest, absl::string_view field) {
  const bool exists =
      month.year() >= kFirstYear && month.year() <= kLastYear && month.month() >= 1 && month.month() <= 12;
  if (exists && absl::CivilMonth(month.year(), month.month()) <= absl::CivilMonth(DayInJapan(latest))) {
    return absl::OkStatus();
  }
  return InvalidArgument({exists ? "DATE_IN_FUTURE" : "DATE_INVALID", field, PrintYearMonth(month),
                          "a month such as 2024-05, from 1990-01 to today"});
}

absl::Status CheckCivilDate(const CivilDate& date, absl::Time latest, absl::string_view field) {
  const absl::CivilDay day(date.year(), date.month(), date.day());
  const bool exists = date.year() >= kFirstYear && date.year() <= kLastYear && day.year() == date.year() &&
                      day.month() == date.month() && day.day() == date.day();
  if (exists && day <= DayInJapan(latest)) return absl::OkStatus();
  return InvalidArgument({exists ? "DATE_IN_FUTURE" : "DATE_INVALID", field, PrintCivilDate(date),
                          "a day such as 2024-05-31, from 1990-01-01 to today"});
}

absl::StatusOr<YearMonth> ParseYearMonth(absl::string_view text, absl::string_view field) {
  YearMonth month;
  if (text.size() != 7 || text[4] != '-' || !AllDigits(text.substr(0, 4)) || !AllDigits(text.substr(5))) {
    return InvalidArgument({"DATE_MALFORMED", field, text, "a month such as 2024-05"});
  }
  month.set_year(std::stoi(std::string(text.substr(0, 4))));
  month.set_month(std::stoi(std::string(text.substr(5))));
  return month;
}

absl::StatusOr<CivilDate> ParseCivilDate(absl::string_view text, absl::string_view field) {
  const absl::StatusOr<YearMonth> month = ParseYearMonth(text.substr(0, 7), field);
  if (!month.ok() || text.size() != 10 || text[7] != '-' || !AllDigits(text.substr(8))) {
    return InvalidArgument({"DATE_MALFORMED", field, text, "a day such as 2024-05-31"});
  }
  CivilDate date;
  date.set_year(month->year());
  date.set_month(month->month());
  date.set_day(std::stoi(std::string(text.substr(8))));
  return date;
}

std::string PrintYearMonth(const YearMonth& month) {
  return absl::StrFormat("%04d-%02d", month.year(), month.month());
}

std::string PrintCivilDate(const CivilDate& date) {
  return absl::StrFormat("%04d-%02d-%02d", date.year(), date.month(), date.day());
}

}  // namespace tsunagi::passport
