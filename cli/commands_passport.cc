// `tsunagi passport show|resolve|erase`.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/parts.h"
#include "cli/values.h"
#include "core/audit/receipt.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "tsunagi/connector/v1/connector_service.grpc.pb.h"
#include "tsunagi/passport/v1/passport_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using connector::v1::ConnectorService;
using passport::v1::PassportService;

// Owner's and consumer's statements have these fields in common.
template <class Statement>
Json StatementJson(const Statement& statement) {
  Json json = {{"kind", WordOf(statement.kind())},
               {"author", statement.author()},
               {"occurred_at", FormatInstant(statement.occurred_at())}};
  json["dated_at"] = statement.has_dated_at() ? Json(FormatInstant(statement.dated_at())) : Json(nullptr);
  json["content"] = PartJson(statement.kind(), statement.content());
  json["note"] = statement.note();
  return json;
}

template <class Statement>
std::string DatedText(const Statement& statement) {
  return statement.has_dated_at() ? FormatInstant(statement.dated_at()) : "not yet dated";
}

void AddWarnings(const google::protobuf::RepeatedPtrField<std::string>& warnings, Output& output) {
  output.json["warnings"] = Json::array();
  for (const std::string& warning : warnings) {
    output.json["warnings"].push_back(warning);
    output.Line(absl::StrCat("warning: ", warning));
  }
}

absl::StatusOr<Output> Show(Context& context, const Identifier& identifier) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  passport::v1::GetPassportRequest request;
  ASSIGN_OR_RETURN(*request.mutable_subject(), ResolveSubject(identifier, FinderOf(*session)));
  ASSIGN_OR_RETURN(const auto passport,
                   session->Call<PassportService>(session->ProcessFor("passport"),
                                                  &PassportService::Stub::GetPassport, request));
  Output output;
  output.json = {{"battery", ToJson(passport.battery())}, {"statements", Json::array()}};
  output.Line(absl::StrCat("battery ", BatteryText(*session, passport.battery()), " as this node knows it"));
  Table table{{"kind", "current", "author", "occurred", "dated", "value", "note"}, {}};
  for (const auto& statement : passport.statements()) {
    Json json = StatementJson(statement);
    json["event"] = WordOf(statement.type());
    json["current"] = statement.current();
    json["erased"] = statement.erased();
    output.json["statements"].push_back(std::move(json));
    table.rows.push_back({WordOf(statement.kind()), statement.current() ? "yes" : "no",
                          session->NameOf(statement.author()), FormatInstant(statement.occurred_at()),
                          DatedText(statement),
                          statement.erased() ? "(erased)" : PartLine(statement.kind(), statement.content()),
                          statement.note()});
  }
  output.Add(std::move(table));
  AddWarnings(passport.warnings(), output);
  return output;
}

struct ResolveArguments {
  Identifier identifier;
  std::vector<common::v1::Section> sections;
  std::string purpose;
  std::vector<std::string> participants;
  std::string receipts;
};

void AddStatements(Session& session, const connector::v1::ResolveResponse& response, Output& output) {
  Table table{{"section", "kind", "author", "released by", "occurred", "dated", "value", "note"}, {}};
  output.json["statements"] = Json::array();
  for (const auto& statement : response.statements()) {
    Json json = StatementJson(statement);
    json["section"] = WordOf(statement.section());
    json["released_by"] = statement.released_by();
    json["agreement"] = statement.agreement();
    json["in_passport"] = statement.in_passport();
    output.json["statements"].push_back(std::move(json));
    table.rows.push_back(
        {WordOf(statement.section()), WordOf(statement.kind()), session.NameOf(statement.author()),
         session.NameOf(statement.released_by()), FormatInstant(statement.occurred_at()),
         DatedText(statement), PartLine(statement.kind(), statement.content()),
         statement.in_passport() ? "" : absl::StrCat("not in the passport: ", statement.note())});
  }
  output.Add(std::move(table));
}

std::string WithheldText(const google::protobuf::RepeatedPtrField<connector::v1::WithheldSection>& withheld) {
  return absl::StrJoin(withheld, ", ", [](std::string* out, const connector::v1::WithheldSection& section) {
    absl::StrAppend(out, WordOf(section.section()), " ", section.reason());
  });
}

// A partial answer is an answer; none at all is a failure of what was asked.
bool NobodyReleased(const connector::v1::ResolveResponse& response) {
  return std::none_of(response.answers().begin(), response.answers().end(),
                      [](const auto& answer) { return answer.outcome() == "RELEASED"; });
}

void AddAnswers(Session& session, const connector::v1::ResolveResponse& response, Output& output) {
  Table table{{"asked", "outcome", "withheld, with reason", "duties", "message"}, {}};
  output.json["answers"] = Json::array();
  for (const auto& answer : response.answers()) {
    output.json["answers"].push_back(ToJson(answer));
    table.rows.push_back({session.NameOf(answer.participant()), answer.outcome(),
                          WithheldText(answer.withheld()), absl::StrJoin(answer.obligations(), ", "),
                          answer.message()});
  }
  output.Add(std::move(table));
}

