#include "services/identity/est_request.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/base/bytes.h"
#include "core/base/error.h"

namespace tsunagi::identity {
namespace {

constexpr size_t kMaxAuthorization = 512;
constexpr absl::string_view kPkcs10 = "application/pkcs10";

}  // namespace

absl::StatusOr<BasicCredentials> ParseBasicAuthorization(absl::string_view header) {
  const absl::Status wrong = absl::UnauthenticatedError(
      "authenticate with the participant's label as user and the invitation code as password (HTTP Basic)");
  if (header.size() > kMaxAuthorization || !absl::StartsWithIgnoreCase(header, "Basic ")) return wrong;
  header.remove_prefix(6);
  const absl::StatusOr<std::string> text = FromBase64(header);
  if (!text.ok()) return wrong;
  const size_t colon = text->find(':');
  if (colon == std::string::npos) return wrong;
  return BasicCredentials{text->substr(0, colon), text->substr(colon + 1)};
}

absl::StatusOr<std::string> ParseEstBody(absl::string_view content_type, absl::string_view body) {
  const absl::string_view type = absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';')));
  if (!absl::EqualsIgnoreCase(type, kPkcs10)) {
    return InvalidArgument({"CONTENT_TYPE_WRONG", "content-type", content_type, kPkcs10});
  }
  absl::StatusOr<std::string> der = FromBase64(absl::StrReplaceAll(body, {{"\r", ""}, {"\n", ""}}));
  if (der.ok() && !der->empty()) return der;
  return absl::InvalidArgumentError("the body is no base64: expected a PKCS#10 request (DER) in base64");
}

}  // namespace tsunagi::identity
