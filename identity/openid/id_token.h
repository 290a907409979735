// The claims of an ID token (OpenID Connect Core 1.0 sections 2 and 3.1.3.7).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace tsunagi::openid {

// How far the provider's clock may be from ours.
inline constexpr absl::Duration kSkew = absl::Seconds(60);

struct Expected {
  std::string issuer;
  std::string client_id;
  std::string nonce;
  std::string account_claim = "sub";
  absl::Time began;  // when the sign-in began
};

// Whom a token names whose signature is right: the value of the account claim, 1 to 255 bytes without control
// characters. UNAUTHENTICATED naming the claim, never a value, unless
//   iss    is the issuer
//   aud    is the client, or an array of it alone
//   azp    is the client, when it is there
//   sub    is 1 to 255 visible ASCII characters
//   nonce  is the one that was sent
//   exp    is later than now
//   iat    is not later than now, and not before the sign-in began
//   nbf    is not later than now, when it is there
// with kSkew on times, which are whole seconds since 1970; and email_verified is true when `email` names
// persons.
absl::StatusOr<std::string> CheckIdToken(const nlohmann::json& claims, const Expected& expected,
                                         absl::Time now);

}  // namespace tsunagi::openid
