// Admission (参加登録): applications, and what waits for the registrar's approval.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/membership.h"
#include "core/base/config.h"

namespace tsunagi::cli {
namespace {

using identity::v1::MembershipService;

struct Application {
  std::string file;
  bool approve = false;
};

absl::StatusOr<Output> Apply(Context& context, const Application& application) {
  identity::v1::ApplyRequest request;
  RETURN_IF_ERROR(LoadYamlFile(application.file, *request.mutable_participant()));
  request.set_request_id(NewUuid(context.random));
  request.set_approve(application.approve);
  ASSIGN_OR_RETURN(const auto response, Ask(context, &MembershipService::Stub::Apply, request));
  Output output = WithWarnings(response);
  const std::string& label = response.participant().label();
  if (!response.pending_id().empty()) {
    output.Line(Waits(absl::StrCat("the application of ", label), response.pending_id()));
    return output;
  }
  output.Line(absl::StrCat("approved ", label, " as ", response.participant().did()));
  output.Line(absl::StrCat("next: `tsunagi participant invite ", label,
                           " --process node --process operator --code-file FILE`"));
  return output;
}

struct Verdict {
  std::string id;
  std::string reason;
};

absl::StatusOr<Output> Approve(Context& context, const Verdict& verdict) {
  identity::v1::ApproveRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_id(verdict.id);
  request.set_reason(verdict.reason);
  ASSIGN_OR_RETURN(const auto response, Ask(context, &MembershipService::Stub::Approve, request));
  Output output;
  output.json = ToJson(response);
  output.Line(absl::StrCat("approved: ", response.participant().label(), " is ",
                           WordOf(response.participant().state())));
  return output;
}

absl::StatusOr<Output> Decline(Context& context, const Verdict& verdict) {
  identity::v1::DeclineRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_id(verdict.id);
  request.set_reason(verdict.reason);
  RETURN_IF_ERROR(Ask(context, &MembershipService::Stub::Decline, request).status());
  Output output;
  output.json = {{"declined", verdict.id}};
  output.Line("declined: nothing has changed");
  return output;
}

absl::StatusOr<Output> ListPending(Context& context) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  identity::v1::ListPendingRequest request;
  identity::v1::ListPendingResponse all;
  do {
    ASSIGN_OR_RETURN(const auto page, session->Call<MembershipService>(
                                          "registrar", &MembershipService::Stub::ListPending, request));
    all.mutable_pending()->MergeFrom(page.pending());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  Output output;
  output.json = ToJson(all);
  Table table{{"label", "what", "entered by", "reason", "overlaps", "id"}, {}};
  for (const auto& pending : all.pending()) {
    table.rows.push_back({pending.label(), WordOf(pending.kind()), pending.entered_by(), pending.reason(),
                          absl::StrJoin(pending.overlaps(), ", "), pending.id()});
  }
  output.Add(std::move(table));
  return output;
}

}  // namespace

void AddAdmissionCommands(CLI::App& participant, Command& command) {
  auto application = std::make_shared<Application>();
  CLI::App* apply = participant.add_subcommand("apply", "enter an application (registrar's operator)");
  apply
      ->add_option(
          "file", application->file,
          "YAML: label, name_ja, name_latin, name_kana, identifiers, contacts, roles, namespaces, plants")
      ->required();
  apply->add_flag("--approve", application->approve, "approve it at once");
  SetCommand(*apply, application, Apply, command);

  auto approval = std::make_shared<Verdict>();
  CLI::App* approve = participant.add_subcommand("approve", "approve what waits (registrar's operator)");
  approve->add_option("id", approval->id, "id of what waits")->required();
  AddReason(*approve, approval->reason)->description("why both may hold a namespace, where one overlaps");
  SetCommand(*approve, approval, Approve, command);

  auto refusal = std::make_shared<Verdict>();
  CLI::App* decline = participant.add_subcommand("decline", "decline what waits (registrar's operator)");
  decline->add_option("id", refusal->id, "id of what waits")->required();
  AddReason(*decline, refusal->reason)->required();
  SetCommand(*decline, refusal, Decline, command);

  participant.add_subcommand("pending", "what waits for approval (registrar's operator)")
      ->callback([&command] { command = ListPending; });
}

}  // namespace tsunagi::cli
