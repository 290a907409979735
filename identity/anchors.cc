#include "identity/anchors.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/authority_change.h"
#include "identity/checks.h"
#include "identity/entries.h"
#include "identity/once.h"
#include "identity/participant_keys.h"
#include "identity/proposals.h"

namespace tsunagi::identity {
namespace {

using internal::v1::StoredAuthority;
using store::Table;

constexpr size_t kMaxReason = 500;

absl::StatusOr<AuthorityChange> BeginChange(const RegistrarContext& context) {
  ASSIGN_OR_RETURN(StoredAuthority stored, LoadStoredAuthority(context.journal.store()));
  return AuthorityChange::Begin(context, std::move(stored));
}

// Ends the key that signed tokens so far once the last of its tokens has expired, and lists the next one.
absl::Status ListTokenKey(const RegistrarContext& context, const crypto::PublicKey& next, absl::Time from,
                          audit::Commit& commit) {
  ASSIGN_OR_RETURN(StoredParticipant entry, LoadEntry(context.journal.store(), kRegistrarLabel));
  const std::string former = context.authority.Get()->token.id();
  v1::Participant& registrar = *entry.mutable_participant();
  for (v1::ParticipantKey& key : *registrar.mutable_keys()) {
    if (key.key_id() != former) continue;
    *key.mutable_valid_until() = ToProto(from + context.options.token_life + kClockSkew);
  }
  v1::ParticipantKey& listed = *registrar.add_keys();
  listed.set_key_id(next.id());
  listed.set_purpose(v1::KEY_PURPOSE_SIGNING);
  listed.set_algorithm(next.algorithm());
  listed.set_public_key(next.der());
  *listed.mutable_valid_from() = ToProto(context.clock.Now());
  return AddEntryChange(context, entry, commit).status();
}

absl::StatusOr<std::string> NextToken(const RegistrarContext& context, StoredAuthority& stored,
                                      audit::Commit& commit) {
  const absl::Time now = context.clock.Now();
  const std::shared_ptr<const Authority> authority = context.authority.Get();
  if (now < authority->token_from) {
    return absl::FailedPreconditionError(
        absl::StrCat("the last token key signs only from ",
                     absl::FormatTime(authority->token_from, absl::UTCTimeZone()), " on: rotate after that"));
  }
  const absl::Time from = now + Anchors::kTokenLead;
  stored.set_token(stored.token() + 1);
  *stored.mutable_token_from() = ToProto(from);
  ASSIGN_OR_RETURN(const crypto::PrivateKey key,
                   LoadOrMakeToken(context.options.keys_folder, stored.token()));
  RETURN_IF_ERROR(ListTokenKey(context, key.public_key(), from, commit));
  return key.id();
}

absl::Status CheckRequest(const v1::RotateKeyRequest& request) {
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
  if (!v1::AuthorityKey_IsValid(request.key()) || request.key() == v1::AUTHORITY_KEY_UNSPECIFIED) {
    return InvalidArgument({"KEY_UNKNOWN", "key", absl::StrCat(static_cast<int>(request.key())),
                            "root, issuing, directory, status or token"});
  }
  const bool is_ca = request.key() == v1::AUTHORITY_KEY_ROOT || request.key() == v1::AUTHORITY_KEY_ISSUING;
  if (is_ca || !request.put_into_use()) return absl::OkStatus();
  return InvalidArgument({"NOT_IN_TWO_STEPS", "put_into_use", "true", "false: this key changes at once"});
}

absl::StatusOr<std::string> Change(const RegistrarContext& context, const v1::RotateKeyRequest& request,
                                   AuthorityChange& change, audit::Commit& commit) {
  switch (request.key()) {
    case v1::AUTHORITY_KEY_ROOT:
      return request.put_into_use() ? change.UseNextRoot() : change.MakeRootKnown();
    case v1::AUTHORITY_KEY_ISSUING:
      return request.put_into_use() ? change.UseNextIssuing() : change.MakeIssuingKnown();
    case v1::AUTHORITY_KEY_DIRECTORY:
      return change.NextDirectory();
    case v1::AUTHORITY_KEY_STATUS:
      return change.NextStatus();
    case v1::AUTHORITY_KEY_TOKEN:
      return NextToken(context, change.stored(), commit);
    default:
      return absl::InvalidArgumentError("unknown key");
  }
}

absl::StatusOr<Decision<bool>> DecideFirst(const RegistrarContext& context) {
  ASSIGN_OR_RETURN(AuthorityChange change, BeginChange(context));
  Decision<bool> decision{true, std::nullopt};
  if (change.bundle_version() != 0) return decision;
  RETURN_IF_ERROR(change.ListFirst());
  audit::Commit commit;
  change.AddTo(commit);
  commit.record = EncodeRecord({"bundle-signed", "", crypto::Sha256(change.stored().bundle().bundle()), ""},
                               context.clock.Now());
  decision.commit = std::move(commit);
  return decision;
}

// What a proposal is about: the keys in use and the bundle.
absl::StatusOr<std::string> BasisOf(const RegistrarContext& context) {
  ASSIGN_OR_RETURN(const StoredAuthority stored, LoadStoredAuthority(context.journal.store()));
  return crypto::Sha256(Encode(stored));
}

// Adds the rotation to `commit`, with its leaf.
absl::StatusOr<v1::RotateKeyResponse> AddRotation(const RegistrarContext& context, const std::string& by,
                                                  const v1::RotateKeyRequest& request,
                                                  audit::Commit& commit) {
  ASSIGN_OR_RETURN(AuthorityChange change, BeginChange(context));
  ASSIGN_OR_RETURN(const std::string key_id, Change(context, request, change, commit));
  v1::RotateKeyResponse reply;
  reply.set_key_id(key_id);
  const bool is_ca = request.key() == v1::AUTHORITY_KEY_ROOT || request.key() == v1::AUTHORITY_KEY_ISSUING;
  if (is_ca) {
    RETURN_IF_ERROR(change.SignBundle());
    reply.set_bundle_version(change.bundle_version());
  }
  change.AddTo(commit);
  const bool only_known = is_ca && !request.put_into_use();
  ASSIGN_OR_RETURN(const std::string digest, FromHex(key_id));
  commit.record =
      EncodeRecord({only_known ? "key-made-known" : "key-put-into-use", "", digest, by, request.reason()},
                   context.clock.Now());
  return reply;
}

// What `add` adds to a commit, at once; or a proposal of it, for another person.
template <class Reply, class Request>
absl::StatusOr<Decision<Reply>> DoOrPropose(const RegistrarContext& context, const Caller& caller,
                                            const Request& request, v1::Proposal proposal,
                                            absl::StatusOr<Reply> (*add)(const RegistrarContext&,
                                                                         const std::string&, const Request&,
                                                                         audit::Commit&)) {
  Decision<Reply> decision;
  audit::Commit commit;
  if (context.options.two_person_approval) {
    ASSIGN_OR_RETURN(const std::string basis, BasisOf(context));
    ASSIGN_OR_RETURN(*decision.reply.mutable_pending_id(),
                     EnterProposal(context, caller, std::move(proposal), basis, request.reason(), commit));
  } else {
    ASSIGN_OR_RETURN(decision.reply, add(context, ByOf(caller), request, commit));
  }
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<Decision<v1::RotateKeyResponse>> DecideRotate(const RegistrarContext& context,
                                                             const Caller& caller,
                                                             const v1::RotateKeyRequest& request) {
  RETURN_IF_ERROR(CheckRequest(request));
  v1::Proposal proposal;
  *proposal.mutable_rotate_key() = request;
  return DoOrPropose(context, caller, request, std::move(proposal), AddRotation);
}

absl::StatusOr<std::string> DigestOf(const v1::RemoveAuthorityRequest& request) {
  absl::StatusOr<std::string> sha256 = FromHex(request.certificate_sha256());
  if (sha256.ok() && sha256->size() == crypto::kDigestSize) return sha256;
  return InvalidArgument({"DIGEST_INVALID", "certificate_sha256", request.certificate_sha256(),
                          "64 digits of lower-case hex, as `tsunagi authority list` shows them"});
}

// Adds the removal to `commit`, with its leaf.
absl::StatusOr<v1::RemoveAuthorityResponse> AddRemoval(const RegistrarContext& context, const std::string& by,
                                                       const v1::RemoveAuthorityRequest& request,
                                                       audit::Commit& commit) {
  ASSIGN_OR_RETURN(const std::string sha256, DigestOf(request));
  ASSIGN_OR_RETURN(AuthorityChange change, BeginChange(context));
  RETURN_IF_ERROR(change.Remove(sha256));
  RETURN_IF_ERROR(change.SignBundle());
  v1::RemoveAuthorityResponse reply;
  reply.set_bundle_version(change.bundle_version());
  change.AddTo(commit);
  commit.record = EncodeRecord({"authority-removed", "", sha256, by, request.reason()}, context.clock.Now());
  return reply;
}

absl::StatusOr<Decision<v1::RemoveAuthorityResponse>> DecideRemove(
    const RegistrarContext& context, const Caller& caller, const v1::RemoveAuthorityRequest& request) {
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
  RETURN_IF_ERROR(DigestOf(request).status());
  v1::Proposal proposal;
  *proposal.mutable_remove_authority() = request;
  return DoOrPropose(context, caller, request, std::move(proposal), AddRemoval);
}

// Does what was proposed, unless what it is about has changed.
absl::StatusOr<v1::ApproveProposalResponse> AddApproved(const RegistrarContext& context,
                                                        const Approved& approved, audit::Commit& commit) {
  const v1::Proposal& proposal = approved.stored.proposal();
  const std::string& by = approved.approver.by;
  v1::ApproveProposalResponse reply;
  if (proposal.act_case() == v1::Proposal::kEndKey) {
    ASSIGN_OR_RETURN(const std::string basis, BasisOfKeyEnd(context.journal.store(), proposal.end_key()));
    RETURN_IF_ERROR(CheckUnchanged(approved, basis));
    ASSIGN_OR_RETURN(*reply.mutable_end_key(), AddKeyEnd(context, by, proposal.end_key(), commit));
    return reply;
  }
  ASSIGN_OR_RETURN(const std::string basis, BasisOf(context));
  RETURN_IF_ERROR(CheckUnchanged(approved, basis));
  if (proposal.act_case() == v1::Proposal::kRotateKey) {
    ASSIGN_OR_RETURN(*reply.mutable_rotate_key(), AddRotation(context, by, proposal.rotate_key(), commit));
    return reply;
  }
  ASSIGN_OR_RETURN(*reply.mutable_remove_authority(),
                   AddRemoval(context, by, proposal.remove_authority(), commit));
  return reply;
}

absl::StatusOr<Decision<v1::ApproveProposalResponse>> DecideApprove(
    const RegistrarContext& context, const Caller& caller, const v1::ApproveProposalRequest& request) {
  Decision<v1::ApproveProposalResponse> decision;
  audit::Commit commit;
  ASSIGN_OR_RETURN(const Approved approved, TakeApproved(context, caller, request.id(), commit));
  ASSIGN_OR_RETURN(decision.reply, AddApproved(context, approved, commit));
  decision.commit = std::move(commit);
  return decision;
}

absl::StatusOr<Decision<v1::DeclineProposalResponse>> DecideDecline(
    const RegistrarContext& context, const Caller& caller, const v1::DeclineProposalRequest& request) {
  RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReason, /*required=*/true));
  ASSIGN_OR_RETURN(const Actor actor, ActorOf(context, caller));
  audit::Commit commit;
  RETURN_IF_ERROR(TakeOutProposal(context.journal.store(), request.id(), commit));
  ASSIGN_OR_RETURN(const std::string digest, FromHex(request.id()));
  commit.record =
      EncodeRecord({"proposal-declined", "", digest, actor.by, request.reason()}, context.clock.Now());
  return Decision<v1::DeclineProposalResponse>{{}, std::move(commit)};
}

// Next versions of all lists, so that everybody takes over what another key signs.
absl::StatusOr<Decision<bool>> DecideNextLists(const RegistrarContext& context) {
  audit::Commit commit;
  RETURN_IF_ERROR(AddNextVersion(context, commit).status());
  ASSIGN_OR_RETURN(v1::FederationTrust trust, LoadFederationTrust(context.journal.store()));
  if (trust.version() != 0) {
    // With the status list, which names its version.
    RETURN_IF_ERROR(AddFederationTrust(context, std::move(trust), commit).status());
    return Decision<bool>{true, std::move(commit)};
  }
  ASSIGN_OR_RETURN(v1::StatusList list, LoadStatus(context.journal.store()));
  list.set_version(list.version() + 1);
  commit.reads.push_back(StatusKey());
  commit.writes.push_back(store::Put(Table::kState, StatusKey(), Encode(list)));
  return Decision<bool>{true, std::move(commit)};
}

template <class Reply>
absl::StatusOr<Reply> ActAndWait(const RegistrarContext& context,
                                 std::function<absl::StatusOr<Decision<Reply>>()> decide) {
  return WaitFor<Reply>(
      [&](Done<Reply> done) { Act<Reply>(context.journal, std::move(decide), std::move(done)); });
}

}  // namespace

