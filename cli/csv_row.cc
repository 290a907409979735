#include "cli/csv_row.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "cli/values.h"
#include "passport/model/values.h"

namespace tsunagi::cli {
namespace {

std::string Names(absl::Span<const Column> columns) {
  return absl::StrJoin(columns, ", ",
                       [](std::string* out, const Column& column) { absl::StrAppend(out, column.name); });
}

absl::string_view Nearest(absl::string_view name, absl::Span<const Column> columns) {
  return std::min_element(columns.begin(), columns.end(),
                          [&](const Column& a, const Column& b) {
                            return EditDistance(name, a.name) < EditDistance(name, b.name);
                          })
      ->name;
}

// Whether a day has begun is for the node to say, by its clock.
absl::Time LastDay() { return absl::FromCivil(absl::CivilDay(2100, 12, 31), absl::UTCTimeZone()); }

}  // namespace

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> costs(b.size() + 1);
  std::iota(costs.begin(), costs.end(), 0u);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(costs[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = costs[j + 1];
      costs[j + 1] = std::min({replaced, costs[j] + 1, diagonal + 1});
    }
  }
  return costs.back();
}

absl::StatusOr<ColumnIndex> IndexColumns(const CsvFile& file, absl::Span<const Column> columns) {
  ColumnIndex index;
  for (size_t i = 0; i < file.header.size(); ++i) {
    const std::string& name = file.header[i];
    const bool known =
        std::any_of(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
    if (!known) {
      return RowError(0, "COLUMN_UNKNOWN", "column", name,
                      absl::StrCat("a known column; the nearest is `", Nearest(name, columns), "`, all are ",
                                   Names(columns)));
    }
    index[name] = i;
  }
  for (const Column& column : columns) {
    if (column.required && !index.contains(column.name)) {
      return RowError(0, "COLUMN_MISSING", "column", column.name, "this column in the header");
    }
  }
  return index;
}

absl::string_view RowReader::Text(absl::string_view field) const {
  const auto found = index_.find(field);
  return found == index_.end() ? absl::string_view() : row_.fields[found->second];
}

absl::StatusOr<std::string> RowReader::Required(absl::string_view field, absl::string_view expected) const {
  const absl::string_view text = Text(field);
  if (text.empty()) return Bad("VALUE_MISSING", field, "", expected);
  return std::string(text);
}

absl::StatusOr<std::optional<common::v1::Decimal>> RowReader::Amount(absl::string_view field,
                                                                     absl::string_view expected) const {
  const absl::string_view text = Text(field);
  if (text.empty()) return std::optional<common::v1::Decimal>();
  const auto decimal = passport::ParseDecimal(text, field);
  if (!decimal.ok() || decimal->unscaled() < 0) return Bad("NUMBER_WRONG", field, text, expected);
  return std::optional<common::v1::Decimal>(*decimal);
}

absl::StatusOr<uint64_t> RowReader::Count(absl::string_view field) const {
  const absl::string_view text = Text(field);
  if (text.empty()) return uint64_t{0};
  const auto count = ParseCount(text);
  if (!count) return Bad("NUMBER_WRONG", field, text, "a whole number such as 412");
  return *count;
}

absl::StatusOr<common::v1::YearMonth> RowReader::Month(absl::string_view field) const {
  const auto month = passport::ParseYearMonth(Text(field), field);
  if (!month.ok() || !passport::CheckYearMonth(*month, LastDay(), field).ok())
    return Bad("MONTH_WRONG", field, Text(field), "a month from 1990 to 2100 such as 2023-05");
  return *month;
}

absl::StatusOr<common::v1::CivilDate> RowReader::Day(absl::string_view field) const {
  const auto day = passport::ParseCivilDate(Text(field), field);
  if (!day.ok() || !passport::CheckCivilDate(*day, LastDay(), field).ok())
    return Bad("DAY_WRONG", field, Text(field), "an existing day from 1990 to 2100 such as 2023-05-31");
  return *day;
}

absl::StatusOr<google::protobuf::Timestamp> RowReader::Instant(absl::string_view field) const {
  const auto instant = ParseInstant(Text(field));
  if (!instant) {
    return Bad("TIME_WRONG", field, Text(field), "a time with offset such as 2026-04-01T09:30:00+09:00");
  }
  return *instant;
}

}  // namespace tsunagi::cli
