#include "identity/federation_acts.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/bundle.h"
#include "identity/checks.h"
#include "identity/entries.h"
#include "identity/federations.h"
#include "identity/once.h"
#include "identity/persons.h"

namespace tsunagi::identity {
namespace {

using v1::FederationTrust;

constexpr size_t kMaxReason = 500;

v1::TrustedFederation* Find(FederationTrust& trust, absl::string_view federation) {
  auto& all = *trust.mutable_federations();
  const auto found = std::find_if(all.begin(), all.end(), [&](const v1::TrustedFederation& one) {
    return one.federation() == federation;
  });
  return found == all.end() ? nullptr : &*found;
}

absl::Status NotTrusted(absl::string_view federation) {
  return absl::NotFoundError(absl::StrCat(
      "federation `", federation, "` is not trusted: `tsunagi authority federations` lists those that are"));
}

// The root that the operator named, in the bundle.
absl::StatusOr<Anchor> FindRoot(const Bundle& bundle, absl::string_view sha256_hex) {
  const absl::StatusOr<std::string> sha256 = FromHex(sha256_hex);
  if (!sha256.ok() || sha256->size() != crypto::kDigestSize) {
    return InvalidArgument({"DIGEST_INVALID", "root_sha256", sha256_hex, "64 digits of lower-case hex"});
  }
  std::vector<std::string> roots;
  for (const Anchor& anchor : bundle.anchors) {
    if (anchor.kind != v1::ANCHOR_KIND_ROOT) continue;
    if (anchor.certificate.sha256 == *sha256) return anchor;
    roots.push_back(absl::StrCat("`", ToHex(anchor.certificate.sha256), "`"));
  }
  return absl::UnauthenticatedError(
      absl::StrCat("the bundle has no root `", sha256_hex, "`, it has ", absl::StrJoin(roots, ", "),
                   ": compare with what its registrar told you over another channel"));
}

// A newer bundle of the same authority is never given up for an older one, whoever asks.
absl::Status CheckNotOlder(const v1::TrustedFederation& known, const Anchor& root, const Bundle& next,
                           absl::Time now) {
  ASSIGN_OR_RETURN(const Bundle before, OpenBundle(known.bundle(), known.federation()));
  const bool same_authority =
      std::any_of(before.anchors.begin(), before.anchors.end(),
                  [&](const Anchor& anchor) { return anchor.certificate.sha256 == root.certificate.sha256; });
  return same_authority ? CheckFollows(before, next, now) : absl::OkStatus();
}

absl::Status CheckRoom(const FederationTrust& trust, bool known) {
  const auto& all = trust.federations();
  const auto trusted = std::count_if(all.begin(), all.end(),
                                     [](const v1::TrustedFederation& one) { return !one.has_until(); });
  if (trusted < kMaxTrusted && (known || all.size() < kMaxFederations)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "at most ", kMaxTrusted, " federations are trusted at a time, and ", kMaxFederations, " in all"));
}

absl::StatusOr<v1::TrustedFederation> RecordOf(const v1::TrustFederationRequest& request) {
  v1::TrustedFederation record;
  record.set_federation(request.federation());
  *record.mutable_did_hosts() = request.did_hosts();
  RETURN_IF_ERROR(Decode(request.bundle(), "trust bundle", *record.mutable_bundle()));
  *record.mutable_roles() = request.roles();
  record.set_url(request.url());
  return record;
}

absl::Status CheckHosts(const v1::TrustedFederation& record, const FederationTrust& trust,
                        const RegistrarOptions& own) {
  v1::TrustedFederation itself;
  itself.set_federation(own.federation);
  itself.add_did_hosts(own.did_host);
  RETURN_IF_ERROR(CheckHostsApart(record, itself));
  for (const v1::TrustedFederation& other : trust.federations()) {
    if (other.federation() != record.federation()) RETURN_IF_ERROR(CheckHostsApart(record, other));
  }
  return absl::OkStatus();
}

// The operator as records name it, with the person when the certificate names one.
absl::StatusOr<std::string> OperatorOf(const RegistrarContext& context, const Caller& caller) {
  ASSIGN_OR_RETURN(const std::optional<StoredPerson> person,
                   FindPerson(context.journal.store(), caller.certificate_sha256()));
  return person.has_value() ? absl::StrCat(ByOf(caller), " person:", person->id()) : ByOf(caller);
}

}  // namespace

template <class Reply>
Done<Reply> FederationActs::Published(Done<Reply> done) {
  return [this, done = std::move(done)](absl::StatusOr<Reply> reply) {
    if (!reply.ok()) return done(std::move(reply));
    lists_.GetFederationTrust(
        [this, done, reply = *std::move(reply)](const absl::StatusOr<SignedLists::FederationTrust>& trust) {
          if (!trust.ok()) return done(trust.status());
          lists_.GetStatusList([done, reply](const absl::StatusOr<SignedLists::StatusList>& list) {
            list.ok() ? done(reply) : done(list.status());
          });
        });
  };
}

