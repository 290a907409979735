#include "identity/restore.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/audit/epoch.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/store/key.h"
#include "identity/act.h"
#include "identity/authority_change.h"
#include "identity/claims.h"
#include "identity/entries.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {
namespace {

using internal::v1::StoredAuthority;
using store::Key;
using store::Table;

constexpr size_t kRowsPerBatch = 1000;
constexpr size_t kMaxCertificateFile = 64 << 10;

std::string EpochKey() { return Key("epoch"); }

// What may have been used or ended since the copy was made, and what is about the log that is left behind.
bool IsDropped(absl::string_view key) {
  for (const char* kind : {"invitation", "proposal", "session", "checkpoint", "stamp"}) {
    if (absl::StartsWith(key, Key(kind).bytes())) return true;
  }
  return false;
}

absl::Status CopyTable(const store::Store& store, Table table, store::Store& next) {
  std::vector<store::Write> rows;
  absl::Status written;
  const auto write = [&] {
    written = next.Apply(rows);
    rows.clear();
    return written.ok();
  };
  RETURN_IF_ERROR(store.Scan(table, "", "", [&](absl::string_view key, absl::string_view value) {
    if (table == Table::kState && IsDropped(key)) return true;
    rows.push_back(store::Put(table, std::string(key), std::string(value)));
    return rows.size() < kRowsPerBatch || write();
  }));
  if (written.ok() && !rows.empty()) write();
  return written;
}

using Entries = absl::btree_map<std::string, StoredParticipant>;  // by label

absl::StatusOr<Entries> LoadEntries(const store::Store& store) {
  Entries entries;
  absl::Status broken;
  RETURN_IF_ERROR(
      store.Scan(Table::kState, EntryPrefix(), "", [&](absl::string_view, absl::string_view value) {
        StoredParticipant entry;
        broken = Decode(value, "stored participant", entry);
        if (broken.ok()) entries[entry.participant().label()] = std::move(entry);
        return broken.ok();
      }));
  RETURN_IF_ERROR(broken);
  return entries;
}

absl::Status MissingKey(absl::string_view name) {
  return absl::FailedPreconditionError(absl::StrCat("members hold a newer trust bundle, in which `", name,
                                                    "` is in use: put the newest `", name, ".key` and `",
                                                    name, ".crt` into `keys`, then again"));
}

// OK when the files of the `number`th CA of a kind are those of `certificate`.
absl::Status CheckKeyFile(const std::string& folder, absl::string_view kind, uint32_t number,
                          const crypto::Certificate& certificate) {
  const std::string name = KeyName(kind, number);
  const absl::StatusOr<std::string> pem =
      ReadFile(absl::StrCat(folder, "/", name, ".crt"), kMaxCertificateFile);
  if (!pem.ok()) return MissingKey(name);
  ASSIGN_OR_RETURN(const crypto::Certificate kept, crypto::ParseCertificatePem(*pem));
  const bool has_key = ReadSecretFile(absl::StrCat(folder, "/", name, ".key"), kMaxCertificateFile).ok();
  return has_key && kept.sha256 == certificate.sha256 ? absl::OkStatus() : MissingKey(name);
}

// Which CAs a newer bundle has in use: of several that are open, the first is; the next one waits.
absl::Status AdoptBundle(const RegistrarContext& next, const Bundle& bundle, StoredAuthority& stored) {
  std::array<uint32_t, 2> numbers = {0, 0};  // of roots and issuing CAs so far
  std::optional<size_t> root;
  std::optional<size_t> issuing;
  for (size_t i = 0; i < bundle.anchors.size(); ++i) {
    const Anchor& anchor = bundle.anchors[i];
    const bool is_root = anchor.kind == v1::ANCHOR_KIND_ROOT;
    const uint32_t number = ++numbers[is_root ? 0 : 1];
    if (anchor.removed || anchor.until != absl::InfiniteFuture()) continue;
    if (is_root && !root.has_value()) {
      root = i;
      stored.set_root(number);
      RETURN_IF_ERROR(CheckKeyFile(next.options.keys_folder, "root", number, anchor.certificate));
    } else if (!is_root && !issuing.has_value() && root.has_value() && anchor.root == *root) {
      issuing = i;
      stored.set_issuing(number);
      RETURN_IF_ERROR(CheckKeyFile(next.options.keys_folder, "issuing", number, anchor.certificate));
    }
  }
  if (!issuing.has_value()) {
    return absl::FailedPreconditionError("members hold a newer trust bundle that has no issuing CA in use");
  }
  *stored.mutable_bundle() = bundle.signed_bundle;
  return absl::OkStatus();
}

absl::Status Use(const RegistrarContext& next, const StoredAuthority& stored) {
  ASSIGN_OR_RETURN(
      Authority authority,
      LoadOrCreateAuthority(next.options.keys_folder, next.options.federation, next.clock.Now(), stored));
  next.authority.Set(std::move(authority));
  return absl::OkStatus();
}

// A key that another one has replaced signs nothing that members would take.
absl::Status ReplaceSigners(const RegistrarContext& next, const TrustView& seen, StoredAuthority& stored) {
  while (next.authority.Get()->directory.certificate.not_before < seen.directory_signer.since) {
    stored.set_directory(stored.directory() + 1);
    RETURN_IF_ERROR(Use(next, stored));
  }
  while (next.authority.Get()->status.certificate.not_before < seen.status_signer.since) {
    stored.set_status(stored.status() + 1);
    RETURN_IF_ERROR(Use(next, stored));
  }
  const absl::StatusOr<std::shared_ptr<const Party>> registrar = seen.Find(kRegistrarLabel);
  if (!registrar.ok()) return absl::OkStatus();
  for (const v1::ParticipantKey& key : (*registrar)->participant.keys()) {
    if (key.key_id() != next.authority.Get()->token.id() || !key.has_valid_until()) continue;
    stored.set_token(stored.token() + 1);
    *stored.mutable_token_from() = ToProto(next.clock.Now());
    return Use(next, stored);
  }
  return absl::OkStatus();
}

// The authority with what members know of it; signed anew when it changed.
absl::StatusOr<StoredAuthority> TakeAuthority(const RegistrarContext& next, const TrustView& seen,
                                              uint64_t bundle_version) {
  ASSIGN_OR_RETURN(StoredAuthority stored, LoadStoredAuthority(next.journal.store()));
  if (seen.bundle->version > bundle_version) {
    RETURN_IF_ERROR(AdoptBundle(next, *seen.bundle, stored));
    RETURN_IF_ERROR(Use(next, stored));
    ASSIGN_OR_RETURN(AuthorityChange change, AuthorityChange::Begin(next, stored));
    RETURN_IF_ERROR(change.SignBundle());
    stored = change.stored();
  }
  RETURN_IF_ERROR(ReplaceSigners(next, seen, stored));
  return stored;
}

bool EndsMembership(v1::ParticipantState state) {
  return state == v1::PARTICIPANT_STATE_SUSPENDED || state == v1::PARTICIPANT_STATE_LEFT;
}

// What is to become of the entries: taken from `seen` where that is newer.
struct Merged {
  Entries entries;                           // those that change
  std::vector<std::string> suspended;        // DIDs, all
  std::vector<std::string> suspended_again;  // those that the store did not have as suspended
};

StoredParticipant Newer(const StoredParticipant& own, const v1::Participant& held) {
  StoredParticipant entry = own;
  *entry.mutable_participant() = held;
  entry.set_enrolled(own.enrolled() || !held.keys().empty() || held.state() == v1::PARTICIPANT_STATE_ACTIVE);
  return entry;
}

// Suspended by the newer list; a suspension that only the directory shows stays, too.
bool IsSuspended(const StoredParticipant& entry, bool adopted, bool list_is_newer, const TrustView& seen) {
  const v1::ParticipantState state = entry.participant().state();
  if (state == v1::PARTICIPANT_STATE_LEFT || (adopted && EndsMembership(state))) return true;
  return list_is_newer ? seen.IsSuspended(entry.participant().did()) : entry.suspended();
}

absl::StatusOr<Merged> Merge(const store::Store& store, const TrustView& seen, bool list_is_newer) {
  ASSIGN_OR_RETURN(const Entries own, LoadEntries(store));
  Entries all = own;
  absl::btree_set<std::string> adopted;
  for (const auto& [label, party] : seen.by_label) {
    StoredParticipant& entry = all[label];
    if (party->participant.version() <= entry.participant().version()) continue;
    entry = Newer(entry, party->participant);
    adopted.insert(label);
  }
  Merged merged;
  absl::btree_set<std::string> suspended;
  if (list_is_newer) suspended.insert(seen.suspended.begin(), seen.suspended.end());
  for (auto& [label, entry] : all) {
    const bool now = IsSuspended(entry, adopted.contains(label), list_is_newer, seen);
    const auto before = own.find(label);
    const bool had = before != own.end() && before->second.suspended();
    if (now && !EndsMembership(entry.participant().state())) {
      entry.mutable_participant()->set_state(v1::PARTICIPANT_STATE_SUSPENDED);
    } else if (!now && entry.participant().state() == v1::PARTICIPANT_STATE_SUSPENDED) {
      entry.mutable_participant()->set_state(entry.enrolled() ? v1::PARTICIPANT_STATE_ACTIVE
                                                              : v1::PARTICIPANT_STATE_APPROVED);
    }
    entry.set_suspended(now);
    if (now) suspended.insert(entry.participant().did());
    if (now && !had) merged.suspended_again.push_back(entry.participant().did());
    if (adopted.contains(label) || now != had) merged.entries.emplace(label, entry);
  }
  merged.suspended.assign(suspended.begin(), suspended.end());
  return merged;
}

// Whoever has left gave its identifiers back.
v1::Participant Claiming(v1::Participant participant) {
  if (participant.state() == v1::PARTICIPANT_STATE_LEFT) participant.clear_identifiers();
  return participant;
}

absl::Status PutEntry(const RegistrarContext& next, StoredParticipant entry) {
  const store::Store& store = next.journal.store();
  v1::Participant before;
  const absl::StatusOr<StoredParticipant> known = LoadEntry(store, entry.participant().label());
  if (known.ok()) before = known->participant();
  audit::Commit commit;
  commit.version = next.journal.Version();
  RETURN_IF_ERROR(ChangeClaims(store, Claiming(before), Claiming(entry.participant()), commit));
  for (const v1::ParticipantKey& key : entry.participant().keys()) {
    commit.writes.push_back(
        store::Put(Table::kState, ClaimKey("key", key.key_id()), entry.participant().label()));
  }
  RETURN_IF_ERROR(AddEntryChange(next, entry, commit).status());
  return next.journal.SubmitAndWait(std::move(commit)).status();
}

// One takes over what another one gave back: in rounds, until nothing is left or nothing moves.
absl::Status PutEntries(const RegistrarContext& next, Entries entries) {
  while (!entries.empty()) {
    const size_t before = entries.size();
    absl::Status refused;
    for (auto entry = entries.begin(); entry != entries.end();) {
      absl::Status put = PutEntry(next, entry->second);
      if (!put.ok() && !absl::IsAlreadyExists(put)) return put;
      refused.Update(put);
      entry = put.ok() ? entries.erase(entry) : std::next(entry);
    }
    if (entries.size() == before) return refused;
  }
  return absl::OkStatus();
}

// Which federations were trusted last is on no list that members pass on. What the newest status list names,
// and this store has not, may be a revocation: so nobody of another federation is trusted from here on.
std::vector<v1::TrustedFederation> RevokeUnknown(absl::Time now, v1::FederationTrust& trust) {
  std::vector<v1::TrustedFederation> revoked;
  for (v1::TrustedFederation& one : *trust.mutable_federations()) {
    if (one.has_until()) continue;
    *one.mutable_until() = ToProto(now);
    revoked.push_back(one);
  }
  return revoked;
}

// The leaves that say so, one each.
absl::Status RecordRevoked(const RegistrarContext& next, const std::vector<v1::TrustedFederation>& revoked) {
  for (const v1::TrustedFederation& one : revoked) {
    audit::Commit commit;
    commit.record = EncodeRecord({"federation-revoked", one.federation(), crypto::Sha256(Encode(one)), "",
                                  "what was trusted last is not known after the restore"},
                                 next.clock.Now());
    RETURN_IF_ERROR(next.journal.SubmitAndWait(std::move(commit)).status());
  }
  return absl::OkStatus();
}

absl::Status Begin(const RegistrarContext& next, const StoredAuthority& authority, const Merged& merged,
                   const ListVersions& highest, v1::FederationTrust trust,
                   const audit::v1::EpochRecord& record) {
  const store::Store& store = next.journal.store();
  const absl::Time now = next.clock.Now();
  ASSIGN_OR_RETURN(v1::StatusList list, LoadStatus(store));
  list.set_version(highest.status + kVersionsAbove);
  list.mutable_suspended()->Assign(merged.suspended.begin(), merged.suspended.end());
  if (highest.federation_trust != 0)
    list.set_federation_trust_version(highest.federation_trust + kVersionsAbove);
  ASSIGN_OR_RETURN(v1::Roster roster, LoadRoster(store));
  roster.set_version(roster.version() + kVersionsAbove);
  ASSIGN_OR_RETURN(v1::Directory head, LoadHead(store));
  head.set_version(highest.directory + kVersionsAbove);
  head.set_federation(next.options.federation);
  *head.mutable_issued_at() = ToProto(now);
  ASSIGN_OR_RETURN(const audit::LogEpoch epoch, audit::ParseEpochOrigin(next.journal.origin()));
  internal::v1::StoredEpoch stored_epoch;
  stored_epoch.set_epoch(epoch.epoch);

  audit::Commit commit;
  commit.version = next.journal.Version();
  commit.writes = {store::Put(Table::kState, StatusKey(), Encode(list)),
                   store::Put(Table::kState, HeadKey(), Encode(head)),
                   store::Put(Table::kState, AuthorityKey(), Encode(authority)),
                   store::Put(Table::kState, EpochKey(), Encode(stored_epoch)),
                   store::Put(Table::kState, RosterKey(), Encode(roster))};
  if (highest.federation_trust != 0) {
    trust.set_version(highest.federation_trust + kVersionsAbove);
    trust.set_federation(next.options.federation);
    *trust.mutable_issued_at() = ToProto(now);
    commit.writes.push_back(store::Put(Table::kState, FederationTrustKey(), Encode(trust)));
  }
  audit::v1::Record leaf;
  *leaf.mutable_time() = ToProto(now);
  *leaf.mutable_epoch() = record;
  commit.record = Encode(leaf);
  return next.journal.SubmitAndWait(std::move(commit)).status();
}

}  // namespace

