#include "core/crypto/compact.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/bytes.h"

namespace tsunagi::crypto {

absl::StatusOr<CompactParts> SplitCompact(absl::string_view token, size_t max_bytes) {
  if (token.size() > max_bytes) return RefuseToken(absl::StrCat("larger than ", max_bytes >> 10, " KiB"));
  const std::vector<absl::string_view> encoded = absl::StrSplit(token, '.');
  if (encoded.size() != 3) return RefuseToken("expected three parts separated by `.`");
  const absl::StatusOr<std::string> header = FromBase64Url(encoded[0]);
  const absl::StatusOr<std::string> claims = FromBase64Url(encoded[1]);
  const absl::StatusOr<std::string> signature = FromBase64Url(encoded[2]);
  if (!header.ok() || !claims.ok() || !signature.ok()) return RefuseToken("a part is not strict base64url");
  return CompactParts{*header, *claims, *signature};
}

absl::Status RefuseToken(absl::string_view why) {
  return absl::UnauthenticatedError(absl::StrCat("token refused: ", why));
}

std::string StringMember(const nlohmann::json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

}  // namespace tsunagi::crypto
