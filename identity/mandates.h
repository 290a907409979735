// Mandates (代行): one participant lets another act for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "tsunagi/identity/v1/mandate_service.pb.h"

namespace tsunagi::identity {

struct Party;
class RevokedMandates;

inline constexpr absl::string_view kMandatePayload = "tsunagi/mandate/v1";
inline constexpr absl::string_view kMandateRevocationPayload = "tsunagi/mandate-revocation/v1";

// What a mandate may allow. Never signing keys, agreements, mandates themselves, or operations.
inline constexpr absl::string_view kScopePassportImport = "passport-import";  // 登録代行
inline constexpr absl::string_view kScopePassportShow = "passport-show";      // 閲覧代行
inline constexpr absl::string_view kScopePolicy = "policy";                   // 開示条件の設定代行
inline constexpr absl::string_view kScopeAmendment = "amendment";             // 訂正申請の代行
inline constexpr absl::string_view kScopeErase = "erase";                     // 消去代行

// Of one participant, in force or not.
inline constexpr int kMaxMandates = 100;
// Five calendar years with two leap days.
inline constexpr absl::Duration kMaxMandateLife = absl::Hours(24 * 1827);

// The scopes there are.
absl::Span<const absl::string_view> MandateScopes();

// A mandate whose form was checked.
struct CheckedMandate {
  v1::Mandate mandate;
  absl::Time valid_from;
  absl::Time valid_until;
  // When it was revoked, as its grantor says; over from the moment that this is known.
  std::optional<absl::Time> revoked_at;
};

// Reads the payload of a mandate or a revocation: ids, DIDs, known scopes each once, times in order and in
// bounds. A participant gives no mandate to itself. INVALID_ARGUMENT naming the first mistake.
absl::StatusOr<CheckedMandate> ReadMandate(absl::string_view payload);
absl::StatusOr<v1::MandateRevocation> ReadRevocation(absl::string_view payload);

// OK when a SIGNING key of the grantor that counts at `at` signed the envelope. UNAUTHENTICATED otherwise.
absl::Status CheckMandateSigner(const common::v1::SignedEnvelope& envelope, absl::string_view payload_type,
                                const Party& grantor, absl::Time at);

// The mandates of a directory entry that count: well formed, of this participant, signed by a key of it that
// counted at valid_from. A revocation counts whenever one of its signing keys, old ones too, signed it. What
// does not count is left out and logged: a participant's mistake must not take its entry, or anyone else's,
// out of the directory.
std::vector<CheckedMandate> BelieveMandates(const Party& grantor);

// The mandate that lets `holder` (DID) act for `grantor` in `scope` at `now`, the earliest filed first; null
// when there is none. Revoked ones never do, as the entry says or as `revoked` (which may be null) knows
// already.
const CheckedMandate* FindMandate(const Party& grantor, absl::string_view holder, absl::string_view scope,
                                  absl::Time now, const RevokedMandates* revoked = nullptr);

}  // namespace tsunagi::identity