absl::StatusOr<ListVersions> LoadVersions(const store::Store& store) {
  ASSIGN_OR_RETURN(const v1::StatusList status, LoadStatus(store));
  ASSIGN_OR_RETURN(const v1::Directory head, LoadHead(store));
  ASSIGN_OR_RETURN(const StoredAuthority authority, LoadStoredAuthority(store));
  v1::TrustBundle bundle;
  RETURN_IF_ERROR(Decode(authority.bundle().bundle(), "stored trust bundle", bundle));
  ASSIGN_OR_RETURN(const v1::FederationTrust trust, LoadFederationTrust(store));
  return ListVersions{status.version(), head.version(), bundle.version(), trust.version()};
}

absl::StatusOr<uint64_t> LoadEpoch(const store::Store& store) {
  const absl::StatusOr<std::string> bytes = store.Get(Table::kState, EpochKey());
  if (absl::IsNotFound(bytes.status())) return 1;
  RETURN_IF_ERROR(bytes.status());
  internal::v1::StoredEpoch epoch;
  RETURN_IF_ERROR(Decode(*bytes, "stored epoch", epoch));
  return epoch.epoch();
}

std::string RegistrarOrigin(absl::string_view federation, uint64_t epoch) {
  return audit::EpochOrigin(LogOrigin(kRegistrarLabel, kRegistrarLabel, federation), epoch);
}

