// Access tokens of the federation (RFC 8705): issued by the registrar, verified offline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/crypto/key.h"
#include "identity/trust.h"

namespace tsunagi::identity {

inline constexpr absl::string_view kTokenType = "at+jwt";
inline constexpr absl::Duration kMaxTokenLife = absl::Hours(24);

// Through how many processes a token may pass.
inline constexpr size_t kMaxTokenActors = 4;

// A process that acts for the token's subject.
struct TokenActor {
  std::string did;
  std::string process;
  friend bool operator==(const TokenActor&, const TokenActor&) = default;
};

// What a token says.
struct TokenClaims {
  std::string subject;             // DID (`sub`)
  std::string certificate_sha256;  // raw 32 bytes (`cnf` x5t#S256)
  absl::Time issued_at;
  absl::Time expires_at;
  // Who acts for the subject, newest first (`act`, RFC 8693). Says how the token came about; opens nothing.
  std::vector<TokenActor> actors;
};

// Issues a token: iss is `federation`, typ at+jwt, ES256. aud is `audience`, another federation for which it
// is; `federation` itself when empty.
absl::StatusOr<std::string> IssueToken(const crypto::PrivateKey& token_key, absl::string_view federation,
                                       const TokenClaims& claims, absl::string_view audience = "");

// UNAUTHENTICATED when a token with these claims does not count at `now`, give or take kClockSkew, or may
// live more than kMaxTokenLife.
absl::Status CheckTokenTimes(const TokenClaims& claims, absl::Time now);

// Verifies tokens with the registrar's token keys, which are the SIGNING keys of the directory entry with
// label `registrar`. Verified claims are cached by the token's digest for as long as the directory's version
// stays (bounded). Thread-safe.
class TokenVerifier {
 public:
  TokenVerifier(const TrustStore& trust, const Clock& clock) : trust_(trust), clock_(clock) {}

  // Claims of a valid token. UNAUTHENTICATED naming the reason (never the token) on anything else: see
  // core/crypto/jwt.h, and wrong iss or aud, exp passed or more than 24 h after iat, iat or nbf in the
  // future, missing claims. The caller compares subject and certificate.
  absl::StatusOr<TokenClaims> Verify(absl::string_view token);

  // The same for a token of a trusted federation that has a roster: iss is that federation, aud this one, and
  // a token key of its roster signed it.
  absl::StatusOr<TokenClaims> VerifyOf(absl::string_view token, const TrustedFederation& federation);

 private:
  // What the claims were verified by.
  struct Source {
    std::string issuer;
    uint64_t trust_version = 0;  // of another federation
    uint64_t version = 0;        // of its roster, or of the own directory
    friend bool operator==(const Source&, const Source&) = default;
  };
  struct Verified {
    TokenClaims claims;
    Source source;
  };

  absl::StatusOr<TokenClaims> VerifyOnce(absl::string_view token, const Source& source,
                                         absl::FunctionRef<absl::StatusOr<TokenClaims>()> verify);
  absl::StatusOr<TokenClaims> VerifyUncached(absl::string_view token, const TrustView& view);
  // A signing key of the registrar. Parsing one takes longer than verifying with it.
  absl::StatusOr<crypto::PublicKey> KeyOf(const Party& registrar, const std::string& key_id,
                                          uint64_t directory_version);

  const TrustStore& trust_;
  const Clock& clock_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Verified> verified_ ABSL_GUARDED_BY(mutex_);
  // Those that signed tokens, by id, as one version of the directory lists them.
  uint64_t keys_version_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, crypto::PublicKey> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tsunagi::identity
