#include "services/http/form.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"

namespace tsunagi::http {
namespace {

constexpr size_t kMaxFields = 32;
constexpr absl::string_view kFormType = "application/x-www-form-urlencoded";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

absl::StatusOr<std::string> Decode(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i] == '+' ? ' ' : text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return absl::InvalidArgumentError("a form field has a `%` without two hex digits");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    decoded.push_back(c);
  }
  const bool plain =
      std::all_of(decoded.begin(), decoded.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!plain) return absl::InvalidArgumentError("a form field has characters other than visible ASCII");
  return decoded;
}

}  // namespace

std::string EncodeFormValue(absl::string_view value) {
  std::string encoded;
  for (const char c : value) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-._~", c)) {
      encoded.push_back(c);
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string EncodeForm(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string form;
  for (const auto& [name, value] : fields) {
    absl::StrAppend(&form, form.empty() ? "" : "&", EncodeFormValue(name), "=", EncodeFormValue(value));
  }
  return form;
}

absl::StatusOr<Form> ParseForm(absl::string_view content_type, absl::string_view body) {
  const absl::string_view type = absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';')));
  if (!absl::EqualsIgnoreCase(type, kFormType)) {
    return InvalidArgument({"CONTENT_TYPE_WRONG", "content-type", content_type, kFormType});
  }
  Form form;
  std::set<std::string> names;
  for (const absl::string_view field : absl::StrSplit(body, '&', absl::SkipEmpty())) {
    if (names.size() == kMaxFields) {
      return absl::InvalidArgumentError(absl::StrCat("the form has more than ", kMaxFields, " fields"));
    }
    const size_t equals = field.find('=');
    ASSIGN_OR_RETURN(std::string name, Decode(field.substr(0, equals)));
    ASSIGN_OR_RETURN(std::string value,
                     Decode(equals == absl::string_view::npos ? "" : field.substr(equals + 1)));
    if (name.empty()) return absl::InvalidArgumentError("a form field has no name");
    if (!names.insert(name).second) return absl::InvalidArgumentError("a form field is repeated");
    if (!value.empty()) form.emplace(std::move(name), std::move(value));
  }
  return form;
}

}  // namespace tsunagi::http
