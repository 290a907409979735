#include "identity/token.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/jwt.h"
#include "identity/names.h"
#include "nlohmann/json.hpp"

namespace tsunagi::identity {
namespace {

using nlohmann::json;

constexpr size_t kMaxCached = 8192;
// End of year 9999: later seconds are no time.
constexpr int64_t kMaxSeconds = 253402300799;

absl::Status Refused(absl::string_view why) {
  return absl::UnauthenticatedError(absl::StrCat("token refused: ", why));
}

absl::StatusOr<std::string> TextClaim(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_string()) {
    return Refused(absl::StrCat("claim `", name, "` is missing or no text"));
  }
  return found->get<std::string>();
}

absl::StatusOr<absl::Time> TimeClaim(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number_unsigned() || found->get<uint64_t>() > kMaxSeconds) {
    return Refused(absl::StrCat("claim `", name, "` is missing or no time in whole seconds"));
  }
  return absl::FromUnixSeconds(found->get<int64_t>());
}

absl::StatusOr<std::string> Confirmation(const json& claims) {
  const auto cnf = claims.find("cnf");
  if (cnf == claims.end() || !cnf->is_object() || cnf->size() != 1) {
    return Refused("claim `cnf` is missing or names more than the certificate");
  }
  ASSIGN_OR_RETURN(const std::string thumbprint, TextClaim(*cnf, "x5t#S256"));
  const absl::StatusOr<std::string> digest = FromBase64Url(thumbprint);
  if (!digest.ok() || digest->size() != crypto::kDigestSize) return Refused("claim `x5t#S256` is no SHA-256");
  return *digest;
}

// The claim `act`: an actor, and within it the one before.
absl::StatusOr<std::vector<TokenActor>> Actors(const json& claims) {
  std::vector<TokenActor> actors;
  const json* outer = &claims;
  for (auto act = outer->find("act"); act != outer->end(); act = outer->find("act")) {
    if (!act->is_object() || actors.size() == kMaxTokenActors) {
      return Refused(
          absl::StrCat("claim `act` is no object, or nests more than ", kMaxTokenActors, " actors"));
    }
    TokenActor actor;
    ASSIGN_OR_RETURN(actor.did, TextClaim(*act, "sub"));
    ASSIGN_OR_RETURN(actor.process, TextClaim(*act, "process"));
    actors.push_back(std::move(actor));
    outer = &*act;
  }
  return actors;
}

// Issuer, audience and the claims that everybody must have.
absl::StatusOr<TokenClaims> ReadClaims(const json& claims, absl::string_view expected_issuer,
                                       absl::string_view federation) {
  ASSIGN_OR_RETURN(const std::string issuer, TextClaim(claims, "iss"));
  ASSIGN_OR_RETURN(const std::string audience, TextClaim(claims, "aud"));
  if (issuer != expected_issuer) {
    return Refused(expected_issuer == federation ? "claim `iss` is not this federation"
                                                 : "claim `iss` is not the federation of the certificate");
  }
  if (audience != federation) return Refused("claim `aud` is not this federation");
  TokenClaims read;
  ASSIGN_OR_RETURN(read.subject, TextClaim(claims, "sub"));
  ASSIGN_OR_RETURN(read.certificate_sha256, Confirmation(claims));
  ASSIGN_OR_RETURN(read.issued_at, TimeClaim(claims, "iat"));
  ASSIGN_OR_RETURN(read.expires_at, TimeClaim(claims, "exp"));
  ASSIGN_OR_RETURN(read.actors, Actors(claims));
  if (claims.contains("nbf")) {
    // A token that starts later counts as issued later.
    ASSIGN_OR_RETURN(const absl::Time not_before, TimeClaim(claims, "nbf"));
    read.issued_at = std::max(read.issued_at, not_before);
  }
  return read;
}

}  // namespace

absl::Status CheckTokenTimes(const TokenClaims& claims, absl::Time now) {
  if (claims.expires_at <= claims.issued_at || claims.expires_at - claims.issued_at > kMaxTokenLife) {
    return Refused("it must live more than nothing and at most 24 h");
  }
  if (claims.issued_at > now + kClockSkew) return Refused("it is not yet valid: check this machine's clock");
  if (claims.expires_at + kClockSkew <= now) return Refused("it has expired");
  return absl::OkStatus();
}

absl::StatusOr<std::string> IssueToken(const crypto::PrivateKey& token_key, absl::string_view federation,
                                       const TokenClaims& claims, absl::string_view audience) {
  json body = {{"iss", std::string(federation)},
               {"aud", std::string(audience.empty() ? federation : audience)},
               {"sub", claims.subject},
               {"iat", absl::ToUnixSeconds(claims.issued_at)},
               {"exp", absl::ToUnixSeconds(claims.expires_at)},
               {"cnf", {{"x5t#S256", ToBase64Url(claims.certificate_sha256)}}}};
  json* outer = &body;
  for (const TokenActor& actor : claims.actors) {
    outer = &((*outer)["act"] = {{"sub", actor.did}, {"process", actor.process}});
  }
  return crypto::SignJwt(token_key, kTokenType, body.dump());
}

