#include "connector/grant/seal.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"

namespace tsunagi::grant {
namespace {

constexpr size_t kMaxNonces = 1'000'000;

absl::Status Refused(absl::string_view why) {
  return absl::PermissionDeniedError(absl::StrCat("the grant is refused: ", why));
}

}  // namespace

std::string SubjectsDigest(absl::Span<const common::v1::Subject> subjects) {
  std::string all;
  for (const common::v1::Subject& subject : subjects) {
    const std::string encoded = Encode(subject);
    AppendU32(all, static_cast<uint32_t>(encoded.size()));
    all += encoded;
  }
  return crypto::Sha256(all);
}

std::string Seal(const Grant& grant, absl::string_view seal_key) {
  internal::v1::SealedGrant sealed;
  sealed.set_claims(Encode(grant.claims()));
  sealed.set_seal(crypto::HmacSha256(seal_key, {sealed.claims()}));
  return Encode(sealed);
}

Unsealer::Unsealer(std::string seal_key, std::string own_process, const Clock& clock)
    : seal_key_(std::move(seal_key)), own_process_(std::move(own_process)), clock_(clock) {}

absl::StatusOr<Grant> Unsealer::Open(absl::string_view bytes) {
  internal::v1::SealedGrant sealed;
  if (!DecodeCanonical(bytes, "sealed grant", sealed).ok()) return Refused("its encoding is wrong");
  if (!crypto::ConstantTimeEquals(crypto::HmacSha256(seal_key_, {sealed.claims()}), sealed.seal())) {
    return Refused("its seal is wrong");
  }
  internal::v1::GrantClaims claims;
  if (!DecodeCanonical(sealed.claims(), "grant", claims).ok()) return Refused("its claims are malformed");
  if (claims.target_process() != own_process_) return Refused("it was issued for another process");
  const absl::StatusOr<absl::Time> expires = FromProto(claims.expire_time());
  const absl::Time now = clock_.Now();
  if (!expires.ok() || *expires <= now) return Refused("it has expired");
  if (*expires - now > kMaxLife) return Refused("it lives longer than 30 seconds");
  RETURN_IF_ERROR(AcceptNonce(claims.nonce(), *expires, now));
  return Grant(std::move(claims));
}

absl::Status Unsealer::AcceptNonce(const std::string& nonce, absl::Time expires, absl::Time now) {
  Nonce key;
  if (nonce.size() != key.size()) return Refused("its nonce is not 16 bytes");
  std::copy(nonce.begin(), nonce.end(), key.begin());
  MutexLock lock(mutex_);
  while (!seen_.empty() && seen_.begin()->first < absl::ToUnixSeconds(now)) {
    seen_count_ -= seen_.begin()->second.size();
    seen_.erase(seen_.begin());
  }
  for (const auto& [second, nonces] : seen_) {
    if (nonces.contains(key)) return Refused("it was used before");
  }
  if (seen_count_ >= kMaxNonces) return absl::ResourceExhaustedError("too many grants at once; try again");
  seen_[absl::ToUnixSeconds(expires)].insert(key);
  ++seen_count_;
  return absl::OkStatus();
}

}  // namespace tsunagi::grant