absl::Status CopyKept(const store::Store& store, store::Store& next) {
  RETURN_IF_ERROR(CopyTable(store, Table::kState, next));
  return CopyTable(store, Table::kPerson, next);
}

absl::StatusOr<audit::v1::EpochRecord> TakeOver(const RegistrarContext& next, const TrustView& seen,
                                                audit::v1::EpochRecord record) {
  const store::Store& store = next.journal.store();
  ASSIGN_OR_RETURN(const ListVersions own, LoadVersions(store));
  ASSIGN_OR_RETURN(const StoredAuthority authority, TakeAuthority(next, seen, own.bundle));
  ASSIGN_OR_RETURN(Merged merged, Merge(store, seen, seen.status_version > own.status));
  const ListVersions highest = {std::max(own.status, seen.status_version),
                                std::max(own.directory, seen.directory_version), 0,
                                std::max(own.federation_trust, seen.federations_required)};
  ASSIGN_OR_RETURN(v1::FederationTrust trust, LoadFederationTrust(store));
  std::vector<v1::TrustedFederation> revoked;
  if (seen.federations_required > own.federation_trust) revoked = RevokeUnknown(next.clock.Now(), trust);
  record.set_status_version(own.status);
  record.set_seen_status_version(highest.status);
  record.set_directory_version(own.directory);
  record.set_seen_directory_version(highest.directory);
  record.mutable_suspended_again()->Assign(merged.suspended_again.begin(), merged.suspended_again.end());
  RETURN_IF_ERROR(Begin(next, authority, merged, highest, std::move(trust), record));
  RETURN_IF_ERROR(RecordRevoked(next, revoked));
  RETURN_IF_ERROR(PutEntries(next, std::move(merged.entries)));
  return record;
}

}  // namespace tsunagi::identity
