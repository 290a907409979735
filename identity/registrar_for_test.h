// A registrar in memory, with a clock that the test moves.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/proto.h"
#include "core/crypto/envelope.h"
#include "identity/entries.h"
#include "identity/registrar.h"
#include "identity/restore.h"
#include "tests/support/caller.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/temp_dir.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::identity {

inline constexpr char kFederation[] = "battery.example";

// One authority for all tests of a program, made at the first one's time: writing its files takes longer than
// a test.
inline const Authority& AuthorityForTest(absl::Time now) {
  static const Authority authority =
      LoadOrCreateAuthority(testing::TempDir().path(), kFederation, now).value();
  return authority;
}

struct RegistrarForTest {
  explicit RegistrarForTest(absl::Time start = absl::FromUnixSeconds(1795219200))
      : RegistrarForTest(start, AuthorityForTest(start)) {}
  // With the authority whose files lie in `keys`: so its keys can be rotated.
  RegistrarForTest(absl::Time start, const Authority& first, std::string keys = "")
      : clock(start),
        keys_folder(std::move(keys)),
        authority(first),
        in_use(first),
        store(store::NewMemoryStore()) {
    Restart();
  }

  // A new journal and registrar over the same store.
  void Restart(uint64_t epoch = 1) {
    journal.reset();
    registrar.reset();
    if (!keys_folder.empty()) {
      in_use.Set(
          LoadOrCreateAuthority(keys_folder, kFederation, clock.Now(), LoadStoredAuthority(*store).value())
              .value());
    }
    journal =
        audit::Journal::Open(*store, RegistrarOrigin(kFederation, epoch), authority.log, random).value();
    options.keys_folder = keys_folder;
    registrar = Registrar::Open({*journal, in_use, clock, random, options}).value();
  }

  static std::string DidOf(absl::string_view label) {
    return absl::StrCat("did:web:did.example:participants:", label);
  }
  static Caller CallerOf(const std::string& label, const std::string& process = "node") {
    return CallerForTest::Make(DidOf(label), label, process);
  }
  static Caller Operator() { return CallerOf("registrar", "operator"); }

  static v1::Participant Named(const std::string& label) {
    v1::Participant participant;
    participant.set_label(label);
    participant.set_name_latin(label);
    return participant;
  }

  v1::ApplyRequest Application(const v1::Participant& participant, bool approve) {
    v1::ApplyRequest request;
    request.set_request_id(NewUuid(random));
    request.set_approve(approve);
    *request.mutable_participant() = participant;
    return request;
  }
  absl::StatusOr<v1::ApplyResponse> Apply(const v1::ApplyRequest& request, const Caller& by = Operator()) {
    return WaitFor<v1::ApplyResponse>(
        [&](auto done) { registrar->membership().Apply(by, request, std::move(done)); });
  }
  // Applies and approves in one.
  absl::StatusOr<v1::ApplyResponse> TryRegister(const v1::Participant& participant) {
    return Apply(Application(participant, /*approve=*/true));
  }
  void Register(const std::string& label) { (void)TryRegister(Named(label)).value(); }

  absl::StatusOr<v1::CreateInvitationResponse> TryInvite(const v1::CreateInvitationRequest& request) {
    return WaitFor<v1::CreateInvitationResponse>(
        [&](auto done) { registrar->enrolment().CreateInvitation(Operator(), request, std::move(done)); });
  }
  std::string Invite(const std::string& label, const std::vector<std::string>& processes = {"node"}) {
    v1::CreateInvitationRequest request;
    request.set_request_id(NewUuid(random));
    request.set_label(label);
    for (const std::string& process : processes) request.add_processes(process);
    return TryInvite(request)->code();
  }

  static std::string RequestFor(const crypto::PrivateKey& key, absl::string_view label,
                                absl::string_view process) {
    return crypto::MakeCertificateRequest(key, label, {ProcessUri(process, label, kFederation)},
                                          {ProcessDnsName(process, label, kFederation)})
        .value();
  }
  absl::StatusOr<crypto::Certificate> Enrol(const std::string& label, const std::string& code,
                                            const std::string& request_der) {
    return WaitFor<crypto::Certificate>([&](auto done) {
      registrar->enrolment().Enrol({label, code, request_der, "192.0.2.1"}, std::move(done));
    });
  }
  // An operator of the registrar with a certificate of its own that names this person.
  Caller OperatorNamed(const std::string& person) {
    v1::CreateInvitationRequest request;
    request.set_request_id(NewUuid(random));
    request.set_label("registrar");
    request.add_processes("operator");
    request.set_person(person);
    const crypto::PrivateKey key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
    const crypto::Certificate certificate =
        Enrol("registrar", TryInvite(request)->code(), RequestFor(key, "registrar", "operator")).value();
    return CallerForTest::WithCertificate(Operator(), certificate.sha256);
  }
  // Enrols the node of a participant with an invitation of its own; the directory says so.
  void EnrolNode(const std::string& label) {
    const crypto::PrivateKey key = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
    ASSERT_TRUE(Enrol(label, Invite(label), RequestFor(key, label, "node")).ok());
    ASSERT_TRUE(registrar->Refresh().ok());
  }
  // An applicant with a 法人番号.
  static v1::Participant WithNumber(const std::string& label, const std::string& number) {
    v1::Participant participant = Named(label);
    v1::PartyIdentifier& identifier = *participant.add_identifiers();
    identifier.set_scheme("houjin-bangou");
    identifier.set_value(number);
    return participant;
  }
  absl::StatusOr<crypto::Certificate> Renew(const crypto::Certificate& current,
                                            const std::string& request_der) {
    return WaitFor<crypto::Certificate>([&](auto done) {
      registrar->enrolment().Renew({current.der, request_der}, std::move(done));
    });
  }

