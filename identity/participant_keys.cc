#include "identity/participant_keys.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/envelope.h"
#include "identity/checks.h"
#include "identity/entries.h"
#include "identity/members.h"
#include "identity/names.h"

namespace tsunagi::identity {
namespace {

using store::Table;

constexpr int kMaxListed = 8;
constexpr int kMaxKeys = 64;
constexpr int kMaxEndpoints = 16;

absl::Status WrongKey(const v1::ParticipantKey& key, absl::string_view expected) {
  return InvalidArgument({"KEY_INVALID", "keys.key_id", key.key_id(), expected});
}

// The key as it will be listed: only what the caller may state, from now on.
absl::StatusOr<v1::ParticipantKey> CheckedKey(const v1::ParticipantKey& key,
                                              const common::v1::SignedEnvelope& proof, const Caller& caller,
                                              absl::string_view federation, absl::Time now) {
  const absl::StatusOr<crypto::PublicKey> parsed = crypto::PublicKey::FromDer(key.public_key());
  if (!parsed.ok() || parsed->id() != key.key_id() || parsed->algorithm() != key.algorithm()) {
    return WrongKey(key, "the id and algorithm of `public_key`");
  }
  v1::ParticipantKey listed;
  if (key.purpose() == v1::KEY_PURPOSE_LOG) {
    const std::string origin = LogOrigin(caller.process(), caller.label(), federation);
    if (key.algorithm() != common::v1::SIGNATURE_ALGORITHM_ED25519 || key.log_origin() != origin) {
      return WrongKey(key, absl::StrCat("an Ed25519 key for log origin `", origin, "`"));
    }
    listed.set_log_origin(origin);
  } else if (key.purpose() != v1::KEY_PURPOSE_SIGNING ||
             key.algorithm() != common::v1::SIGNATURE_ALGORITHM_ES256 || !key.log_origin().empty()) {
    return WrongKey(key, "an ES256 key for signing, or an Ed25519 key for a log");
  }
  if (!crypto::Verify(proof, kKeyPossessionPayload, *parsed).ok() || proof.payload() != caller.did()) {
    return WrongKey(key, "a proof by this key over the caller's DID");
  }
  listed.set_key_id(key.key_id());
  listed.set_purpose(key.purpose());
  listed.set_algorithm(key.algorithm());
  listed.set_public_key(key.public_key());
  *listed.mutable_valid_from() = ToProto(now);
  return listed;
}

bool Lists(const v1::Participant& participant, absl::string_view key_id) {
  for (const v1::ParticipantKey& key : participant.keys()) {
    if (key.key_id() == key_id) return true;
  }
  return false;
}

// A log has one key at a time. So has a participant for signing, but for the overlap: what the former one
// signed must still be dated, and processes that share the key restart one after the other.
void EndEarlierKeys(const v1::ParticipantKey& next, absl::Time now, v1::Participant& participant) {
  const bool signs = next.purpose() == v1::KEY_PURPOSE_SIGNING;
  for (v1::ParticipantKey& key : *participant.mutable_keys()) {
    if (key.purpose() != next.purpose() || key.log_origin() != next.log_origin() || key.has_valid_until())
      continue;
    *key.mutable_valid_until() = ToProto(signs ? now + ParticipantKeys::kSigningOverlap : now);
  }
}

// True when the entry changed.
absl::StatusOr<bool> AddKey(const store::Store& store, v1::ParticipantKey listed,
                            v1::Participant& participant, absl::Time now, audit::Commit& commit) {
  if (Lists(participant, listed.key_id())) return false;
  if (participant.keys_size() >= kMaxKeys) {
    return absl::FailedPreconditionError(absl::StrCat("participant `", participant.label(), "` lists ",
                                                      kMaxKeys, " keys already: ask the registrar"));
  }
  const std::string claim = ClaimKey("key", listed.key_id());
  const absl::StatusOr<std::string> holder = store.Get(Table::kState, claim);
  if (holder.ok()) return absl::AlreadyExistsError("another participant lists this key: make a new one");
  if (!absl::IsNotFound(holder.status())) return holder.status();
  commit.reads.push_back(claim);
  commit.writes.push_back(store::Put(Table::kState, claim, participant.label()));
  EndEarlierKeys(listed, now, participant);
  *participant.add_keys() = std::move(listed);
  return true;
}

absl::StatusOr<bool> SetEndpoint(const v1::Endpoint& endpoint, const Caller& caller,
                                 v1::Participant& participant) {
  if (endpoint.process() != caller.process() || caller.process() == kOperatorProcess) {
    return InvalidArgument({"ENDPOINT_OF_ANOTHER", "endpoints.process", endpoint.process(),
                            absl::StrCat("the calling process, `", caller.process(), "`")});
  }
  RETURN_IF_ERROR(CheckAddress(endpoint.address()));
  for (v1::Endpoint& known : *participant.mutable_endpoints()) {
    if (known.process() != endpoint.process()) continue;
    const bool changed = known.address() != endpoint.address();
    known.set_address(endpoint.address());
    return changed;
  }
  v1::Endpoint& added = *participant.add_endpoints();
  added.set_process(endpoint.process());
  added.set_address(endpoint.address());
  return true;
}

}  // namespace

void ParticipantKeys::ListKeys(const Caller& caller, const v1::ListKeysRequest& request,
                               Done<v1::ListKeysResponse> done) {
  using Reply = v1::ListKeysResponse;
  Act<Reply>(
      context_.journal, [this, caller, request] { return DecideKeys(caller, request); },
      [this, done = std::move(done)](absl::StatusOr<Reply> reply) {
        if (!reply.ok()) return done(std::move(reply));
        lists_.GetDirectory(
            [done, reply = *std::move(reply)](absl::StatusOr<SignedLists::Directory> directory) {
              directory.ok() ? done(reply) : done(directory.status());
            });
      });
}

absl::StatusOr<Decision<v1::ListKeysResponse>> ParticipantKeys::DecideKeys(
    const Caller& caller, const v1::ListKeysRequest& request) const {
  const store::Store& store = context_.journal.store();
  const absl::Time now = context_.clock.Now();
  if (request.keys_size() != request.proofs_size() || request.keys_size() > kMaxListed ||
      request.endpoints_size() > kMaxEndpoints) {
    return InvalidArgument(
        {"COUNT_WRONG", "proofs", absl::StrCat(request.proofs_size()),
         absl::StrCat("one proof per key, at most ", kMaxListed, " keys and ", kMaxEndpoints, " endpoints")});
  }
  ASSIGN_OR_RETURN(StoredParticipant entry, LoadEntry(store, caller.label()));
  RETURN_IF_ERROR(CheckActs(entry));
  v1::Participant& participant = *entry.mutable_participant();
  audit::Commit commit;
  bool changed = false;
  for (int i = 0; i < request.keys_size(); ++i) {
    ASSIGN_OR_RETURN(v1::ParticipantKey listed, CheckedKey(request.keys(i), request.proofs(i), caller,
                                                           context_.options.federation, now));
    ASSIGN_OR_RETURN(const bool added, AddKey(store, std::move(listed), participant, now, commit));
    changed = changed || added;
  }
  for (const v1::Endpoint& endpoint : request.endpoints()) {
    ASSIGN_OR_RETURN(const bool set, SetEndpoint(endpoint, caller, participant));
    changed = changed || set;
  }
  Decision<v1::ListKeysResponse> decision;
  if (!changed) {
    ASSIGN_OR_RETURN(const v1::Directory head, LoadHead(store));
    decision.reply.set_directory_version(head.version());
    return decision;
  }
  ASSIGN_OR_RETURN(const EntryChange change, AddEntryChange(context_, entry, commit));
  commit.record = EncodeRecord({"keys-listed", caller.did(), change.digest, ByOf(caller)}, now);
  decision.reply.set_directory_version(change.directory_version);
  decision.commit = std::move(commit);
  return decision;
}

}  // namespace tsunagi::identity
