// The registrar's entries at rest: where they lie, how they change.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/audit/journal.h"
#include "core/store/store.h"
#include "identity/context.h"
#include "tsunagi/identity/v1/directory.pb.h"
#include "tsunagi/identity/v1/federation_trust.pb.h"
#include "tsunagi/internal/v1/storage.pb.h"

namespace tsunagi::identity {

using internal::v1::StoredParticipant;

// Every entry starts with this key, in order of label; the head sorts before them, so that one scan from
// DirectoryPrefix sees a consistent directory.
std::string DirectoryPrefix();
std::string EntryPrefix();
std::string HeadKey();
std::string EntryKey(absl::string_view label);
// Who has a DID, an identifier, a key: each of one participant only; and a namespace, which may be of
// several. `kind` is `did`, `identifier`, `key` or `namespace`.
std::string ClaimKey(absl::string_view kind, absl::string_view value);
std::string StatusKey();
std::string FederationTrustKey();
std::string RosterKey();
std::string AuthorityKey();

// OK for a participant that may have invitations, certificates and tokens. PERMISSION_DENIED when it is
// suspended or has left.
absl::Status CheckActs(const StoredParticipant& entry);
// NOT_FOUND naming the participant when there is none.
absl::StatusOr<StoredParticipant> LoadEntry(const store::Store& store, absl::string_view label);
absl::StatusOr<StoredParticipant> FindEntry(const store::Store& store, absl::string_view did_or_label);
// A participant that may have certificates, tokens and credentials. PERMISSION_DENIED when it is not
// registered, is suspended or has left.
absl::StatusOr<StoredParticipant> ActiveEntry(const store::Store& store, absl::string_view label);

// Version and time of the directory, without entries; version 0 before the first entry.
absl::StatusOr<v1::Directory> LoadHead(const store::Store& store);
// The status list as of the last signing or change; version 0 before the first.
absl::StatusOr<v1::StatusList> LoadStatus(const store::Store& store);

// The federations that are trusted; version 0 before the first.
absl::StatusOr<v1::FederationTrust> LoadFederationTrust(const store::Store& store);
// Version of the last roster that was signed, without members; 0 before the first.
absl::StatusOr<v1::Roster> LoadRoster(const store::Store& store);

// The authority as of the last change; without a bundle before the first one.
absl::StatusOr<internal::v1::StoredAuthority> LoadStoredAuthority(const store::Store& store);

// Adds a next version of the directory to `commit`, with the entries as they are. That version.
absl::StatusOr<uint64_t> AddNextVersion(const RegistrarContext& context, audit::Commit& commit);

// The version of the directory after the next change.
struct EntryChange {
  std::string digest;  // SHA-256 of the serialised signed entry
  uint64_t directory_version = 0;
};

// Adds a changed entry to `commit`: signs it with its next version, raises the directory's, and reads both.
absl::StatusOr<EntryChange> AddEntryChange(const RegistrarContext& context, StoredParticipant& entry,
                                           audit::Commit& commit);

// Adds to `commit` that `did` stands, or no more stands, in the status list. The version that says so.
absl::StatusOr<uint64_t> AddStatusChange(const store::Store& store, absl::string_view did, bool suspended,
                                         audit::Commit& commit);

// Adds to `commit` the next version of the federation trust, and that the status list names it. That version.
absl::StatusOr<uint64_t> AddFederationTrust(const RegistrarContext& context, v1::FederationTrust trust,
                                            audit::Commit& commit);

}  // namespace tsunagi::identity
