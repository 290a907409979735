#include "identity/access_tokens.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/entries.h"

namespace tsunagi::identity {
namespace {

using Reply = v1::IssueTokenResponse;

absl::Time WholeSeconds(absl::Time time) { return absl::FromUnixSeconds(absl::ToUnixSeconds(time)); }

// Nobody goes where this registrar trusts nobody.
absl::Status CheckAudience(const store::Store& store, absl::string_view audience) {
  if (audience.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const v1::FederationTrust trust, LoadFederationTrust(store));
  for (const v1::TrustedFederation& one : trust.federations()) {
    if (one.federation() == audience && !one.has_until()) return absl::OkStatus();
  }
  return absl::NotFoundError(
      absl::StrCat("`audience` is `", audience, "`: expected a federation that this one trusts"));
}

}  // namespace

void AccessTokens::Issue(const CertifiedProcess& process, Done<Reply> done, const std::string& audience) {
  Act<Reply>(
      context_.journal,
      [this, process, audience] {
        return Decide(process, {"token-issued", absl::InfiniteFuture(), {}, audience});
      },
      issued_.Counted(std::move(done)));
}

void AccessTokens::Exchange(const CertifiedProcess& actor, const std::string& subject_token,
                            Done<Reply> done) {
  Act<Reply>(
      context_.journal, [this, actor, subject_token] { return DecideExchange(actor, subject_token); },
      exchanged_.Counted(std::move(done)));
}

absl::StatusOr<Decision<Reply>> AccessTokens::Decide(const CertifiedProcess& process, Wanted wanted) const {
  RETURN_IF_ERROR(CheckAudience(context_.journal.store(), wanted.audience));
  ASSIGN_OR_RETURN(const StoredParticipant entry, ActiveEntry(context_.journal.store(), process.label));
  const absl::Time now = context_.clock.Now();
  TokenClaims claims;
  claims.subject = entry.participant().did();
  claims.certificate_sha256 = process.certificate_sha256;
  claims.issued_at = WholeSeconds(now);
  claims.expires_at =
      WholeSeconds(std::min({claims.issued_at + context_.options.token_life, claims.issued_at + kMaxTokenLife,
                             process.not_after, wanted.end}));
  claims.actors = std::move(wanted.actors);
  if (process.not_after <= now) return absl::UnauthenticatedError("the certificate has expired");
  if (claims.expires_at <= now) return absl::InvalidArgumentError("the subject token has expired");
  ASSIGN_OR_RETURN(const std::string token, IssueToken(context_.authority.Get()->TokenKeyAt(now),
                                                       context_.options.federation, claims, wanted.audience));
  Decision<Reply> decision;
  decision.reply.set_token(token);
  *decision.reply.mutable_expire_time() = ToProto(claims.expires_at);
  audit::Commit commit;
  commit.reads = {EntryKey(process.label)};
  commit.record = EncodeRecord({wanted.act, claims.subject, crypto::Sha256(token),
                                absl::StrCat(claims.subject, " ", process.process), wanted.audience},
                               now);
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<Decision<Reply>> AccessTokens::DecideExchange(const CertifiedProcess& actor,
                                                             const std::string& subject_token) {
  const absl::StatusOr<TokenClaims> subject = verifier_.Verify(subject_token);
  if (!subject.ok()) return absl::InvalidArgumentError(subject.status().message());
  ASSIGN_OR_RETURN(const StoredParticipant entry, ActiveEntry(context_.journal.store(), actor.label));
  const std::string& did = entry.participant().did();
  // Whoever was shown another participant's token must not turn it into one of its own.
  if (subject->subject != did) {
    return absl::InvalidArgumentError(
        "the subject token is another participant's: only its own processes act for it");
  }
  if (subject->actors.size() >= kMaxTokenActors) {
    return absl::InvalidArgumentError(absl::StrCat("the subject token has passed through ", kMaxTokenActors,
                                                   " processes: start from a token of the first"));
  }
  std::vector<TokenActor> actors = subject->actors;
  actors.insert(actors.begin(), {did, actor.process});
  return Decide(actor, {"token-exchanged", subject->expires_at, std::move(actors)});
}

}  // namespace tsunagi::identity
