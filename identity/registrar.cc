#include "identity/registrar.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/did.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/checks.h"
#include "identity/entries.h"
#include "identity/invitations.h"
#include "identity/public_documents.h"

namespace tsunagi::identity {
namespace {

using store::Table;

constexpr absl::Duration kOperatorInvitation = absl::Hours(30 * 24);

void AddKeyOnce(const crypto::PublicKey& key, v1::KeyPurpose purpose, const std::string& origin,
                absl::Time now, v1::Participant& participant) {
  for (const v1::ParticipantKey& listed : participant.keys()) {
    if (listed.key_id() == key.id()) return;
  }
  v1::ParticipantKey& added = *participant.add_keys();
  added.set_key_id(key.id());
  added.set_purpose(purpose);
  added.set_algorithm(key.algorithm());
  added.set_public_key(key.der());
  added.set_log_origin(origin);
  *added.mutable_valid_from() = ToProto(now);
}

// The registrar's entry with what this start has: its keys and its address.
v1::Participant Itself(v1::Participant participant, const std::string& address,
                       const RegistrarContext& context) {
  const std::shared_ptr<const Authority> authority = context.authority.Get();
  const absl::Time now = context.clock.Now();
  const std::string& federation = context.options.federation;
  participant.set_label(std::string(kRegistrarLabel));
  if (participant.did().empty()) {
    participant.set_did(HostedDid(context.options.did_host, kRegistrarLabel));
    participant.set_name_latin(absl::StrCat("Registrar of ", federation));
    participant.set_name_ja("登録機関");
    participant.add_roles(std::string(kRegistrarRole));
  }
  participant.set_state(v1::PARTICIPANT_STATE_ACTIVE);
  AddKeyOnce(authority->token.public_key(), v1::KEY_PURPOSE_SIGNING, "", now, participant);
  AddKeyOnce(authority->approval.public_key(), v1::KEY_PURPOSE_SIGNING, "", now, participant);
  AddKeyOnce(authority->credential.public_key(), v1::KEY_PURPOSE_SIGNING, "", now, participant);
  AddKeyOnce(authority->log.public_key(), v1::KEY_PURPOSE_LOG,
             LogOrigin(kRegistrarLabel, kRegistrarLabel, federation), now, participant);
  AddKeyOnce(authority->witness.public_key(), v1::KEY_PURPOSE_LOG, WitnessName(federation), now, participant);
  if (address.empty()) return participant;
  participant.clear_endpoints();
  v1::Endpoint& endpoint = *participant.add_endpoints();
  endpoint.set_process(std::string(kRegistrarLabel));
  endpoint.set_address(address);
  return participant;
}

}  // namespace

Registrar::Registrar(RegistrarContext context)
    : context_(std::move(context)),
      trust_(context_.authority.Get()->root.certificate, context_.options.federation, context_.clock),
      lists_(context_, trust_),
      membership_(context_, lists_),
      keys_(context_, lists_),
      enrolment_(context_, trust_),
      tokens_(context_, trust_),
      credentials_(context_),
      cosigning_(context_),
      amendments_(context_),
      mandates_(context_, lists_),
      anchors_(context_, trust_, lists_),
      federations_(context_, lists_) {}

absl::StatusOr<std::unique_ptr<Registrar>> Registrar::Open(RegistrarContext context, const HeldLists& held) {
  RETURN_IF_ERROR(CheckFederation(context.options.federation));
  RETURN_IF_ERROR(Did::Parse(HostedDid(context.options.did_host, kRegistrarLabel)).status());
  std::unique_ptr<Registrar> registrar(new Registrar(std::move(context)));
  RETURN_IF_ERROR(registrar->anchors_.Open());
  if (!registrar->context_.journal.Health().ok()) {
    RETURN_IF_ERROR(registrar->OpenClosed(held));
    return registrar;
  }
  RETURN_IF_ERROR(registrar->ListItself(""));
  RETURN_IF_ERROR(registrar->Refresh());
  return registrar;
}

absl::Status Registrar::OpenClosed(const HeldLists& held) {
  if (!held.bundle.bundle().empty()) RETURN_IF_ERROR(trust_.AcceptBundle(held.bundle));
  if (held.directory.has_directory()) RETURN_IF_ERROR(trust_.AcceptDirectory(held.directory));
  if (held.status_list.has_status_list()) RETURN_IF_ERROR(trust_.AcceptStatusList(held.status_list));
  return lists_.ShowToItself();
}

absl::Status Registrar::Announce(const std::string& address) {
  RETURN_IF_ERROR(CheckAddress(address));
  RETURN_IF_ERROR(ListItself(address));
  return Refresh();
}

absl::Status Registrar::ListItself(const std::string& address) {
  return WaitFor<v1::Participant>([&](Done<v1::Participant> done) {
           Act<v1::Participant>(
               context_.journal, [this, address] { return DecideItself(address); }, std::move(done));
         })
      .status();
}

absl::StatusOr<Decision<v1::Participant>> Registrar::DecideItself(const std::string& address) const {
  absl::StatusOr<StoredParticipant> entry = LoadEntry(context_.journal.store(), kRegistrarLabel);
  if (absl::IsNotFound(entry.status())) entry = StoredParticipant();
  RETURN_IF_ERROR(entry.status());
  v1::Participant itself = Itself(entry->participant(), address, context_);
  Decision<v1::Participant> decision;
  if (Encode(itself) == Encode(entry->participant())) return decision;

  const bool first = entry->participant().version() == 0;
  *entry->mutable_participant() = std::move(itself);
  entry->set_enrolled(true);
  audit::Commit commit;
  ASSIGN_OR_RETURN(const EntryChange change, AddEntryChange(context_, *entry, commit));
  const v1::Participant& listed = entry->participant();
  const std::string claim = ClaimKey("did", listed.did());
  commit.writes.push_back(store::Put(Table::kState, claim, listed.label()));
  commit.record = EncodeRecord({first ? "registered" : "keys-listed", listed.did(), change.digest, ""},
                               context_.clock.Now());
  decision.reply = listed;
  decision.commit = std::move(commit);
  return decision;
}

absl::Status Registrar::Refresh() {
  RETURN_IF_ERROR(
      WaitFor<SignedLists::Directory>([this](auto done) { lists_.GetDirectory(std::move(done)); }).status());
  RETURN_IF_ERROR(WaitFor<SignedLists::FederationTrust>([this](auto done) {
                    lists_.GetFederationTrust(std::move(done));
                  }).status());
  return WaitFor<SignedLists::StatusList>([this](auto done) { lists_.GetStatusList(std::move(done)); })
      .status();
}

absl::Status Registrar::WriteOperatorInvitation(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) return absl::OkStatus();
  const std::string code = NewInvitationCode(context_.random);
  ASSIGN_OR_RETURN(const StoredParticipant entry, LoadEntry(context_.journal.store(), kRegistrarLabel));
  const absl::Time now = context_.clock.Now();
  StoredInvitation invitation;
  invitation.set_label(std::string(kRegistrarLabel));
  invitation.add_processes(std::string(kOperatorProcess));
  *invitation.mutable_expire_time() = ToProto(now + kOperatorInvitation);
  audit::Commit commit;
  commit.writes = {store::Put(Table::kState, InvitationKey(code), Encode(invitation))};
  commit.record = EncodeRecord({"invited", entry.participant().did(), "", ""}, now);
  RETURN_IF_ERROR(context_.journal.SubmitAndWait(std::move(commit)).status());
  return WriteFileAtomically(path, code + "\n", 0600);
}

}  // namespace tsunagi::identity
