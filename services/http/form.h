// Bodies of type application/x-www-form-urlencoded.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::http {

// Values by name. A name with an empty value is left out, as if it had not been sent (RFC 6749 section 3.2).
using Form = std::map<std::string, std::string>;

// Takes a form apart: at most 32 fields, each name once, visible ASCII after decoding. INVALID_ARGUMENT
// naming what is wrong, never a value: forms carry tokens.
absl::StatusOr<Form> ParseForm(absl::string_view content_type, absl::string_view body);

// The form of these fields, in their order: also a query.
std::string EncodeForm(const std::vector<std::pair<std::string, std::string>>& fields);
// One value as forms hold it: letters, digits and `-._~` stay, every other byte is `%` and two hex digits.
std::string EncodeFormValue(absl::string_view value);

}  // namespace tsunagi::http