void FederationActs::Trust(const Caller& caller, const v1::TrustFederationRequest& request,
                           Done<v1::TrustFederationResponse> done) {
  using Reply = v1::TrustFederationResponse;
  Act<Reply>(
      context_.journal,
      [this, caller, request] {
        return Once<Reply>(context_, caller, "TrustFederation", request,
                           [&] { return DecideTrust(caller, request); });
      },
      Published(std::move(done)));
}

void FederationActs::Revoke(const Caller& caller, const v1::RevokeFederationRequest& request,
                            Done<v1::RevokeFederationResponse> done) {
  using Reply = v1::RevokeFederationResponse;
  Act<Reply>(
      context_.journal,
      [this, caller, request] {
        return Once<Reply>(context_, caller, "RevokeFederation", request,
                           [&] { return DecideRevoke(caller, request); });
      },
      Published(std::move(done)));
}

void FederationActs::Follow(const std::string& federation, const v1::SignedTrustBundle& bundle,
                            Done<bool> done) {
  Act<bool>(
      context_.journal, [this, federation, bundle] { return DecideFollow(federation, bundle); },
      Published(std::move(done)));
}

absl::StatusOr<Decision<v1::TrustFederationResponse>> FederationActs::DecideTrust(
    const Caller& caller, const v1::TrustFederationRequest& request) const {
  const absl::Time now = context_.clock.Now();
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
  ASSIGN_OR_RETURN(v1::TrustedFederation record, RecordOf(request));
  ASSIGN_OR_RETURN(const Bundle bundle, CheckTrusted(record, context_.options.federation));
  ASSIGN_OR_RETURN(const Anchor root, FindRoot(bundle, request.root_sha256()));
  RETURN_IF_ERROR(
      OpenVouchedBundle(record.bundle(), PinnedBundle(root.certificate), record.federation(), now).status());

  ASSIGN_OR_RETURN(FederationTrust trust, LoadFederationTrust(context_.journal.store()));
  RETURN_IF_ERROR(CheckHosts(record, trust, context_.options));
  v1::TrustedFederation* const known = Find(trust, record.federation());
  const bool trusted = known != nullptr && !known->has_until();
  if (known != nullptr) RETURN_IF_ERROR(CheckNotOlder(*known, root, bundle, now));
  if (!trusted) RETURN_IF_ERROR(CheckRoom(trust, known != nullptr));
  *record.mutable_since() = trusted ? known->since() : ToProto(now);
  (known == nullptr ? *trust.add_federations() : *known) = record;

  audit::Commit commit;
  ASSIGN_OR_RETURN(const std::string by, OperatorOf(context_, caller));
  Decision<v1::TrustFederationResponse> decision;
  ASSIGN_OR_RETURN(const uint64_t version, AddFederationTrust(context_, std::move(trust), commit));
  decision.reply.set_version(version);
  commit.record = EncodeRecord(
      {"federation-trusted", record.federation(), crypto::Sha256(Encode(record)), by, request.reason()}, now);
  *decision.reply.mutable_trusted() = std::move(record);
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<Decision<v1::RevokeFederationResponse>> FederationActs::DecideRevoke(
    const Caller& caller, const v1::RevokeFederationRequest& request) const {
  const absl::Time now = context_.clock.Now();
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
  ASSIGN_OR_RETURN(FederationTrust trust, LoadFederationTrust(context_.journal.store()));
  v1::TrustedFederation* const known = Find(trust, request.federation());
  if (known == nullptr || known->has_until()) return NotTrusted(request.federation());
  *known->mutable_until() = ToProto(now);
  const std::string digest = crypto::Sha256(Encode(*known));

  audit::Commit commit;
  ASSIGN_OR_RETURN(const std::string by, OperatorOf(context_, caller));
  Decision<v1::RevokeFederationResponse> decision;
  ASSIGN_OR_RETURN(const uint64_t version, AddFederationTrust(context_, std::move(trust), commit));
  decision.reply.set_version(version);
  commit.record =
      EncodeRecord({"federation-revoked", request.federation(), digest, by, request.reason()}, now);
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<Decision<bool>> FederationActs::DecideFollow(const std::string& federation,
                                                            const v1::SignedTrustBundle& bundle) const {
  const absl::Time now = context_.clock.Now();
  ASSIGN_OR_RETURN(FederationTrust trust, LoadFederationTrust(context_.journal.store()));
  v1::TrustedFederation* const known = Find(trust, federation);
  if (known == nullptr || known->has_until()) return NotTrusted(federation);
  ASSIGN_OR_RETURN(const Bundle before, OpenBundle(known->bundle(), federation));
  ASSIGN_OR_RETURN(const Bundle next, OpenVouchedBundle(bundle, before, federation, now));
  RETURN_IF_ERROR(CheckFollows(before, next, now));
  Decision<bool> decision{false, std::nullopt};
  if (next.version == before.version) return decision;

  *known->mutable_bundle() = bundle;
  audit::Commit commit;
  RETURN_IF_ERROR(AddFederationTrust(context_, std::move(trust), commit).status());
  commit.record = EncodeRecord({"federation-followed", federation, crypto::Sha256(bundle.bundle()), ""}, now);
  decision.reply = true;
  decision.commit = std::move(commit);
  return decision;
}

}  // namespace tsunagi::identity
