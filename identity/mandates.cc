#include "identity/mandates.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/did.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/proto.h"
#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "core/crypto/envelope.h"
#include "identity/revoked_mandates.h"
#include "identity/trust.h"

namespace tsunagi::identity {
namespace {

using common::v1::SignedEnvelope;

constexpr absl::string_view kScopes[] = {kScopePassportImport, kScopePassportShow, kScopePolicy,
                                         kScopeAmendment, kScopeErase};

absl::Status CheckId(const std::string& id) {
  if (IsUuid(id)) return absl::OkStatus();
  return InvalidArgument({"ID_INVALID", "id", id, "a UUID in lower case"});
}

absl::Status CheckDid(absl::string_view field, const std::string& did) {
  return Annotate(Did::Parse(did).status(), field);
}

absl::Status CheckScopes(const google::protobuf::RepeatedPtrField<std::string>& scopes) {
  if (scopes.empty()) {
    return InvalidArgument({"SCOPE_MISSING", "scopes", "", absl::StrJoin(kScopes, ", ")});
  }
  absl::flat_hash_set<absl::string_view> seen;
  for (const std::string& scope : scopes) {
    if (std::find(std::begin(kScopes), std::end(kScopes), scope) == std::end(kScopes)) {
      return InvalidArgument({"SCOPE_UNKNOWN", "scopes", scope, absl::StrJoin(kScopes, ", ")});
    }
    if (!seen.insert(scope).second) {
      return InvalidArgument({"SCOPE_TWICE", "scopes", scope, "each scope once"});
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTimes(const CheckedMandate& checked) {
  if (checked.valid_until <= checked.valid_from) {
    return InvalidArgument(
        {"TIMES_WRONG", "valid_until", absl::FormatTime(checked.valid_until), "a time after valid_from"});
  }
  if (checked.valid_until - checked.valid_from <= kMaxMandateLife) return absl::OkStatus();
  return InvalidArgument({"LIFE_TOO_LONG", "valid_until", absl::FormatTime(checked.valid_until),
                          "at most 5 years (1,827 days) after valid_from"});
}

bool HasScope(const v1::Mandate& mandate, absl::string_view scope) {
  return std::find(mandate.scopes().begin(), mandate.scopes().end(), scope) != mandate.scopes().end();
}

void LogIgnored(absl::string_view what, const Party& grantor, const absl::Status& why) {
  log::Warning("directory entry: ignored", {{"what", std::string(what)},
                                            {"participant", grantor.participant.label()},
                                            {"reason", std::string(why.message())}});
}

// The mandate of an entry, once everything about it was checked.
absl::StatusOr<CheckedMandate> BelieveMandate(const SignedEnvelope& envelope, const Party& grantor) {
  ASSIGN_OR_RETURN(CheckedMandate checked, ReadMandate(envelope.payload()));
  if (checked.mandate.grantor() != grantor.participant.did()) {
    return absl::InvalidArgumentError(
        absl::StrCat("mandate `", checked.mandate.id(), "` is of `", checked.mandate.grantor(), "`"));
  }
  RETURN_IF_ERROR(Annotate(CheckMandateSigner(envelope, kMandatePayload, grantor, checked.valid_from),
                           checked.mandate.id()));
  return checked;
}

// When the entry's revocations say that each mandate ended. A key that has ended may still take away.
absl::flat_hash_map<std::string, absl::Time> BelieveRevocations(const Party& grantor) {
  absl::flat_hash_map<std::string, absl::Time> revoked;
  for (const SignedEnvelope& envelope : grantor.participant.revocations()) {
    const absl::StatusOr<v1::MandateRevocation> revocation = ReadRevocation(envelope.payload());
    absl::Status status = revocation.status();
    if (status.ok() && revocation->grantor() != grantor.participant.did()) {
      status = absl::InvalidArgumentError(absl::StrCat("is of `", revocation->grantor(), "`"));
    }
    absl::StatusOr<crypto::PublicKey> key = grantor.FindKey(envelope.key_id(), v1::KEY_PURPOSE_SIGNING);
    if (status.ok()) status = key.status();
    if (status.ok()) status = crypto::Verify(envelope, kMandateRevocationPayload, *key);
    if (!status.ok()) {
      LogIgnored("revocation of a mandate", grantor, status);
      continue;
    }
    revoked.emplace(revocation->id(), *FromProto(revocation->revoked_at()));
  }
  return revoked;
}

}  // namespace

absl::Span<const absl::string_view> MandateScopes() { return kScopes; }

absl::StatusOr<CheckedMandate> ReadMandate(absl::string_view payload) {
  CheckedMandate checked;
  RETURN_IF_ERROR(DecodeCanonical(payload, "mandate", checked.mandate));
  const v1::Mandate& mandate = checked.mandate;
  RETURN_IF_ERROR(CheckId(mandate.id()));
  RETURN_IF_ERROR(CheckDid("grantor", mandate.grantor()));
  RETURN_IF_ERROR(CheckDid("holder", mandate.holder()));
  if (mandate.holder() == mandate.grantor()) {
    return InvalidArgument({"HOLDER_IS_GRANTOR", "holder", mandate.holder(), "another participant"});
  }
  RETURN_IF_ERROR(CheckScopes(mandate.scopes()));
  ASSIGN_OR_RETURN(checked.valid_from, FromProto(mandate.valid_from()));
  ASSIGN_OR_RETURN(checked.valid_until, FromProto(mandate.valid_until()));
  RETURN_IF_ERROR(CheckTimes(checked));
  return checked;
}

absl::StatusOr<v1::MandateRevocation> ReadRevocation(absl::string_view payload) {
  v1::MandateRevocation revocation;
  RETURN_IF_ERROR(DecodeCanonical(payload, "revocation of a mandate", revocation));
  RETURN_IF_ERROR(CheckId(revocation.id()));
  RETURN_IF_ERROR(CheckDid("grantor", revocation.grantor()));
  RETURN_IF_ERROR(FromProto(revocation.revoked_at()).status());
  return revocation;
}

absl::Status CheckMandateSigner(const SignedEnvelope& envelope, absl::string_view payload_type,
                                const Party& grantor, absl::Time at) {
  absl::StatusOr<crypto::PublicKey> key = grantor.FindKey(envelope.key_id(), v1::KEY_PURPOSE_SIGNING);
  absl::Status status = key.status();
  if (status.ok()) status = grantor.KeyCountsAt(envelope.key_id(), at);
  if (status.ok()) status = crypto::Verify(envelope, payload_type, *key);
  if (status.ok()) return status;
  return absl::UnauthenticatedError(absl::StrCat("signature: ", status.message()));
}

std::vector<CheckedMandate> BelieveMandates(const Party& grantor) {
  std::vector<CheckedMandate> believed;
  const absl::flat_hash_map<std::string, absl::Time> revoked = BelieveRevocations(grantor);
  absl::flat_hash_set<std::string> ids;
  for (const SignedEnvelope& envelope : grantor.participant.mandates()) {
    absl::StatusOr<CheckedMandate> checked = BelieveMandate(envelope, grantor);
    if (checked.ok() && !ids.insert(checked->mandate.id()).second) {
      checked = absl::InvalidArgumentError(absl::StrCat("`", checked->mandate.id(), "` is listed twice"));
    }
    if (!checked.ok()) {
      LogIgnored("mandate", grantor, checked.status());
      continue;
    }
    if (const auto found = revoked.find(checked->mandate.id()); found != revoked.end()) {
      checked->revoked_at = found->second;
    }
    believed.push_back(*std::move(checked));
  }
  return believed;
}

const CheckedMandate* FindMandate(const Party& grantor, absl::string_view holder, absl::string_view scope,
                                  absl::Time now, const RevokedMandates* revoked) {
  for (const CheckedMandate& one : grantor.mandates) {
    const bool in_time = one.valid_from <= now && now < one.valid_until;
    const bool fits = in_time && one.mandate.holder() == holder && HasScope(one.mandate, scope);
    if (fits && !one.revoked_at.has_value() && (revoked == nullptr || !revoked->Contains(one.mandate.id()))) {
      return &one;
    }
  }
  return nullptr;
}

}  // namespace tsunagi::identity