  absl::StatusOr<v1::SetSuspendedResponse> SetSuspended(const std::string& participant, bool suspended) {
    v1::SetSuspendedRequest request;
    request.set_request_id(NewUuid(random));
    request.set_participant(participant);
    request.set_suspended(suspended);
    request.set_reason("unpaid fees");
    return WaitFor<v1::SetSuspendedResponse>(
        [&](auto done) { registrar->membership().SetSuspended(Operator(), request, std::move(done)); });
  }

  absl::StatusOr<v1::ApproveResponse> Approve(const std::string& id, const std::string& reason = "",
                                              const Caller& by = Operator()) {
    v1::ApproveRequest request;
    request.set_request_id(NewUuid(random));
    request.set_id(id);
    request.set_reason(reason);
    return WaitFor<v1::ApproveResponse>(
        [&](auto done) { registrar->membership().Approve(by, request, std::move(done)); });
  }
  absl::StatusOr<v1::UpdateParticipantResponse> Update(const v1::Participant& participant,
                                                       const Caller& by = Operator()) {
    v1::UpdateParticipantRequest request;
    request.set_request_id(NewUuid(random));
    *request.mutable_participant() = participant;
    request.set_reason("as announced");
    return WaitFor<v1::UpdateParticipantResponse>(
        [&](auto done) { registrar->membership().Update(by, request, std::move(done)); });
  }
  absl::StatusOr<v1::LeaveResponse> Leave(const std::string& participant, const std::string& successor = "",
                                          const std::string& custodian = "", const Caller& by = Operator()) {
    v1::LeaveRequest request;
    request.set_request_id(NewUuid(random));
    request.set_participant(participant);
    request.set_successor(successor);
    request.set_custodian(custodian);
    request.set_reason("merged");
    return WaitFor<v1::LeaveResponse>(
        [&](auto done) { registrar->membership().Leave(by, request, std::move(done)); });
  }
  // As the registrar's own view has it.
  v1::Participant Entry(const std::string& label) const {
    return registrar->trust().View()->Find(label).value()->participant;
  }

  static void AddKey(const crypto::PrivateKey& key, v1::KeyPurpose purpose, const std::string& origin,
                     const std::string& did, v1::ListKeysRequest& request) {
    v1::ParticipantKey& listed = *request.add_keys();
    listed.set_key_id(key.id());
    listed.set_purpose(purpose);
    listed.set_algorithm(key.algorithm());
    listed.set_public_key(key.public_key().der());
    listed.set_log_origin(origin);
    *request.add_proofs() = crypto::Sign(key, kKeyPossessionPayload, did);
  }
  absl::StatusOr<v1::ListKeysResponse> ListKeys(const Caller& caller, const v1::ListKeysRequest& request) {
    return WaitFor<v1::ListKeysResponse>(
        [&](auto done) { registrar->keys().ListKeys(caller, request, std::move(done)); });
  }

  v1::SignedDirectory Directory() {
    return *WaitFor<SignedLists::Directory>([&](auto done) {
              registrar->lists().GetDirectory(std::move(done));
            }).value();
  }
  v1::SignedStatusList StatusList() {
    return *WaitFor<SignedLists::StatusList>([&](auto done) {
              registrar->lists().GetStatusList(std::move(done));
            }).value();
  }

  // The acts in the log, oldest first, without list signings.
  std::vector<audit::v1::RegistrarRecord> Records() const {
    std::vector<audit::v1::RegistrarRecord> records;
    const std::vector<audit::Journal::Leaf> leaves = journal->Leaves(0, 10000).value();
    for (const audit::Journal::Leaf& leaf : leaves) {
      audit::v1::Record record;
      (void)record.ParseFromString(leaf.record);
      const std::string& act = record.registrar().act();
      if (act != "directory-signed" && act != "status-signed" && act != "bundle-signed")
        records.push_back(record.registrar());
    }
    return records;
  }
  std::vector<std::string> Acts() const {
    std::vector<std::string> acts;
    for (const audit::v1::RegistrarRecord& record : Records()) acts.push_back(record.act());
    return acts;
  }

  // Becomes the registrar's with Restart.
  RegistrarOptions options = {.federation = kFederation,
                              .did_host = "did.example",
                              .est_url = "https://127.0.0.1:1",
                              .certificate_life = absl::Hours(168),
                              .token_life = absl::Hours(24),
                              .two_person_approval = false};
  testing::FakeClock clock;
  testing::FakeRandom random;
  testing::TempDir folder;
  const std::string keys_folder;
  const Authority& authority;  // as at the start
  AuthorityInUse in_use;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Registrar> registrar;  // outlives the journal, which completes its acts
  std::unique_ptr<audit::Journal> journal;
};

}  // namespace tsunagi::identity
