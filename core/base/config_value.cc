#include "core/base/config_value.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "core/base/proto.h"

namespace tsunagi {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::Timestamp;

constexpr size_t kMaxGuessedBytes = 64;

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

// SECTION_CONDITION as `condition`: the prefix is that of SECTION_UNSPECIFIED.
std::string ShortName(const EnumValueDescriptor& value) {
  absl::string_view prefix = value.type()->value(0)->name();
  absl::string_view name = value.name();
  if (absl::ConsumeSuffix(&prefix, "UNSPECIFIED")) absl::ConsumePrefix(&name, prefix);
  return absl::AsciiStrToLower(name);
}

// `text` has the form of `pattern`, where `0` stands for any digit.
bool HasForm(absl::string_view text, absl::string_view pattern) {
  return text.size() == pattern.size() &&
         std::equal(text.begin(), text.end(), pattern.begin(),
                    [](char c, char form) { return form == '0' ? absl::ascii_isdigit(c) : c == form; });
}

std::optional<absl::Time> ParseDay(absl::string_view text) {
  absl::CivilDay day;
  if (!HasForm(text, "0000-00-00") || !absl::ParseCivilTime(text, &day)) return std::nullopt;
  return absl::FromCivil(day, absl::FixedTimeZone(9 * 60 * 60));
}

bool HasZone(absl::string_view text) {
  return absl::EndsWith(text, "Z") || HasForm(text.substr(text.size() - 6), "+00:00") ||
         HasForm(text.substr(text.size() - 6), "-00:00");
}

std::optional<absl::Time> ParseInstant(absl::string_view text) {
  absl::Time time;
  std::string error;
  if (text.size() < 20 || !HasForm(text.substr(0, 19), "0000-00-00T00:00:00") || text.substr(17, 2) == "60" ||
      !HasZone(text) || !absl::ParseTime("%Y-%m-%dT%H:%M:%E*S%Ez", text, &time, &error)) {
    return std::nullopt;
  }
  return time;
}

}  // namespace

std::string Suggestion(absl::string_view given, const std::vector<std::string>& known) {
  const std::string all = absl::StrCat("expected one of `", absl::StrJoin(known, "`, `"), "`");
  if (known.empty() || given.size() > kMaxGuessedBytes) return all;
  const auto nearest = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return EditDistance(given, a) < EditDistance(given, b);
  });
  const bool near = EditDistance(given, *nearest) <= std::max<size_t>(2, nearest->size() / 3);
  return near ? absl::StrCat("did you mean `", *nearest, "`?") : all;
}

std::vector<std::string> FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return names;
}

const EnumValueDescriptor* FindEnumValue(const EnumDescriptor& type, absl::string_view text) {
  for (int i = 0; i < type.value_count(); ++i) {
    const EnumValueDescriptor* value = type.value(i);
    if (value->number() != 0 && (value->name() == text || ShortName(*value) == text)) return value;
  }
  return nullptr;
}

std::vector<std::string> EnumNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) names.push_back(ShortName(*type.value(i)));
  }
  return names;
}

std::optional<Timestamp> ParseTimestamp(absl::string_view text) {
  std::optional<absl::Time> time = ParseDay(text);
  if (!time.has_value()) time = ParseInstant(text);
  if (!time.has_value()) return std::nullopt;
  const Timestamp timestamp = ToProto(*time);
  // A time that a Timestamp cannot say exactly is refused, not moved.
  if (*FromProto(timestamp) != *time) return std::nullopt;
  return timestamp;
}

}  // namespace tsunagi
