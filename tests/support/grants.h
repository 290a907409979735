// Grants without an Enforcer: sealed by hand and opened by the one other place that builds them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "connector/grant/seal.h"
#include "core/base/clock.h"
#include "core/base/proto.h"
#include "core/crypto/digest.h"
#include "passport/model/slots.h"
#include "tsunagi/internal/v1/grant.pb.h"

namespace tsunagi::testing {

inline constexpr char kTestSealKey[] = "seal key of the test's node, 32B";

// Serialised SealedGrant for any claims.
inline std::string SealClaims(const internal::v1::GrantClaims& claims, absl::string_view key = kTestSealKey) {
  internal::v1::SealedGrant sealed;
  sealed.set_claims(Encode(claims));
  sealed.set_seal(crypto::HmacSha256(key, {sealed.claims()}));
  return Encode(sealed);
}

// Claims for process `passport` that open `sections` of the subjects for 20 s.
inline internal::v1::GrantClaims ClaimsFor(absl::Span<const common::v1::Subject> subjects,
                                           const std::vector<common::v1::Section>& sections, absl::Time now) {
  internal::v1::GrantClaims claims;
  claims.set_issuer_process("connector");
  claims.set_target_process("passport");
  claims.set_subjects_digest(grant::SubjectsDigest(subjects));
  uint32_t mask = 0;
  for (const common::v1::Section section : sections) {
    mask |= passport::KindMaskOf(section);
    if (section == common::v1::SECTION_LOOKUP) claims.set_lookup(true);
  }
  claims.set_part_mask(mask);
  claims.set_nonce(std::string(16, 'n'));
  *claims.mutable_expire_time() = ToProto(now + absl::Seconds(20));
  return claims;
}

// A Grant with these claims.
inline grant::Grant GrantForTest(const internal::v1::GrantClaims& claims, const Clock& clock) {
  grant::Unsealer unsealer(kTestSealKey, claims.target_process(), clock);
  return unsealer.Open(SealClaims(claims)).value();
}

}  // namespace tsunagi::testing
