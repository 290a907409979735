// Errors that tell the user what was wrong, which value, what was expected.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi {

using ErrorDetail = common::v1::ErrorDetail;

// What was wrong with one value that a user gave.
struct BadValue {
  absl::string_view reason;  // stable word in upper case, e.g. CHECK_DIGIT_WRONG
  absl::string_view field;   // e.g. lithium_kg
  absl::string_view
      value;  // cut to 128 bytes and made printable. Never a vehicle identifier or person's name
  absl::string_view expected;  // e.g. "a number of kilograms such as 0.481"
};

// INVALID_ARGUMENT with the message "`<field>` is `<value>`: expected <expected>" and an ErrorDetail.
absl::Status InvalidArgument(const BadValue& bad);

// Attaches `detail` to `status`, replacing an earlier one. No effect on OK.
absl::Status WithDetail(absl::Status status, const ErrorDetail& detail);

// The detail attached to `status`, if any.
std::optional<ErrorDetail> DetailOf(const absl::Status& status);

// The same status with "`context`: " before its message; detail kept. No effect on OK.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

}  // namespace tsunagi
