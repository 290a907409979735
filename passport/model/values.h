// Exact numbers and calendar values of signed data.
#pragma once

#include <compare>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi::passport {

using common::v1::CivilDate;
using common::v1::Decimal;
using common::v1::YearMonth;

// Reads `-?digits[.digits]` as it was given: `12.50` keeps its zero. At most 18 digits, no leading zeros, no
// `+`, no
// `-0`, no exponent. INVALID_ARGUMENT naming `field` otherwise.
absl::StatusOr<Decimal> ParseDecimal(absl::string_view text, absl::string_view field);

// The number as text: ParseDecimal gives the same value back, and the same Decimal unless its exponent is
// positive.
std::string PrintDecimal(const Decimal& decimal);

// Compares values exactly: 12.50 equals 12.5. Both must be valid (CheckDecimal).
std::strong_ordering CompareDecimals(const Decimal& a, const Decimal& b);

// OK when |unscaled| < 10^18 and -18 ≤ exponent ≤ 18.
absl::Status CheckDecimal(const Decimal& decimal, absl::string_view field);

// OK for a month of the years 1990 to 2100 that has begun by `latest` in Japan.
absl::Status CheckYearMonth(const YearMonth& month, absl::Time latest, absl::string_view field);
// OK for a day of the years 1990 to 2100 that exists and has begun by `latest` in Japan.
absl::Status CheckCivilDate(const CivilDate& date, absl::Time latest, absl::string_view field);

// `2024-05` and `2024-05-31`, strictly; ranges are checked by the functions above.
absl::StatusOr<YearMonth> ParseYearMonth(absl::string_view text, absl::string_view field);
absl::StatusOr<CivilDate> ParseCivilDate(absl::string_view text, absl::string_view field);
std::string PrintYearMonth(const YearMonth& month);
std::string PrintCivilDate(const CivilDate& date);

}  // namespace tsunagi::passport
