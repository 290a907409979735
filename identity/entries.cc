#include "identity/entries.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/envelope.h"
#include "core/store/key.h"
#include "identity/trust.h"

namespace tsunagi::identity {
namespace {

using store::Key;
using store::Table;

template <class Message>
absl::StatusOr<Message> LoadOrEmpty(const store::Store& store, const std::string& key,
                                    absl::string_view what) {
  Message message;
  const absl::StatusOr<std::string> bytes = store.Get(Table::kState, key);
  if (absl::IsNotFound(bytes.status())) return message;
  RETURN_IF_ERROR(bytes.status());
  RETURN_IF_ERROR(Decode(*bytes, what, message));
  return message;
}

}  // namespace

std::string DirectoryPrefix() { return Key("directory"); }
std::string EntryPrefix() { return Key("directory").Str("entry"); }
// An empty string sorts before every other.
std::string HeadKey() { return Key("directory").Str(""); }
std::string EntryKey(absl::string_view label) { return Key("directory").Str("entry").Str(label); }
std::string ClaimKey(absl::string_view kind, absl::string_view value) {
  return Key("claim").Str(kind).Str(value);
}
std::string StatusKey() { return Key("status-list"); }
std::string FederationTrustKey() { return Key("federation-trust"); }
std::string RosterKey() { return Key("roster"); }
std::string AuthorityKey() { return Key("authority"); }

absl::StatusOr<StoredParticipant> LoadEntry(const store::Store& store, absl::string_view label) {
  const absl::StatusOr<std::string> bytes = store.Get(Table::kState, EntryKey(label));
  if (absl::IsNotFound(bytes.status())) {
    return absl::NotFoundError(
        absl::StrCat("participant `", label, "` is not registered: `tsunagi participant list` shows who is"));
  }
  RETURN_IF_ERROR(bytes.status());
  StoredParticipant entry;
  RETURN_IF_ERROR(Decode(*bytes, "stored participant", entry));
  return entry;
}

absl::StatusOr<StoredParticipant> FindEntry(const store::Store& store, absl::string_view did_or_label) {
  const absl::StatusOr<std::string> label = store.Get(Table::kState, ClaimKey("did", did_or_label));
  if (absl::IsNotFound(label.status())) return LoadEntry(store, did_or_label);
  RETURN_IF_ERROR(label.status());
  return LoadEntry(store, *label);
}

absl::Status CheckActs(const StoredParticipant& entry) {
  if (!entry.suspended()) return absl::OkStatus();
  const bool left = entry.participant().state() == v1::PARTICIPANT_STATE_LEFT;
  return absl::PermissionDeniedError(left ? "participant has left the federation"
                                          : "participant is suspended");
}

absl::StatusOr<StoredParticipant> ActiveEntry(const store::Store& store, absl::string_view label) {
  absl::StatusOr<StoredParticipant> entry = LoadEntry(store, label);
  if (absl::IsNotFound(entry.status())) return absl::PermissionDeniedError("participant is not registered");
  if (entry.ok()) RETURN_IF_ERROR(CheckActs(*entry));
  return entry;
}

absl::StatusOr<v1::Directory> LoadHead(const store::Store& store) {
  return LoadOrEmpty<v1::Directory>(store, HeadKey(), "directory head");
}

absl::StatusOr<v1::StatusList> LoadStatus(const store::Store& store) {
  return LoadOrEmpty<v1::StatusList>(store, StatusKey(), "status list");
}

absl::StatusOr<v1::FederationTrust> LoadFederationTrust(const store::Store& store) {
  return LoadOrEmpty<v1::FederationTrust>(store, FederationTrustKey(), "federation trust");
}

absl::StatusOr<v1::Roster> LoadRoster(const store::Store& store) {
  return LoadOrEmpty<v1::Roster>(store, RosterKey(), "roster");
}

absl::StatusOr<internal::v1::StoredAuthority> LoadStoredAuthority(const store::Store& store) {
  return LoadOrEmpty<internal::v1::StoredAuthority>(store, AuthorityKey(), "stored authority");
}

absl::StatusOr<uint64_t> AddNextVersion(const RegistrarContext& context, audit::Commit& commit) {
  ASSIGN_OR_RETURN(v1::Directory head, LoadHead(context.journal.store()));
  head.set_version(head.version() + 1);
  head.set_federation(context.options.federation);
  *head.mutable_issued_at() = ToProto(context.clock.Now());
  commit.reads.push_back(HeadKey());
  commit.writes.push_back(store::Put(Table::kState, HeadKey(), Encode(head)));
  return head.version();
}

absl::StatusOr<EntryChange> AddEntryChange(const RegistrarContext& context, StoredParticipant& entry,
                                           audit::Commit& commit) {
  ASSIGN_OR_RETURN(const uint64_t directory_version, AddNextVersion(context, commit));
  v1::Participant& participant = *entry.mutable_participant();
  participant.set_version(participant.version() + 1);
  *entry.mutable_signed_entry() =
      crypto::Sign(context.authority.Get()->directory.key, kParticipantPayload, Encode(participant));

  const std::string entry_key = EntryKey(participant.label());
  commit.reads.push_back(entry_key);
  commit.writes.push_back(store::Put(Table::kState, entry_key, Encode(entry)));
  return EntryChange{crypto::Sha256(Encode(entry.signed_entry())), directory_version};
}

absl::StatusOr<uint64_t> AddStatusChange(const store::Store& store, absl::string_view did, bool suspended,
                                         audit::Commit& commit) {
  ASSIGN_OR_RETURN(v1::StatusList list, LoadStatus(store));
  auto& dids = *list.mutable_suspended();
  dids.erase(std::remove(dids.begin(), dids.end(), did), dids.end());
  if (suspended) dids.Add(std::string(did));
  list.set_version(list.version() + 1);
  commit.reads.push_back(StatusKey());
  commit.writes.push_back(store::Put(Table::kState, StatusKey(), Encode(list)));
  return list.version();
}

absl::StatusOr<uint64_t> AddFederationTrust(const RegistrarContext& context, v1::FederationTrust trust,
                                            audit::Commit& commit) {
  trust.set_version(trust.version() + 1);
  trust.set_federation(context.options.federation);
  *trust.mutable_issued_at() = ToProto(context.clock.Now());
  ASSIGN_OR_RETURN(v1::StatusList list, LoadStatus(context.journal.store()));
  list.set_federation_trust_version(trust.version());
  list.set_version(list.version() + 1);
  for (const std::string& key : {FederationTrustKey(), StatusKey()}) commit.reads.push_back(key);
  commit.writes.push_back(store::Put(Table::kState, FederationTrustKey(), Encode(trust)));
  commit.writes.push_back(store::Put(Table::kState, StatusKey(), Encode(list)));
  return trust.version();
}

}  // namespace tsunagi::identity
