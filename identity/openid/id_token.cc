#include "identity/openid/id_token.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/compact.h"
#include "core/crypto/digest.h"

namespace tsunagi::openid {
namespace {

using Json = nlohmann::json;
using crypto::StringMember;

constexpr size_t kMaxSubject = 255;
constexpr int64_t kLatest = 253402300799;  // the year 9999 ends

absl::Status Refuse(absl::string_view why) {
  return absl::UnauthenticatedError(absl::StrCat("ID token refused: ", why));
}

std::optional<absl::Time> TimeOf(const Json& claims, const char* name) {
  const auto value = claims.find(name);
  if (value == claims.end() || !value->is_number_unsigned() || value->get<uint64_t>() > kLatest)
    return std::nullopt;
  return absl::FromUnixSeconds(value->get<int64_t>());
}

// Another audience could show the token here, or take one from here.
bool IsForClient(const Json& claims, const std::string& client) {
  const auto audience = claims.find("aud");
  if (audience == claims.end()) return false;
  return *audience == client ||
         (audience->is_array() && audience->size() == 1 && audience->front() == client);
}

absl::Status CheckParties(const Json& claims, const Expected& expected) {
  if (StringMember(claims, "iss") != expected.issuer) return Refuse("iss is not the configured issuer");
  if (!IsForClient(claims, expected.client_id)) return Refuse("aud is not this client alone");
  if (claims.contains("azp") && StringMember(claims, "azp") != expected.client_id) {
    return Refuse("azp is not this client");
  }
  if (!crypto::ConstantTimeEquals(StringMember(claims, "nonce"), expected.nonce)) {
    return Refuse("nonce is not the one of this sign-in");
  }
  return absl::OkStatus();
}

absl::Status CheckTimes(const Json& claims, const Expected& expected, absl::Time now) {
  const std::optional<absl::Time> expires = TimeOf(claims, "exp");
  if (!expires.has_value() || now >= *expires + kSkew) return Refuse("exp is no time to come");
  const std::optional<absl::Time> issued = TimeOf(claims, "iat");
  if (!issued.has_value() || *issued > now + kSkew) return Refuse("iat is no time that has been");
  if (*issued < expected.began - kSkew) return Refuse("iat is before this sign-in began");
  if (!claims.contains("nbf")) return absl::OkStatus();
  const std::optional<absl::Time> begins = TimeOf(claims, "nbf");
  if (!begins.has_value() || *begins > now + kSkew) return Refuse("nbf is no time that has been");
  return absl::OkStatus();
}

bool IsSubject(absl::string_view subject) {
  return !subject.empty() && subject.size() <= kMaxSubject &&
         std::all_of(subject.begin(), subject.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

absl::StatusOr<std::string> CheckIdToken(const Json& claims, const Expected& expected, absl::Time now) {
  RETURN_IF_ERROR(CheckParties(claims, expected));
  RETURN_IF_ERROR(CheckTimes(claims, expected, now));
  if (!IsSubject(StringMember(claims, "sub"))) return Refuse("sub is not 1 to 255 visible ASCII characters");
  if (expected.account_claim == "email" &&
      !(claims.contains("email_verified") && claims["email_verified"] == true)) {
    return Refuse("email_verified is not true");
  }
  std::string person = StringMember(claims, expected.account_claim.c_str());
  if (person.empty() || person.size() > kMaxSubject || !IsOneLine(person)) {
    return Refuse(absl::StrCat("`", expected.account_claim, "` is not 1 to 255 bytes of text on one line"));
  }
  return person;
}

}  // namespace tsunagi::openid
