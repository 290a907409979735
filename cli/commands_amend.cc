// Corrections of identity facts: the issuer proposes, the registrar approves (発行・変更の承認).
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/command.h"
#include "cli/parts.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "passport/model/values.h"
#include "tsunagi/identity/v1/identity_service.grpc.pb.h"
#include "tsunagi/passport/v1/passport_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using google::protobuf::FieldDescriptor;
using identity::v1::IdentityService;
using passport::v1::PassportService;

struct Amend {
  Identifier identifier;
  std::vector<std::pair<std::string, std::string>> changes;  // field, new value
};

absl::Status NoSuchField(absl::string_view field) {
  return InvalidArgument({.reason = "FIELD_UNKNOWN",
                          .field = "--set",
                          .value = field,
                          .expected =
                              "a field of the identity part: model, manufactured, manufacturer_name, plant, "
                              "chemistry, rated_capacity_ah, nominal_voltage_v, mass_kg, rated_energy_kwh or "
                              "source"});
}

absl::Status SetField(passport::v1::IdentityPart& part, const std::string& name, const std::string& value) {
  const FieldDescriptor* field = passport::v1::IdentityPart::descriptor()->FindFieldByName(name);
  if (field == nullptr || name == "battery") return NoSuchField(name);
  if (name == "manufactured") {
    ASSIGN_OR_RETURN(*part.mutable_manufactured(), passport::ParseYearMonth(value, name));
    return absl::OkStatus();
  }
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    passport::v1::IdentityPart::GetReflection()->SetString(&part, field, value);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const common::v1::Decimal number, passport::ParseDecimal(value, name));
  passport::v1::IdentityPart::GetReflection()->MutableMessage(&part, field)->CopyFrom(number);
  return absl::OkStatus();
}

absl::StatusOr<passport::v1::IdentityPart> CurrentIdentity(
    const passport::v1::GetPassportResponse& passport) {
  for (const auto& statement : passport.statements()) {
    if (!statement.current() || statement.kind() != passport::v1::PART_KIND_IDENTITY) continue;
    passport::v1::IdentityPart part;
    RETURN_IF_ERROR(Decode(statement.content(), "identity part", part));
    return part;
  }
  return absl::NotFoundError(
      "this node has no current identity facts of the battery: only its issuer can amend them");
}

absl::StatusOr<Output> Propose(Context& context, const Amend& amend) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  const std::string process = session->ProcessFor("passport");
  passport::v1::GetPassportRequest get;
  ASSIGN_OR_RETURN(*get.mutable_subject(), ResolveSubject(amend.identifier, FinderOf(*session)));
  ASSIGN_OR_RETURN(const auto passport,
                   session->Call<PassportService>(process, &PassportService::Stub::GetPassport, get));
  ASSIGN_OR_RETURN(passport::v1::IdentityPart part, CurrentIdentity(passport));
  for (const auto& [field, value] : amend.changes) RETURN_IF_ERROR(SetField(part, field, value));
  passport::v1::ProposeAmendmentRequest request;
  request.set_request_id(NewUuid(context.random));
  *request.mutable_battery() = passport.battery();
  auto* corrected = request.add_parts();
  corrected->set_kind(passport::v1::PART_KIND_IDENTITY);
  corrected->set_content(Encode(part));
  ASSIGN_OR_RETURN(const auto response, session->Call<PassportService>(
                                            process, &PassportService::Stub::ProposeAmendment, request));
  Output output;
  output.json = {{"id", response.id()}, {"battery", ToJson(passport.battery())}};
  output.Line(
      absl::StrCat("proposed amendment ", response.id(), " of ", BatteryText(*session, passport.battery()),
                   "\nnext: the registrar approves it with `tsunagi amendment approve ", response.id(), "`"));
  return output;
}

