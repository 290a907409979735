// Members: changes, suspension (利用停止), leaving (脱退), consents, and who they are.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/membership.h"
#include "core/base/config.h"

namespace tsunagi::cli {
namespace {

using identity::v1::MembershipService;
using identity::v1::Participant;

struct Change {
  std::string file;
  std::string reason;
};

absl::StatusOr<Output> Update(Context& context, const Change& change) {
  identity::v1::UpdateParticipantRequest request;
  RETURN_IF_ERROR(LoadYamlFile(change.file, *request.mutable_participant()));
  request.set_request_id(NewUuid(context.random));
  request.set_reason(change.reason);
  ASSIGN_OR_RETURN(const auto response, Ask(context, &MembershipService::Stub::UpdateParticipant, request));
  Output output = WithWarnings(response);
  const std::string& label = response.participant().label();
  output.Line(response.pending_id().empty()
                  ? absl::StrCat("changed ", label, ": version ", response.participant().version())
                  : Waits(absl::StrCat("the change of ", label), response.pending_id()));
  return output;
}

struct Filter {
  std::string search;
  std::string role;
};

absl::StatusOr<Output> List(Context& context, const Filter& filter) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response, filter.search.empty() && filter.role.empty()
                                            ? session->Participants()
                                            : session->FetchParticipants(filter.search, filter.role));
  Output output;
  output.json = ToJson(response);
  output.json.erase("next_page_token");
  Table table{{"label", "name", "roles", "status", "DID"}, {}};
  for (const auto& listed : response.participants()) {
    const Participant& participant = listed.participant();
    table.rows.push_back({participant.label(),
                          participant.name_ja().empty() ? participant.name_latin() : participant.name_ja(),
                          absl::StrJoin(participant.roles(), ","), WordOf(participant.state()),
                          participant.did()});
  }
  output.Add(std::move(table));
  return output;
}

struct Suspension {
  std::string participant;
  std::string reason;
  bool suspended = false;
};

absl::StatusOr<Output> SetSuspended(Context& context, const Suspension& suspension) {
  identity::v1::SetSuspendedRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_participant(suspension.participant);
  request.set_suspended(suspension.suspended);
  request.set_reason(suspension.reason);
  ASSIGN_OR_RETURN(const auto response, Ask(context, &MembershipService::Stub::SetSuspended, request));
  Output output;
  output.json = {{"participant", suspension.participant},
                 {"suspended", suspension.suspended},
                 {"status_version", response.status_version()}};
  output.Line(absl::StrCat(suspension.participant, suspension.suspended ? " is suspended" : " is reinstated",
                           " from status list version ", response.status_version(), " on"));
  return output;
}

struct Leaving {
  std::string participant;
  std::string successor;
  std::string custodian;
  std::string reason;
};

absl::StatusOr<Output> Leave(Context& context, const Leaving& leaving) {
  identity::v1::LeaveRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_participant(leaving.participant);
  request.set_successor(leaving.successor);
  request.set_custodian(leaving.custodian);
  request.set_reason(leaving.reason);
  ASSIGN_OR_RETURN(const auto response, Ask(context, &MembershipService::Stub::Leave, request));
  Output output;
  output.json = ToJson(response);
  const std::string& label = response.participant().label();
  output.Line(response.pending_id().empty()
                  ? absl::StrCat(label, " has left")
                  : Waits(absl::StrCat("the leaving of ", label), response.pending_id()));
  return output;
}

struct Consent {
  std::string label;
  std::string chassis_type;
  std::string vin_wmi;
  std::string link_domain;
  bool withdraw = false;
};

absl::StatusOr<Output> ConsentToNamespace(Context& context, const Consent& consent) {
  identity::v1::ConsentToNamespaceRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_label(consent.label);
  request.set_consent(!consent.withdraw);
  identity::v1::Namespace& space = *request.mutable_namespace_();
  if (!consent.chassis_type.empty()) space.set_chassis_type(consent.chassis_type);
  if (!consent.vin_wmi.empty()) space.set_vin_wmi(consent.vin_wmi);
  if (!consent.link_domain.empty()) space.set_link_domain(consent.link_domain);
  RETURN_IF_ERROR(Ask(context, &MembershipService::Stub::ConsentToNamespace, request).status());
  Output output;
  output.json = {{"label", consent.label}, {"namespace", ToJson(space)}, {"consent", !consent.withdraw}};
  output.Line(consent.withdraw ? absl::StrCat("the consent for ", consent.label, " is withdrawn")
                               : absl::StrCat(consent.label, " may hold the namespace too"));
  return output;
}

void AddSuspension(CLI::App& participant, const std::string& name, const std::string& help, bool suspended,
                   Command& command) {
  auto suspension = std::make_shared<Suspension>();
  suspension->suspended = suspended;
  CLI::App* sub = participant.add_subcommand(name, help);
  sub->add_option("participant", suspension->participant, "label or DID")->required();
  AddReason(*sub, suspension->reason)->required();
  SetCommand(*sub, suspension, SetSuspended, command);
}

void AddLeaving(CLI::App& participant, Command& command) {
  auto leaving = std::make_shared<Leaving>();
  CLI::App* leave = participant.add_subcommand("leave", "脱退: take a member out (registrar's operator)");
  leave->add_option("participant", leaving->participant, "label or DID")->required();
  leave->add_option("--successor", leaving->successor,
                    "label or DID of who takes its rights and duties over");
  leave->add_option("--custodian", leaving->custodian,
                    "label or DID of who keeps its records; else the successor");
  AddReason(*leave, leaving->reason)->required();
  SetCommand(*leave, leaving, Leave, command);
}

void AddConsent(CLI::App& participant, Command& command) {
  auto consent = std::make_shared<Consent>();
  CLI::App* sub = participant.add_subcommand("consent", "let another member hold a namespace of ours too");
  sub->add_option("label", consent->label, "label of the other member")->required();
  CLI::Option_group* space = sub->add_option_group("namespace", "which one");
  space->add_option("--chassis-type", consent->chassis_type, "type code of 車台番号, such as ZE1");
  space->add_option("--vin-wmi", consent->vin_wmi, "WMI of VINs, such as JN1");
  space->add_option("--link-domain", consent->link_domain, "domain of QR links");
  space->require_option(1);
  sub->add_flag("--withdraw", consent->withdraw, "withdraw a consent that was not used yet");
  SetCommand(*sub, consent, ConsentToNamespace, command);
}

}  // namespace

void AddMembershipCommands(CLI::App& participant, Command& command) {
  AddAdmissionCommands(participant, command);
  auto change = std::make_shared<Change>();
  CLI::App* update = participant.add_subcommand("update", "change a member's entry (registrar's operator)");
  update->add_option("file", change->file, "YAML as for apply: what it leaves out is taken away")->required();
  AddReason(*update, change->reason)->required();
  SetCommand(*update, change, Update, command);

  auto filter = std::make_shared<Filter>();
  CLI::App* list = participant.add_subcommand("list", "who takes part");
  list->add_option("--search", filter->search,
                   "part of a name, label, DID or identifier; case and width are alike");
  list->add_option("--role", filter->role, "only those with this role");
  SetCommand(*list, filter, List, command);

  AddSuspension(participant, "suspend", "利用停止 (registrar's operator)", true, command);
  AddSuspension(participant, "reinstate", "end a suspension (registrar's operator)", false, command);
  AddLeaving(participant, command);
  AddConsent(participant, command);
}

}  // namespace tsunagi::cli
