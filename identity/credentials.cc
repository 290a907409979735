#include "identity/credentials.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/jwt.h"
#include "core/store/key.h"
#include "identity/bitstring.h"
#include "identity/entries.h"
#include "identity/names.h"
#include "identity/restore.h"
#include "nlohmann/json.hpp"

namespace tsunagi::identity {
namespace {

using internal::v1::StoredCredential;
using internal::v1::StoredCredentials;
using nlohmann::json;
using store::Key;
using store::Table;

constexpr char kContext[] = "https://www.w3.org/ns/credentials/v2";
// For terms that no context defines, such as memberOf and roles.
constexpr char kUndefinedTerms[] = "https://www.w3.org/ns/credentials/undefined-terms/v2";
constexpr int64_t kStatusTtlMilliseconds = 5 * 60 * 1000;
// Tries at a free index: they all fail only once the list is nearly full.
constexpr int kIndexTries = 64;

std::string CredentialKey(absl::string_view label) { return Key("credential").Str(label); }
Key IndexKeys() { return Key("credential-index"); }
std::string IndexKey(uint64_t index) { return IndexKeys().U64(index); }

std::string Text(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

absl::string_view Name(StatusPurpose purpose) {
  switch (purpose) {
    case StatusPurpose::kSuspension:
      return "suspension";
    case StatusPurpose::kRevocation:
      return "revocation";
  }
  return "";
}

std::string StatusUrl(const RegistrarOptions& options, StatusPurpose purpose) {
  return absl::StrCat("https://", options.did_host, "/credentials/status/",
                      purpose == StatusPurpose::kSuspension ? 1 : 2);
}

absl::string_view TypeOf(CredentialKind kind) {
  switch (kind) {
    case CredentialKind::kMembership:
      return "MembershipCredential";
    case CredentialKind::kRoles:
      return "RoleCredential";
  }
  return "";
}

absl::StatusOr<StoredCredentials> LoadCredentials(const store::Store& store, absl::string_view label) {
  StoredCredentials stored;
  const absl::StatusOr<std::string> bytes = store.Get(Table::kState, CredentialKey(label));
  if (absl::IsNotFound(bytes.status())) return stored;
  RETURN_IF_ERROR(bytes.status());
  RETURN_IF_ERROR(Decode(*bytes, "stored credentials", stored));
  return stored;
}

StoredCredential& KeptOf(CredentialKind kind, StoredCredentials& stored) {
  return kind == CredentialKind::kMembership ? *stored.mutable_membership() : *stored.mutable_roles();
}

// What the credential says of the participant.
absl::StatusOr<json> SubjectOf(CredentialKind kind, const v1::Participant& participant,
                               const std::string& federation) {
  json subject = {{"id", participant.did()}, {"memberOf", federation}};
  switch (kind) {
    case CredentialKind::kMembership:
      subject["name"] = participant.name_latin();
      subject["identifiers"] = json::array();
      for (const v1::PartyIdentifier& one : participant.identifiers()) {
        subject["identifiers"].push_back({{"scheme", one.scheme()}, {"value", one.value()}});
      }
      break;
    case CredentialKind::kRoles:
      if (participant.roles().empty()) return absl::NotFoundError("the participant has no role");
      for (const std::string& role : participant.roles()) subject["roles"].push_back(role);
      break;
  }
  return subject;
}

json StatusEntries(const RegistrarOptions& options, uint64_t index) {
  json entries = json::array();
  for (const StatusPurpose purpose : {StatusPurpose::kSuspension, StatusPurpose::kRevocation}) {
    entries.push_back({{"type", "BitstringStatusListEntry"},
                       {"statusPurpose", std::string(Name(purpose))},
                       {"statusListIndex", absl::StrCat(index)},
                       {"statusListCredential", StatusUrl(options, purpose)}});
  }
  return entries;
}

// The first index of this epoch of the registrar's log. A registrar that goes on from a backup does not know
// which indexes it gave away since: so each epoch has kMinBits of its own. (From the 32nd on they share.)
absl::StatusOr<uint64_t> FirstIndex(const store::Store& store) {
  ASSIGN_OR_RETURN(const uint64_t epoch, LoadEpoch(store));
  constexpr uint64_t kEpochs = Bitstring::kMaxBits / Bitstring::kMinBits;
  return (std::min(epoch, kEpochs) - 1) * Bitstring::kMinBits;
}

// A random index that nobody has: it tells nothing about who joined when. Adds it to `commit`.
absl::StatusOr<uint64_t> TakeIndex(const RegistrarContext& context, absl::string_view label,
                                   audit::Commit& commit) {
  ASSIGN_OR_RETURN(const uint64_t first, FirstIndex(context.journal.store()));
  for (int i = 0; i < kIndexTries; ++i) {
    uint64_t number = 0;
    for (const char byte : context.random.Bytes(4)) number = number << 8 | static_cast<unsigned char>(byte);
    const uint64_t index = first + number % Bitstring::kMinBits;
    const std::string key = IndexKey(index);
    const absl::Status taken = context.journal.store().Get(Table::kState, key).status();
    if (taken.ok()) continue;
    if (!absl::IsNotFound(taken)) return taken;
    commit.reads.push_back(key);
    commit.writes.push_back(store::Put(Table::kState, key, std::string(label)));
    return index;
  }
  return absl::ResourceExhaustedError("the status list of credentials is full");
}

// Signs a credential as the registrar.
absl::StatusOr<std::string> SignCredential(const RegistrarContext& context, json credential) {
  ASSIGN_OR_RETURN(const StoredParticipant registrar, LoadEntry(context.journal.store(), kRegistrarLabel));
  const std::string& did = registrar.participant().did();
  const crypto::PrivateKey key = context.authority.Get()->credential;
  credential["issuer"] = did;
  return crypto::SignJwt(key, kCredentialType, credential.dump(), absl::StrCat(did, "#", key.id()));
}

// Sets the bits below `end` that nobody has: of credentials that this registrar gave away and knows no more.
absl::Status SetForgotten(const store::Store& store, uint64_t end, Bitstring& bits) {
  if (end == 0) return absl::OkStatus();
  const std::string prefix = IndexKeys();
  uint64_t next = 0;
  absl::Status broken;
  RETURN_IF_ERROR(store.Scan(Table::kState, prefix, "", [&](absl::string_view key, absl::string_view) {
    const absl::StatusOr<uint64_t> index = store::KeyReader(key.substr(prefix.size())).U64();
    broken = index.status();
    if (!broken.ok() || *index >= end) return false;
    while (next < *index) bits.Set(next++);
    next = *index + 1;
    return true;
  }));
  while (broken.ok() && next < end) bits.Set(next++);
  return broken;
}

// The bits of everyone whose credentials do not count for this purpose.
absl::StatusOr<Bitstring> ReadBits(const store::Store& store, StatusPurpose purpose) {
  ASSIGN_OR_RETURN(const uint64_t first, FirstIndex(store));
  Bitstring bits(first + Bitstring::kMinBits);
  RETURN_IF_ERROR(SetForgotten(store, first, bits));
  ASSIGN_OR_RETURN(const v1::StatusList list, LoadStatus(store));
  for (const std::string& did : list.suspended()) {
    ASSIGN_OR_RETURN(const StoredParticipant entry, FindEntry(store, did));
    const bool left = entry.participant().state() == v1::PARTICIPANT_STATE_LEFT;
    ASSIGN_OR_RETURN(const StoredCredentials stored, LoadCredentials(store, entry.participant().label()));
    if (stored.has_status_index() && (left || purpose == StatusPurpose::kSuspension)) {
      bits.Set(stored.status_index());
    }
  }
  return bits;
}

}  // namespace

Credentials::Credentials(const RegistrarContext& context)
    : context_(context),
      suspension_(MakerOf(StatusPurpose::kSuspension)),
      revocation_(MakerOf(StatusPurpose::kRevocation)) {}

Credentials::StatusCache::Make Credentials::MakerOf(StatusPurpose purpose) {
  return [this, purpose](Done<Issued<std::string>> made) {
    Act<Issued<std::string>>(
        context_.journal, [this, purpose] { return SignStatusList(purpose); }, std::move(made));
  };
}

void Credentials::Get(const CertifiedProcess& process, CredentialKind kind, Done<std::string> done) {
  const auto is_kept = std::make_shared<bool>(false);  // the last decision's
  Act<std::string>(
      context_.journal,
      [this, process, kind, is_kept] {
        absl::StatusOr<Decision<std::string>> decision = Decide(process, kind);
        *is_kept = decision.ok() && !decision->commit.has_value();
        return decision;
      },
      [this, kind, is_kept, done = std::move(done)](absl::StatusOr<std::string> credential) {
        if (!*is_kept) issued_[static_cast<size_t>(kind)].Count(credential.status());
        done(std::move(credential));
      });
}

absl::StatusOr<Decision<std::string>> Credentials::Decide(const CertifiedProcess& process,
                                                          CredentialKind kind) const {
  const store::Store& store = context_.journal.store();
  const absl::Time now = context_.clock.Now();
  ASSIGN_OR_RETURN(const StoredParticipant entry, ActiveEntry(store, process.label));
  ASSIGN_OR_RETURN(StoredCredentials stored, LoadCredentials(store, process.label));
  ASSIGN_OR_RETURN(json subject, SubjectOf(kind, entry.participant(), context_.options.federation));
  const std::string digest =
      crypto::Sha256(absl::StrCat(subject.dump(), context_.authority.Get()->credential.id()));
  StoredCredential& kept = KeptOf(kind, stored);
  const bool fresh = FromProto(kept.expire_time()).value_or(absl::InfinitePast()) - now > kLife / 2;
  if (fresh && kept.subject_digest() == digest) return Decision<std::string>{kept.jwt(), std::nullopt};

  audit::Commit commit;
  if (!stored.has_status_index()) {
    ASSIGN_OR_RETURN(const uint64_t index, TakeIndex(context_, process.label, commit));
    stored.set_status_index(index);
  }
  const absl::Time expires = now + kLife;
  ASSIGN_OR_RETURN(const std::string jwt,
                   SignCredential(context_, {{"@context", {kContext, kUndefinedTerms}},
                                             {"id", absl::StrCat("urn:uuid:", NewUuid(context_.random))},
                                             {"type", {"VerifiableCredential", std::string(TypeOf(kind))}},
                                             {"validFrom", Text(now)},
                                             {"validUntil", Text(expires)},
                                             {"credentialSubject", std::move(subject)},
                                             {"credentialStatus",
                                              StatusEntries(context_.options, stored.status_index())}}));
  kept.set_jwt(jwt);
  kept.set_subject_digest(digest);
  *kept.mutable_expire_time() = ToProto(expires);
  const std::string key = CredentialKey(process.label);
  commit.reads.push_back(EntryKey(process.label));
  commit.reads.push_back(key);
  commit.writes.push_back(store::Put(Table::kState, key, Encode(stored)));
  const std::string& did = entry.participant().did();
  commit.record = EncodeRecord(
      {"credential-issued", did, crypto::Sha256(jwt), absl::StrCat(did, " ", process.process), TypeOf(kind)},
      now);
  return Decision<std::string>{jwt, std::move(commit)};
}

void Credentials::GetStatusList(StatusPurpose purpose, Done<std::shared_ptr<const std::string>> done) {
  const absl::StatusOr<uint64_t> version = StatusVersion();
  if (!version.ok()) return done(version.status());
  StatusCache& cache = purpose == StatusPurpose::kSuspension ? suspension_ : revocation_;
  cache.Get(*version, context_.clock.Now() - kStatusFresh, std::move(done));
}

absl::StatusOr<uint64_t> Credentials::StatusVersion() {
  const store::Store& store = context_.journal.store();
  ASSIGN_OR_RETURN(const v1::Directory head, LoadHead(store));
  ASSIGN_OR_RETURN(v1::StatusList list, LoadStatus(store));
  // Version and time of the list rise with every refresh.
  list.clear_version();
  list.clear_issued_at();
  const std::string seen = absl::StrCat(head.version(), " ", Encode(list));
  MutexLock lock(mutex_);
  if (seen != status_seen_) {
    status_seen_ = seen;
    ++status_version_;
  }
  return status_version_;
}

absl::StatusOr<Decision<Issued<std::string>>> Credentials::SignStatusList(StatusPurpose purpose) {
  // First the version, then the bits: they may be newer than it says, never older.
  ASSIGN_OR_RETURN(const uint64_t version, StatusVersion());
  ASSIGN_OR_RETURN(const Bitstring bits, ReadBits(context_.journal.store(), purpose));
  const absl::Time now = context_.clock.Now();
  const std::string url = StatusUrl(context_.options, purpose);
  ASSIGN_OR_RETURN(
      std::string jwt,
      SignCredential(context_, {{"@context", {kContext}},
                                {"id", url},
                                {"type", {"VerifiableCredential", "BitstringStatusListCredential"}},
                                {"validFrom", Text(now)},
                                {"validUntil", Text(now + kStatusLife)},
                                {"credentialSubject",
                                 {{"id", url + "#list"},
                                  {"type", "BitstringStatusList"},
                                  {"statusPurpose", std::string(Name(purpose))},
                                  {"encodedList", bits.Encode()},
                                  {"ttl", kStatusTtlMilliseconds}}}}));
  audit::Commit commit;
  commit.record = EncodeRecord({"status-credential-signed", "", crypto::Sha256(jwt), "", Name(purpose)}, now);
  return Decision<Issued<std::string>>{{std::make_shared<const std::string>(std::move(jwt)), version, now},
                                       std::move(commit)};
}

}  // namespace tsunagi::identity