absl::Status Anchors::Open() {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(ActAndWait<bool>(context_, [this] { return DecideFirst(context_); }).status());
  ASSIGN_OR_RETURN(const StoredAuthority stored, LoadStoredAuthority(context_.journal.store()));
  return trust_.RestoreBundle(stored.bundle());
}

template <class Reply, class Request>
absl::StatusOr<Reply> Anchors::Run(absl::string_view method, const Caller& caller, const Request& request,
                                   absl::StatusOr<Decision<Reply>> (*decide)(const RegistrarContext&,
                                                                             const Caller&, const Request&)) {
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(Reply reply, ActAndWait<Reply>(context_, [&] {
                     return Once<Reply>(context_, caller, method, request,
                                        [&] { return decide(context_, caller, request); });
                   }));
  RETURN_IF_ERROR(Apply());
  return reply;
}

absl::StatusOr<v1::RotateKeyResponse> Anchors::Rotate(const Caller& caller,
                                                      const v1::RotateKeyRequest& request) {
  return Run<v1::RotateKeyResponse>("RotateKey", caller, request, DecideRotate);
}

absl::StatusOr<v1::RemoveAuthorityResponse> Anchors::Remove(const Caller& caller,
                                                            const v1::RemoveAuthorityRequest& request) {
  return Run<v1::RemoveAuthorityResponse>("RemoveAuthority", caller, request, DecideRemove);
}

