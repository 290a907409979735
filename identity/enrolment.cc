#include "identity/enrolment.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audit/requests.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "identity/entries.h"
#include "identity/invitations.h"
#include "identity/names.h"

namespace tsunagi::identity {
namespace {

using crypto::Certificate;
using crypto::CertificateRequest;
using store::Table;

constexpr absl::Duration kDefaultInvitation = absl::Hours(7 * 24);
constexpr uint64_t kMaxInvitationSeconds = 30 * 24 * 3600;

absl::Status WrongCode() {
  return absl::UnauthenticatedError(
      "label or invitation code is wrong, expired or used: ask the registrar for a new invitation");
}

absl::Status CheckInvitation(const v1::CreateInvitationRequest& request) {
  if (request.processes().empty()) {
    return InvalidArgument({"PROCESS_MISSING", "processes", "", "at least one process"});
  }
  for (int i = 0; i < request.processes_size(); ++i) {
    const std::string& process = request.processes(i);
    RETURN_IF_ERROR(CheckProcess(process));
    const auto earlier = request.processes().begin() + i;
    if (std::find(request.processes().begin(), earlier, process) != earlier || process == kRegistrarLabel) {
      return InvalidArgument({"PROCESS_INVALID", "processes", process,
                              "node, connector, catalog, passport or operator, each once"});
    }
  }
  const bool may_name_person = request.label() == kRegistrarLabel && request.processes_size() == 1 &&
                               request.processes(0) == kOperatorProcess;
  if (!request.person().empty() && !may_name_person) {
    return InvalidArgument(
        {"PERSON_NOT_ALLOWED", "person", "",
         "no person: only invitations of process `operator` alone of `registrar` name one"});
  }
  if (request.ttl_seconds() <= kMaxInvitationSeconds) return absl::OkStatus();
  return InvalidArgument({"TTL_TOO_LONG", "ttl_seconds", absl::StrCat(request.ttl_seconds()),
                          absl::StrCat("at most ", kMaxInvitationSeconds, " (30 days)")});
}

// The process that a certificate or request names: exactly one URI and the one DNS name that goes with it.
absl::StatusOr<ProcessName> NameOf(const std::vector<std::string>& uris,
                                   const std::vector<std::string>& dns_names, absl::string_view federation) {
  if (uris.size() != 1 || dns_names.size() != 1) {
    return InvalidArgument({"NAMES_WRONG", "subjectAltName",
                            absl::StrCat(uris.size(), " URIs and ", dns_names.size(), " DNS names"),
                            "exactly one of each"});
  }
  ASSIGN_OR_RETURN(ProcessName name, ParseProcessUri(uris[0]));
  if (name.federation != federation) {
    return InvalidArgument(
        {"FEDERATION_WRONG", "uri", uris[0], absl::StrCat("federation `", federation, "`")});
  }
  const std::string dns_name = ProcessDnsName(name.process, name.label, name.federation);
  if (dns_names[0] != dns_name) {
    return InvalidArgument({"DNS_NAME_WRONG", "dns", dns_names[0], absl::StrCat("`", dns_name, "`")});
  }
  return name;
}

// Adds the change of an entry whose participant has now enrolled: the first certificate makes it active.
absl::Status Activate(const RegistrarContext& context, StoredParticipant entry, audit::Commit& commit) {
  if (entry.enrolled() && entry.participant().state() == v1::PARTICIPANT_STATE_ACTIVE)
    return absl::OkStatus();
  entry.set_enrolled(true);
  entry.mutable_participant()->set_state(v1::PARTICIPANT_STATE_ACTIVE);
  return AddEntryChange(context, entry, commit).status();
}

std::optional<StoredPerson> PersonOf(const StoredInvitation& invitation) {
  return invitation.has_person() ? std::optional(invitation.person()) : std::nullopt;
}

}  // namespace

void Enrolment::CreateInvitation(const Caller& caller, const v1::CreateInvitationRequest& request,
                                 Done<v1::CreateInvitationResponse> done) {
  Act<v1::CreateInvitationResponse>(
      context_.journal, [this, caller, request] { return DecideInvitation(caller, request); },
      std::move(done));
}

absl::StatusOr<Decision<v1::CreateInvitationResponse>> Enrolment::DecideInvitation(
    const Caller& caller, const v1::CreateInvitationRequest& request) const {
  const store::Store& store = context_.journal.store();
  const audit::RequestKey key = {caller.did(), "CreateInvitation", request.request_id(),
                                 crypto::Sha256(Encode(request))};
  ASSIGN_OR_RETURN(const std::optional<std::string> replied, audit::FindReply(store, key));
  if (replied.has_value()) {
    return absl::AlreadyExistsError(
        "this invitation was made and its code cannot be shown again: make a new one");
  }
  RETURN_IF_ERROR(CheckInvitation(request));
  ASSIGN_OR_RETURN(const StoredParticipant entry, LoadEntry(store, request.label()));
  if (const absl::Status acts = CheckActs(entry); !acts.ok()) {
    return absl::FailedPreconditionError(absl::StrCat("`", request.label(), "`: ", acts.message()));
  }
  audit::Commit commit;
  StoredInvitation invitation;
  if (!request.person().empty()) {
    ASSIGN_OR_RETURN(*invitation.mutable_person(),
                     NewPerson(store, request.person(), context_.random, commit));
  } else if (context_.options.two_person_approval && request.label() == kRegistrarLabel) {
    return InvalidArgument(
        {"PERSON_MISSING", "person", "",
         "the person who will use it: with two-person approval each operator of the registrar "
         "is known"});
  }
  const absl::Time now = context_.clock.Now();
  const absl::Duration life = request.ttl_seconds() == 0
                                  ? kDefaultInvitation
                                  : absl::Seconds(static_cast<int64_t>(request.ttl_seconds()));
  invitation.set_label(request.label());
  *invitation.mutable_processes() = request.processes();
  *invitation.mutable_expire_time() = ToProto(now + life);

  Decision<v1::CreateInvitationResponse> decision;
  decision.reply.set_code(NewInvitationCode(context_.random));
  decision.reply.set_url(context_.options.est_url);
  decision.reply.set_root_sha256(ToHex(context_.authority.Get()->root.certificate.sha256));
  commit.reads.push_back(EntryKey(request.label()));
  commit.reads.push_back(audit::StoredRequestKey(key));
  commit.writes.push_back(
      store::Put(Table::kState, InvitationKey(decision.reply.code()), Encode(invitation)));
  audit::RememberReply(key, "", now, commit.writes);
  commit.record = EncodeRecord({"invited", entry.participant().did(), "", ByOf(caller)}, now);
  decision.commit = std::move(commit);
  return decision;
}

void Enrolment::Enrol(const EnrolRequest& request, Done<Certificate> given) {
  Done<Certificate> done = enrolled_.Counted(std::move(given));
  if (absl::Status allowed = throttle_.Check(request.peer); !allowed.ok()) return done(std::move(allowed));
  Act<Certificate>(
      context_.journal, [this, request] { return DecideEnrol(request); }, std::move(done));
}

absl::StatusOr<Decision<Certificate>> Enrolment::DecideEnrol(const EnrolRequest& request) {
  const store::Store& store = context_.journal.store();
  const absl::Time now = context_.clock.Now();
  absl::StatusOr<StoredInvitation> invitation = LoadInvitation(store, request.code);
  if (!invitation.ok() && !absl::IsNotFound(invitation.status())) return invitation.status();
  const bool valid = invitation.ok() && invitation->label() == request.label &&
                     invitation->expire_time().seconds() > absl::ToUnixSeconds(now);
  if (!valid) {
    throttle_.Failed(request.peer);
    return WrongCode();
  }
  ASSIGN_OR_RETURN(const CertificateRequest parsed, crypto::ParseCertificateRequest(request.request_der));
  ASSIGN_OR_RETURN(const ProcessName name,
                   NameOf(parsed.uris, parsed.dns_names, context_.options.federation));
  if (name.label != request.label) {
    return InvalidArgument({"NAME_OF_ANOTHER", "uri", parsed.uris[0],
                            absl::StrCat("a process of participant `", request.label, "`")});
  }
  auto& processes = *invitation->mutable_processes();
  const auto invited = std::find(processes.begin(), processes.end(), name.process);
  if (invited == processes.end()) {
    return absl::PermissionDeniedError(
        absl::StrCat("the invitation does not cover process `", name.process, "`, or was used for it"));
  }
  processes.erase(invited);
  ASSIGN_OR_RETURN(Decision<Certificate> decision, Issue(parsed, name, "invitation", PersonOf(*invitation)));
  const std::string key = InvitationKey(request.code);
  decision.commit->reads.push_back(key);
  decision.commit->writes.push_back(processes.empty() ? store::Delete(Table::kState, key)
                                                      : store::Put(Table::kState, key, Encode(*invitation)));
  return decision;
}

void Enrolment::Renew(const RenewRequest& request, Done<Certificate> done) {
  Act<Certificate>(
      context_.journal, [this, request] { return DecideRenew(request); }, renewed_.Counted(std::move(done)));
}

absl::StatusOr<Decision<Certificate>> Enrolment::DecideRenew(const RenewRequest& request) const {
  const absl::Time now = context_.clock.Now();
  const absl::StatusOr<Certificate> current = crypto::ParseCertificateDer(request.certificate_der);
  if (!current.ok()) return absl::UnauthenticatedError("a renewal needs the current certificate");
  // An expired certificate is judged at its last moment: then it must have been ours and in order.
  const bool expired = current->not_after <= now;
  const absl::Time at = expired ? current->not_after - absl::Seconds(1) : now;
  RETURN_IF_ERROR(CountsUntil(*current, *trust_.View()->bundle, at).status());
  if (now > current->not_after + kLateRenewal) {
    return absl::UnauthenticatedError(
        "the certificate expired more than 30 days ago: ask for a new invitation");
  }
  const absl::StatusOr<ProcessName> own =
      NameOf(current->uris, current->dns_names, context_.options.federation);
  if (!own.ok()) return absl::UnauthenticatedError("the certificate is no process's");
  ASSIGN_OR_RETURN(const CertificateRequest parsed, crypto::ParseCertificateRequest(request.request_der));
  if (parsed.uris != current->uris || parsed.dns_names != current->dns_names) {
    return InvalidArgument({"NAMES_CHANGED", "uri", parsed.uris.empty() ? "" : parsed.uris[0],
                            "the names of the current certificate"});
  }
  if (expired && parsed.public_key.id() != current->public_key.id()) {
    return absl::UnauthenticatedError("an expired certificate is renewed for the same key only");
  }
  ASSIGN_OR_RETURN(const std::optional<StoredPerson> person,
                   FindPerson(context_.journal.store(), current->sha256));
  return Issue(parsed, *own, "certificate", person);
}

absl::StatusOr<Decision<Certificate>> Enrolment::Issue(const CertificateRequest& request,
                                                       const ProcessName& name, absl::string_view by,
                                                       const std::optional<StoredPerson>& person) const {
  ASSIGN_OR_RETURN(const StoredParticipant entry, ActiveEntry(context_.journal.store(), name.label));
  const absl::Time now = context_.clock.Now();
  ASSIGN_OR_RETURN(Certificate certificate,
                   IssueProcessCertificate(*context_.authority.Get(), name, request.public_key, now,
                                           context_.options.certificate_life));
  const std::string& did = entry.participant().did();
  audit::Commit commit;
  commit.reads = {EntryKey(name.label)};
  RETURN_IF_ERROR(Activate(context_, entry, commit));
  if (person.has_value()) KeepPerson(certificate.sha256, *person, commit);
  commit.record =
      EncodeRecord({"enrolled", did, certificate.sha256, absl::StrCat(did, " ", name.process), by}, now);
  return Decision<Certificate>{std::move(certificate), std::move(commit)};
}

}  // namespace tsunagi::identity
