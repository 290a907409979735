// The parts of a compact JWS (RFC 7515 section 7.1), for whoever looks at them before verifying.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace tsunagi::crypto {

// Decoded.
struct CompactParts {
  std::string header;
  std::string claims;
  std::string signature;
};

// UNAUTHENTICATED on more than `max_bytes`, or anything but three parts in strict base64url.
absl::StatusOr<CompactParts> SplitCompact(absl::string_view token, size_t max_bytes);

// UNAUTHENTICATED "token refused: `why`".
absl::Status RefuseToken(absl::string_view why);

// A member that must be a string; empty when it is not there or something else.
std::string StringMember(const nlohmann::json& object, const char* name);

}  // namespace tsunagi::crypto
