// What strangers send to EST, taken apart. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tsunagi::identity {

struct BasicCredentials {
  std::string user;
  std::string password;
};

// HTTP Basic authentication (RFC 7617). UNAUTHENTICATED when the header is absent or malformed.
absl::StatusOr<BasicCredentials> ParseBasicAuthorization(absl::string_view header);

// The PKCS#10 (DER) in the body of simpleenroll and simplereenroll: `application/pkcs10` in base64, which may
// be broken into lines. INVALID_ARGUMENT otherwise.
absl::StatusOr<std::string> ParseEstBody(absl::string_view content_type, absl::string_view body);

}  // namespace tsunagi::identity