absl::Status SaveReceipts(const connector::v1::ResolveResponse& response, const std::string& folder,
                          Output& output) {
  output.json["receipts"] = Json::array();
  for (const std::string& bytes : response.receipts()) {
    audit::v1::Receipt receipt;
    RETURN_IF_ERROR(DecodeCanonical(bytes, "receipt", receipt));
    identity::v1::Participant provider;
    RETURN_IF_ERROR(Decode(receipt.provider_entry().payload(), "directory entry", provider));
    const std::string path =
        absl::StrCat(folder, "/", provider.label(), "-", receipt.proof().leaf_index(), ".receipt");
    RETURN_IF_ERROR(WriteFileAtomically(path, audit::ArmorReceipt(receipt), 0600));
    output.json["receipts"].push_back(path);
    output.Line(absl::StrCat("receipt (提供証明) of ", provider.label(), ": ", path));
  }
  return absl::OkStatus();
}

absl::StatusOr<Output> Resolve(Context& context, const ResolveArguments& arguments) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  connector::v1::ResolveRequest request;
  request.set_link(arguments.identifier.link);
  if (request.link().empty()) {
    ASSIGN_OR_RETURN(*request.mutable_subject(), ResolveSubject(arguments.identifier, FinderOf(*session)));
  }
  for (const auto section : arguments.sections) request.add_sections(section);
  // Whoever asks by vehicle wants to know which battery it has.
  if (request.subject().has_vehicle()) request.add_sections(common::v1::SECTION_LOOKUP);
  request.set_purpose(arguments.purpose);
  for (const std::string& participant : arguments.participants) request.add_participants(participant);
  request.set_receipts(!arguments.receipts.empty());
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<ConnectorService>(session->ProcessFor("connector"),
                                                   &ConnectorService::Stub::Resolve, request));
  Output output;
  output.json["battery"] = response.has_battery() ? ToJson(response.battery()) : Json(nullptr);
  output.Line(response.has_battery() ? absl::StrCat("battery ", BatteryText(*session, response.battery()))
                                     : std::string("no battery was found"));
  AddStatements(*session, response, output);
  AddAnswers(*session, response, output);
  AddWarnings(response.warnings(), output);
  if (!arguments.receipts.empty()) RETURN_IF_ERROR(SaveReceipts(response, arguments.receipts, output));
  output.failed = NobodyReleased(response);
  if (output.failed) {
    output.Line(
        "nobody released anything: check the identifier; what this participant may not see looks the same as "
        "what does not exist");
  }
  return output;
}

struct EraseArguments {
  Identifier identifier;
  std::string reason;
};

absl::StatusOr<Output> Erase(Context& context, const EraseArguments& arguments) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  passport::v1::ErasePartsRequest request;
  request.set_request_id(NewUuid(context.random));
  ASSIGN_OR_RETURN(*request.mutable_subject(), ResolveSubject(arguments.identifier, FinderOf(*session)));
  request.set_reason(arguments.reason);
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<PassportService>(session->ProcessFor("passport"),
                                                  &PassportService::Stub::EraseParts, request));
  Output output;
  output.json = {{"erased", response.erased()}};
  output.Line(absl::StrCat(
      "erased ", response.erased(),
      " parts: no file of the node holds them any more; signatures, chains and log still verify"));
  return output;
}

void AddResolve(CLI::App& passport, Command& command) {
  auto arguments = std::make_shared<ResolveArguments>();
  CLI::App* sub = passport.add_subcommand(
      "resolve",
      "collect a passport from every holder that releases to this participant; exit 1 when none does");
  AddIdentifier(*sub, "id", arguments->identifier)->required();
  AddSections(*sub, arguments->sections)->required();
  sub->add_option("--purpose", arguments->purpose, "利用目的, such as reuse-assessment")->required();
  sub->add_option("--ask", arguments->participants,
                  "ask this participant too (label or DID); may be repeated")
      ->expected(1, 64)
      ->allow_extra_args(false);
  sub->add_option("--receipts", arguments->receipts, "save the receipts (提供証明) in this folder")
      ->check(CLI::ExistingDirectory);
  sub->callback(
      [&command, arguments] { command = [arguments](Context& c) { return Resolve(c, *arguments); }; });
}

void AddErase(CLI::App& passport, Command& command) {
  auto arguments = std::make_shared<EraseArguments>();
  CLI::App* sub =
      passport.add_subcommand("erase", "erase what can point at a person: a vehicle's identifiers, names");
  AddIdentifier(*sub, "id", arguments->identifier)->required();
  sub->add_option("--reason", arguments->reason, "why, for the record; no identifiers, no names")->required();
  sub->callback(
      [&command, arguments] { command = [arguments](Context& c) { return Erase(c, *arguments); }; });
}

}  // namespace

void AddPassportCommands(CLI::App& app, Command& command) {
  CLI::App* passport = app.add_subcommand("passport", "battery passports")->require_subcommand(1);
  AddImportCommand(*passport, command);
  auto identifier = std::make_shared<Identifier>();
  CLI::App* show = passport->add_subcommand("show", "a passport as the own node knows it");
  AddIdentifier(*show, "id", *identifier)->required();
  show->callback(
      [&command, identifier] { command = [identifier](Context& c) { return Show(c, *identifier); }; });
  AddResolve(*passport, command);
  AddErase(*passport, command);
  AddAmendCommand(*passport, command);
}

}  // namespace tsunagi::cli
