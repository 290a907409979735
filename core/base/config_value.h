// Single values of a configuration file: how they are written, and what to suggest when they are not.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"

namespace tsunagi {

// "did you mean `listen`?", or all of `known` when none is near.
std::string Suggestion(absl::string_view given, const std::vector<std::string>& known);

// Names of the fields of `type`, and of the values of `type` without their prefix and in lower case.
std::vector<std::string> FieldNames(const google::protobuf::Descriptor& type);
std::vector<std::string> EnumNames(const google::protobuf::EnumDescriptor& type);

// The value with this full or short name: SECTION_CONDITION or `condition`. Null for others; 0 (UNSPECIFIED)
// is none.
const google::protobuf::EnumValueDescriptor* FindEnumValue(const google::protobuf::EnumDescriptor& type,
                                                           absl::string_view text);

// RFC 3339, or a day, which is that day's start in Japan (JST).
std::optional<google::protobuf::Timestamp> ParseTimestamp(absl::string_view text);

// A whole number without sign `+`, leading zeros or spaces.
template <typename Int>
std::optional<Int> ParseInteger(absl::string_view text) {
  absl::string_view digits = text;
  absl::ConsumePrefix(&digits, "-");
  const bool well_formed = !digits.empty() &&
                           std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) &&
                           (digits == "0" || digits[0] != '0') && text != "-0";
  Int value = 0;
  if (!well_formed || !absl::SimpleAtoi(text, &value)) return std::nullopt;
  return value;
}

}  // namespace tsunagi