Json AmendmentJson(const identity::v1::Amendment& amendment) {
  return {{"id", amendment.id()},
          {"issuer", amendment.issuer()},
          {"battery", ToJson(amendment.battery())},
          {"old_identity", PartJson(passport::v1::PART_KIND_IDENTITY, amendment.old_identity())},
          {"new_identity", PartJson(passport::v1::PART_KIND_IDENTITY, amendment.new_identity())},
          {"state", WordOf(amendment.state())}};
}

// `manufactured 2023-04 → 2023-05`.
std::string ChangeText(const Json& amendment) {
  std::string text;
  for (const auto& [key, value] : amendment["new_identity"].items()) {
    const Json old = amendment["old_identity"].value(key, Json(""));
    if (old != value)
      absl::StrAppend(&text, text.empty() ? "" : ", ", key, " ", old.dump(), " → ", value.dump());
  }
  return text;
}

absl::StatusOr<Output> List(Context& context) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  Output output;
  output.json["amendments"] = Json::array();
  Table table{{"id", "state", "issuer", "battery", "change"}, {}};
  identity::v1::ListAmendmentsRequest request;
  do {
    ASSIGN_OR_RETURN(const auto page, session->Call<IdentityService>(
                                          "registrar", &IdentityService::Stub::ListAmendments, request));
    for (const auto& amendment : page.amendments()) {
      const Json json = AmendmentJson(amendment);
      output.json["amendments"].push_back(json);
      table.rows.push_back({amendment.id(), WordOf(amendment.state()), session->NameOf(amendment.issuer()),
                            BatteryText(*session, amendment.battery()), ChangeText(json)});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  output.Add(std::move(table));
  return output;
}

absl::StatusOr<Output> Approve(Context& context, const std::string& id) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  identity::v1::ApproveAmendmentRequest request;
  request.set_id(id);
  ASSIGN_OR_RETURN(const auto response, session->Call<IdentityService>(
                                            "registrar", &IdentityService::Stub::ApproveAmendment, request));
  Output output;
  output.json = AmendmentJson(response.amendment());
  const bool waits = response.amendment().state() == identity::v1::AMENDMENT_STATE_PENDING;
  output.Line(absl::StrCat("amendment ", id, " is ", WordOf(response.amendment().state()),
                           waits ? ": with two-person approval another person approves it too, within 7 days"
                                 : ": the issuer's node takes it over by itself"));
  return output;
}

std::pair<std::string, std::string> Change(const std::string& text) {
  std::pair<std::string, std::string> change = absl::StrSplit(text, absl::MaxSplits('=', 1));
  if (change.first.empty() || change.second.empty()) {
    throw CLI::ValidationError("--set", absl::StrCat("`", text, "`: expected FIELD=VALUE"));
  }
  return change;
}

}  // namespace

void AddAmendCommand(CLI::App& passport, Command& command) {
  auto amend = std::make_shared<Amend>();
  CLI::App* sub =
      passport.add_subcommand("amend", "propose a correction of identity facts; the registrar approves it");
  AddIdentifier(*sub, "id", amend->identifier)->required();
  sub->add_option_function<std::vector<std::string>>(
         "--set",
         [amend](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) amend->changes.push_back(Change(text));
         },
         "FIELD=VALUE such as manufactured=2023-05; may be repeated")
      ->required()
      ->expected(1, 16)
      ->allow_extra_args(false);
  sub->callback([&command, amend] { command = [amend](Context& c) { return Propose(c, *amend); }; });
}

void AddAmendmentCommands(CLI::App& app, Command& command) {
  CLI::App* amendment =
      app.add_subcommand("amendment", "proposed corrections of identity facts")->require_subcommand(1);
  amendment->add_subcommand("list", "the registrar's operator sees all, an issuer its own")
      ->callback([&command] { command = List; });
  auto id = std::make_shared<std::string>();
  CLI::App* approve = amendment->add_subcommand("approve", "approve a correction (registrar's operator)");
  approve->add_option("id", *id, "from `tsunagi amendment list`")->required();
  approve->callback([&command, id] { command = [id](Context& c) { return Approve(c, *id); }; });
}

}  // namespace tsunagi::cli