absl::StatusOr<TokenClaims> TokenVerifier::Verify(absl::string_view token) {
  const std::shared_ptr<const TrustView> view = trust_.View();
  return VerifyOnce(token, {trust_.federation(), 0, view->directory_version},
                    [&] { return VerifyUncached(token, *view); });
}

absl::StatusOr<TokenClaims> TokenVerifier::VerifyOf(absl::string_view token,
                                                    const TrustedFederation& federation) {
  const Roster& roster = *federation.roster;
  return VerifyOnce(token, {federation.name(), federation.trust_version, roster.version},
                    [&]() -> absl::StatusOr<TokenClaims> {
                      const Roster::TokenKey* key = nullptr;
                      const auto find_key = [&](const std::string& kid) -> absl::StatusOr<crypto::PublicKey> {
                        const auto found = roster.token_keys.find(kid);
                        if (found == roster.token_keys.end()) {
                          return Refused("it is not signed by a token key of its federation");
                        }
                        key = &found->second;
                        return key->key;
                      };
                      ASSIGN_OR_RETURN(const json verified, crypto::VerifyJwt(token, kTokenType, find_key));
                      ASSIGN_OR_RETURN(TokenClaims claims,
                                       ReadClaims(verified, federation.name(), trust_.federation()));
                      const absl::Time now = clock_.Now();
                      RETURN_IF_ERROR(CheckTokenTimes(claims, now));
                      const absl::Time at = std::max(now, claims.issued_at);
                      if (at < key->from || at >= key->until)
                        return Refused("its key does not count any more");
                      return claims;
                    });
}

absl::StatusOr<TokenClaims> TokenVerifier::VerifyOnce(
    absl::string_view token, const Source& source, absl::FunctionRef<absl::StatusOr<TokenClaims>()> verify) {
  const std::string digest = crypto::Sha256(token);
  std::optional<TokenClaims> cached;
  {
    MutexLock lock(mutex_);
    const auto found = verified_.find(digest);
    if (found != verified_.end() && found->second.source == source) cached = found->second.claims;
  }
  if (cached.has_value()) {
    RETURN_IF_ERROR(CheckTokenTimes(*cached, clock_.Now()));
    return *std::move(cached);
  }
  ASSIGN_OR_RETURN(TokenClaims claims, verify());
  MutexLock lock(mutex_);
  if (verified_.size() >= kMaxCached) verified_.clear();
  verified_[digest] = {claims, source};
  return claims;
}

absl::StatusOr<crypto::PublicKey> TokenVerifier::KeyOf(const Party& registrar, const std::string& key_id,
                                                       uint64_t directory_version) {
  {
    MutexLock lock(mutex_);
    const auto known = keys_.find(key_id);
    if (keys_version_ == directory_version && known != keys_.end()) return known->second;
  }
  ASSIGN_OR_RETURN(crypto::PublicKey key, registrar.FindKey(key_id, v1::KEY_PURPOSE_SIGNING));
  MutexLock lock(mutex_);
  if (std::exchange(keys_version_, directory_version) != directory_version) keys_.clear();
  keys_.emplace(key_id, key);
  return key;
}

absl::StatusOr<TokenClaims> TokenVerifier::VerifyUncached(absl::string_view token, const TrustView& view) {
  std::string key_id;
  std::shared_ptr<const Party> registrar;
  const auto find_key = [&](const std::string& kid) -> absl::StatusOr<crypto::PublicKey> {
    const auto found = view.by_label.find(kRegistrarLabel);
    if (found == view.by_label.end()) return Refused("the directory does not list the registrar");
    key_id = kid;
    registrar = found->second;
    absl::StatusOr<crypto::PublicKey> key = KeyOf(*registrar, kid, view.directory_version);
    if (!key.ok()) return Refused("it is not signed by a key of the registrar");
    return key;
  };
  ASSIGN_OR_RETURN(const json verified, crypto::VerifyJwt(token, kTokenType, find_key));
  ASSIGN_OR_RETURN(TokenClaims claims, ReadClaims(verified, trust_.federation(), trust_.federation()));
  const absl::Time now = clock_.Now();
  RETURN_IF_ERROR(CheckTokenTimes(claims, now));
  // A key that ended signs nothing any more, whatever time its holder writes into the token; and a clock that
  // is a little behind must not refuse a key that has just begun.
  if (!registrar->KeyCountsAt(key_id, std::max(now, claims.issued_at)).ok()) {
    return Refused("its key does not count any more");
  }
  return claims;
}

}  // namespace tsunagi::identity