absl::StatusOr<v1::ApproveProposalResponse> Anchors::Approve(const Caller& caller,
                                                             const v1::ApproveProposalRequest& request) {
  return Run<v1::ApproveProposalResponse>("ApproveProposal", caller, request, DecideApprove);
}

absl::StatusOr<v1::DeclineProposalResponse> Anchors::Decline(const Caller& caller,
                                                             const v1::DeclineProposalRequest& request) {
  return Run<v1::DeclineProposalResponse>("DeclineProposal", caller, request, DecideDecline);
}

absl::Status Anchors::Apply() {
  ASSIGN_OR_RETURN(const StoredAuthority stored, LoadStoredAuthority(context_.journal.store()));
  ASSIGN_OR_RETURN(Authority next,
                   LoadOrCreateAuthority(context_.options.keys_folder, context_.options.federation,
                                         context_.clock.Now(), stored));
  const std::shared_ptr<const Authority> before = context_.authority.Get();
  const bool lists_change = next.directory.key.id() != before->directory.key.id() ||
                            next.status.key.id() != before->status.key.id();
  context_.authority.Set(std::move(next));
  // Vouched for by ourselves: a root that is removed does not sign.
  RETURN_IF_ERROR(trust_.RestoreBundle(stored.bundle()));
  if (lists_change) {
    RETURN_IF_ERROR(ActAndWait<bool>(context_, [this] { return DecideNextLists(context_); }).status());
  }
  RETURN_IF_ERROR(
      WaitFor<SignedLists::Directory>([this](auto done) { lists_.GetDirectory(std::move(done)); }).status());
  RETURN_IF_ERROR(WaitFor<SignedLists::FederationTrust>([this](auto done) {
                    lists_.GetFederationTrust(std::move(done));
                  }).status());
  return WaitFor<SignedLists::StatusList>([this](auto done) { lists_.GetStatusList(std::move(done)); })
      .status();
}

}  // namespace tsunagi::identity
