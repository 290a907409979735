#include "identity/signed_lists.h"

#include <utility>

#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "core/crypto/envelope.h"
#include "identity/entries.h"
#include "identity/public_documents.h"

namespace tsunagi::identity {
namespace {

using store::Table;

// Head and entries in one scan, which sees one instant. Entries that another key signed, before it was
// rotated, are signed anew and kept with `commit`.
absl::StatusOr<v1::Directory> ReadDirectory(const store::Store& store, const crypto::PrivateKey& signer,
                                            audit::Commit& commit) {
  v1::Directory directory;
  absl::Status broken;
  const std::string head = HeadKey();
  RETURN_IF_ERROR(
      store.Scan(Table::kState, DirectoryPrefix(), "", [&](absl::string_view key, absl::string_view value) {
        if (key == head) {
          broken = Decode(value, "directory head", directory);
          return broken.ok();
        }
        StoredParticipant entry;
        broken = Decode(value, "stored participant", entry);
        if (broken.ok() && entry.signed_entry().key_id() != signer.id()) {
          *entry.mutable_signed_entry() =
              crypto::Sign(signer, kParticipantPayload, entry.signed_entry().payload());
          commit.reads.emplace_back(key);
          commit.writes.push_back(store::Put(Table::kState, std::string(key), Encode(entry)));
        }
        *directory.add_entries() = std::move(*entry.mutable_signed_entry());
        return broken.ok();
      }));
  RETURN_IF_ERROR(broken);
  return directory;
}

// Those who may act, in order of label.
absl::Status AddMembers(const store::Store& store, v1::Roster& roster) {
  absl::Status broken;
  RETURN_IF_ERROR(
      store.Scan(Table::kState, EntryPrefix(), "", [&](absl::string_view, absl::string_view value) {
        StoredParticipant entry;
        broken = Decode(value, "stored participant", entry);
        const v1::Participant& participant = entry.participant();
        if (!broken.ok() || participant.label() == kRegistrarLabel || !CheckActs(entry).ok())
          return broken.ok();
        v1::RosterMember& member = *roster.add_members();
        member.set_label(participant.label());
        member.set_did(participant.did());
        *member.mutable_roles() = participant.roles();
        return true;
      }));
  return broken;
}

}  // namespace

SignedLists::SignedLists(const RegistrarContext& context, TrustStore& trust)
    : context_(context),
      trust_(trust),
      directory_(Making<v1::SignedDirectory>(
          &SignedLists::SignDirectory,
          [this](const v1::SignedDirectory& directory) { return trust_.AcceptDirectory(directory); })),
      status_list_([this](std::function<void(absl::StatusOr<Issued<v1::SignedStatusList>>)> made) {
        Act<Issued<v1::SignedStatusList>>(
            context_.journal, [this] { return SignStatusList(); },
            [this, made = std::move(made)](absl::StatusOr<Issued<v1::SignedStatusList>> issued) {
              const std::shared_ptr<const TrustView> before = trust_.View();
              absl::Status accepted = issued.ok() ? trust_.AcceptStatusList(*issued->value) : issued.status();
              const std::shared_ptr<const TrustView> now = trust_.View();
              const bool changed = now->suspended != before->suspended ||
                                   now->federations_required != before->federations_required;
              accepted.ok() ? made(std::move(issued)) : made(std::move(accepted));
              if (changed) TellChange();
            });
      }),
      federation_trust_(Making<v1::SignedFederationTrust>(
          &SignedLists::SignFederationTrust,
          [this](const v1::SignedFederationTrust& list) { return trust_.AcceptFederationTrust(list); })),
      roster_(Making<v1::SignedRoster>(&SignedLists::SignRoster,
                                       [](const v1::SignedRoster&) { return absl::OkStatus(); })) {}

template <class Signed>
typename SignedCache<Signed>::Make SignedLists::Making(
    absl::StatusOr<Decision<Issued<Signed>>> (SignedLists::*sign)() const,
    std::function<absl::Status(const Signed&)> accept) {
  return [this, sign, accept = std::move(accept)](std::function<void(absl::StatusOr<Issued<Signed>>)> made) {
    Act<Issued<Signed>>(
        context_.journal, [this, sign] { return (this->*sign)(); },
        [accept, made = std::move(made)](absl::StatusOr<Issued<Signed>> issued) {
          absl::Status accepted = issued.ok() ? accept(*issued->value) : issued.status();
          accepted.ok() ? made(std::move(issued)) : made(std::move(accepted));
        });
  };
}

// A registrar that may write nothing hands nothing on either: what it signed before may be of an older copy.
void SignedLists::GetDirectory(Done<Directory> done) {
  if (absl::Status health = context_.journal.Health(); !health.ok()) return done(std::move(health));
  const absl::StatusOr<v1::Directory> head = LoadHead(context_.journal.store());
  if (!head.ok()) return done(head.status());
  directory_.Get(head->version(), absl::InfinitePast(), std::move(done));
}

void SignedLists::GetStatusList(Done<StatusList> done) {
  if (absl::Status health = context_.journal.Health(); !health.ok()) return done(std::move(health));
  const absl::StatusOr<v1::StatusList> stored = LoadStatus(context_.journal.store());
  if (!stored.ok()) return done(stored.status());
  status_list_.Get(stored->version(), context_.clock.Now() - kStatusFresh, std::move(done));
}

void SignedLists::GetFederationTrust(Done<FederationTrust> done) {
  const absl::StatusOr<v1::FederationTrust> stored = LoadFederationTrust(context_.journal.store());
  if (!stored.ok()) return done(stored.status());
  if (stored->version() == 0) return done(FederationTrust());
  federation_trust_.Get(stored->version(), absl::InfinitePast(), std::move(done));
}

void SignedLists::GetRoster(Done<Roster> done) {
  roster_.Get(0, context_.clock.Now() - kStatusFresh, std::move(done));
}

// Signed in memory, since a view takes nothing else; without their leaves nobody else gets them.
absl::Status SignedLists::ShowToItself() {
  if (trust_.View()->directory_version == 0) {
    ASSIGN_OR_RETURN(const auto directory, SignDirectory());
    RETURN_IF_ERROR(trust_.AcceptDirectory(*directory.reply.value));
  }
  if (trust_.View()->status_version != 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto status_list, SignStatusList());
  return trust_.AcceptStatusList(*status_list.reply.value);
}

void SignedLists::OnStatusChange(std::function<void()> changed) {
  MutexLock lock(mutex_);
  changed_ = std::move(changed);
}

void SignedLists::TellChange() {
  MutexLock lock(mutex_);
  if (changed_) changed_();
}

absl::StatusOr<Decision<Issued<v1::SignedDirectory>>> SignedLists::SignDirectory() const {
  const std::shared_ptr<const Authority> authority = context_.authority.Get();
  const CertifiedKey& signer = authority->directory;
  audit::Commit commit;
  ASSIGN_OR_RETURN(const v1::Directory directory,
                   ReadDirectory(context_.journal.store(), signer.key, commit));
  ASSIGN_OR_RETURN(const absl::Time issued_at, FromProto(directory.issued_at()));
  auto signed_directory = std::make_shared<v1::SignedDirectory>();
  *signed_directory->mutable_directory() = crypto::Sign(signer.key, kDirectoryPayload, Encode(directory));
  signed_directory->add_chain(signer.certificate.der);

  commit.record =
      EncodeRecord({"directory-signed", "", crypto::Sha256(Encode(signed_directory->directory())), ""},
                   context_.clock.Now());
  return Decision<Issued<v1::SignedDirectory>>{{signed_directory, directory.version(), issued_at},
                                               std::move(commit)};
}

absl::StatusOr<Decision<Issued<v1::SignedFederationTrust>>> SignedLists::SignFederationTrust() const {
  ASSIGN_OR_RETURN(const v1::FederationTrust trust, LoadFederationTrust(context_.journal.store()));
  ASSIGN_OR_RETURN(const absl::Time issued_at, FromProto(trust.issued_at()));
  auto signed_trust = std::make_shared<v1::SignedFederationTrust>();
  const std::shared_ptr<const Authority> authority = context_.authority.Get();
  *signed_trust->mutable_trust() =
      crypto::Sign(authority->directory.key, kFederationTrustPayload, Encode(trust));
  signed_trust->add_chain(authority->directory.certificate.der);

  audit::Commit commit;
  commit.reads = {FederationTrustKey()};
  commit.record =
      EncodeRecord({"federation-trust-signed", "", crypto::Sha256(Encode(signed_trust->trust())), ""},
                   context_.clock.Now());
  return Decision<Issued<v1::SignedFederationTrust>>{{signed_trust, trust.version(), issued_at},
                                                     std::move(commit)};
}

absl::StatusOr<Decision<Issued<v1::SignedRoster>>> SignedLists::SignRoster() const {
  const absl::Time now = context_.clock.Now();
  ASSIGN_OR_RETURN(v1::Roster last, LoadRoster(context_.journal.store()));
  last.set_version(last.version() + 1);
  v1::Roster roster = last;
  roster.set_federation(context_.options.federation);
  *roster.mutable_issued_at() = ToProto(now);
  ASSIGN_OR_RETURN(const std::vector<v1::ParticipantKey> keys, TokenKeys(context_));
  *roster.mutable_token_keys() = {keys.begin(), keys.end()};
  RETURN_IF_ERROR(AddMembers(context_.journal.store(), roster));
  auto signed_roster = std::make_shared<v1::SignedRoster>();
  const std::shared_ptr<const Authority> authority = context_.authority.Get();
  *signed_roster->mutable_roster() = crypto::Sign(authority->directory.key, kRosterPayload, Encode(roster));
  signed_roster->add_chain(authority->directory.certificate.der);

  audit::Commit commit;
  commit.reads = {RosterKey()};
  commit.writes = {store::Put(Table::kState, RosterKey(), Encode(last))};
  commit.record =
      EncodeRecord({"roster-signed", "", crypto::Sha256(Encode(signed_roster->roster())), ""}, now);
  return Decision<Issued<v1::SignedRoster>>{{signed_roster, roster.version(), now}, std::move(commit)};
}

absl::StatusOr<Decision<Issued<v1::SignedStatusList>>> SignedLists::SignStatusList() const {
  ASSIGN_OR_RETURN(v1::StatusList list, LoadStatus(context_.journal.store()));
  const absl::Time now = context_.clock.Now();
  list.set_version(list.version() + 1);
  list.set_federation(context_.options.federation);
  *list.mutable_issued_at() = ToProto(now);
  auto signed_list = std::make_shared<v1::SignedStatusList>();
  const std::shared_ptr<const Authority> authority = context_.authority.Get();
  const CertifiedKey& signer = authority->status;
  *signed_list->mutable_status_list() = crypto::Sign(signer.key, kStatusListPayload, Encode(list));
  signed_list->add_chain(signer.certificate.der);

  audit::Commit commit;
  commit.reads = {StatusKey()};
  commit.writes = {store::Put(Table::kState, StatusKey(), Encode(list))};
  commit.record =
      EncodeRecord({"status-signed", "", crypto::Sha256(Encode(signed_list->status_list())), ""}, now);
  return Decision<Issued<v1::SignedStatusList>>{{signed_list, list.version(), now}, std::move(commit)};
}

}  // namespace tsunagi::identity
