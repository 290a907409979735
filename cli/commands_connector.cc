// Policies, agreements, holder notices.
#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/csv.h"
#include "cli/csv_row.h"
#include "cli/parts.h"
#include "cli/values.h"
#include "core/base/config.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "tsunagi/connector/v1/connector_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using connector::v1::ConnectorService;

constexpr int kMaxNotices = 1000;
constexpr size_t kMaxCsv = 256 << 20;

template <class Repeated>
std::string Words(const Repeated& values) {
  return absl::StrJoin(values, ",", [](std::string* out, int value) {
    out->append(WordOf(static_cast<common::v1::Section>(value)));
  });
}

absl::StatusOr<Output> SetPolicies(Context& context, const std::string& path) {
  connector::v1::SetPoliciesRequest request;
  request.set_request_id(NewUuid(context.random));
  RETURN_IF_ERROR(LoadYamlFile(path, *request.mutable_policies()));
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<ConnectorService>(session->ProcessFor("connector"),
                                                   &ConnectorService::Stub::SetPolicies, request));
  Output output;
  output.json = {{"version", response.version()}, {"rules", request.policies().rules_size()}};
  output.Line(absl::StrCat("policy set version ", response.version(), " with ",
                           request.policies().rules_size(), " rules is in force from the next call on"));
  return output;
}

absl::StatusOr<Output> ListPolicies(Context& context) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response, session->Call<ConnectorService>(session->ProcessFor("connector"),
                                                                        &ConnectorService::Stub::GetPolicies,
                                                                        connector::v1::GetPoliciesRequest()));
  Output output;
  output.json = ToJson(response.policies());
  output.Line(absl::StrCat("policy set version ", response.policies().version()));
  Table table{{"rule", "action", "parties", "roles", "purposes", "sections", "fields", "serials", "duties"},
              {}};
  for (const auto& rule : response.policies().rules()) {
    table.rows.push_back({rule.id(), WordOf(rule.action()), absl::StrJoin(rule.parties(), ","),
                          absl::StrJoin(rule.roles(), ","), absl::StrJoin(rule.purposes(), ","),
                          Words(rule.sections()), absl::StrJoin(rule.fields(), ","), rule.serial_prefix(),
                          absl::StrJoin(rule.obligations(), ",")});
  }
  output.Add(std::move(table));
  return output;
}

struct Preview {
  std::string party;
  Identifier identifier;
  std::vector<common::v1::Section> sections;
  std::string purpose;
};

std::string PreviewTitle(const std::string& party, const connector::v1::PurposePreview& preview) {
  const std::string purpose = preview.purpose().empty() ? "any purpose" : preview.purpose();
  const std::string how = preview.agreement().empty()
                              ? ", after making an agreement"
                              : absl::StrCat(" under agreement ", preview.agreement());
  return absl::StrCat(party, " would get now for ", purpose, how, ":");
}

absl::Status AddPreview(const std::string& party, const connector::v1::PurposePreview& preview,
                        Output& output) {
  connector::v1::ReleasedContent content;
  RETURN_IF_ERROR(Decode(preview.content(), "previewed content", content));
  ASSIGN_OR_RETURN(const std::vector<ReleasedPart> parts, PartsOf(content));
  Json json = {{"purpose", preview.purpose()}, {"agreement", preview.agreement()}};
  json["sections"] = Json::array();
  Table table{{"section", "released", "parts", "why not", "rules"}, {}};
  for (const auto& section : preview.sections()) {
    json["sections"].push_back(ToJson(section));
    table.rows.push_back({WordOf(section.section()), section.released() ? "yes" : "no",
                          absl::StrJoin(section.parts(), ",",
                                        [](std::string* out, int kind) {
                                          out->append(WordOf(static_cast<passport::v1::PartKind>(kind)));
                                        }),
                          section.reason(), absl::StrJoin(section.rules(), ",")});
  }
  json["battery"] = ToJson(content.battery());
  json["parts"] = ToJson(parts);
  json["withheld"] = ToJson(content)["withheld"];
  json["obligations"] = ToJson(content)["obligations"];
  output.json["previews"].push_back(std::move(json));
  output.Line(PreviewTitle(party, preview));
  output.Add(std::move(table));
  for (const ReleasedPart& part : parts) {
    output.Line(absl::StrCat("  ", WordOf(part.kind), ": ", PartLine(part.kind, part.content)));
  }
  return absl::OkStatus();
}

absl::StatusOr<Output> PreviewRelease(Context& context, const Preview& preview) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  connector::v1::PreviewReleaseRequest request;
  request.set_party(preview.party);
  ASSIGN_OR_RETURN(*request.mutable_subject(), ResolveSubject(preview.identifier, FinderOf(*session)));
  for (const auto section : preview.sections) request.add_sections(section);
  request.set_purpose(preview.purpose);
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<ConnectorService>(session->ProcessFor("connector"),
                                                   &ConnectorService::Stub::PreviewRelease, request));
  Output output;
  output.json["previews"] = Json::array();
  for (const auto& one : response.previews()) RETURN_IF_ERROR(AddPreview(preview.party, one, output));
  return output;
}

// `condition, history of LOT-*`
std::string TargetWords(const connector::v1::AgreementTarget& target) {
  std::vector<std::string> words;
  for (const int kind : target.parts()) words.push_back(WordOf(static_cast<passport::v1::PartKind>(kind)));
  if (target.lookup()) words.push_back("lookup");
  const std::string of =
      target.serial_prefix().empty() ? "" : absl::StrCat(" of ", target.serial_prefix(), "*");
  return absl::StrCat(absl::StrJoin(words, ", "), of);
}

std::string ScopeWords(const connector::v1::Agreement& agreement) {
  std::vector<std::string> words;
  for (const auto& target : agreement.permissions()) words.push_back(TargetWords(target));
  for (const auto& target : agreement.prohibitions())
    words.push_back(absl::StrCat("not ", TargetWords(target)));
  return absl::StrJoin(words, "; ");
}

absl::StatusOr<Output> ListAgreements(Context& context) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  Output output;
  output.json["agreements"] = Json::array();
  Table table{{"id", "provider", "consumer", "permits", "purpose", "state", "until", "duties"}, {}};
  connector::v1::ListAgreementsRequest request;
  request.set_page_size(1000);
  do {
    ASSIGN_OR_RETURN(const auto page,
                     session->Call<ConnectorService>(session->ProcessFor("connector"),
                                                     &ConnectorService::Stub::ListAgreements, request));
    for (const auto& agreement : page.agreements()) {
      output.json["agreements"].push_back(ToJson(agreement));
      table.rows.push_back({agreement.id(), session->NameOf(agreement.provider()),
                            session->NameOf(agreement.consumer()), ScopeWords(agreement), agreement.purpose(),
                            WordOf(agreement.state()), FormatInstant(agreement.expire_time()),
                            absl::StrJoin(agreement.obligations(), ",")});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  output.Add(std::move(table));
  return output;
}

struct Notices {
  std::vector<std::string> batteries;
  std::string csv;
  std::vector<common::v1::Section> sections;
  std::vector<std::string> roles;
  std::vector<std::string> parties;
};

absl::Status AppendFromCsv(const std::string& path, const FindParty& find_party,
                           std::vector<common::v1::BatteryId>& batteries) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxCsv));
  const auto file = ParseCsv(bytes);
  if (!file.ok()) return Annotate(file.status(), path);
  ColumnIndex index;
  for (size_t i = 0; i < file->header.size(); ++i) index[file->header[i]] = i;
  absl::flat_hash_set<std::string> seen;
  for (const CsvRow& csv_row : file->rows) {
    const RowReader row(index, csv_row);
    ASSIGN_OR_RETURN(const std::string serial, row.Required("serial", "a serial number"));
    ASSIGN_OR_RETURN(const std::string maker,
                     row.Required("manufacturer", "the label or DID of a participant"));
    const std::string text = absl::StrCat(serial, "@", maker);
    if (!seen.insert(text).second) continue;
    ASSIGN_OR_RETURN(const Identifier identifier, ParseIdentifier(text));
    ASSIGN_OR_RETURN(batteries.emplace_back(), ResolveBattery(identifier, find_party));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> FileInBatches(Session& session, Random& random,
                                       const connector::v1::FileHolderNoticesRequest& common,
                                       const std::vector<common::v1::BatteryId>& batteries) {
  uint64_t filed = 0;
  for (size_t begin = 0; begin < batteries.size(); begin += kMaxNotices) {
    connector::v1::FileHolderNoticesRequest request = common;
    request.set_request_id(NewUuid(random));
    const size_t end = std::min(batteries.size(), begin + kMaxNotices);
    for (size_t i = begin; i < end; ++i) *request.add_batteries() = batteries[i];
    ASSIGN_OR_RETURN(const auto response,
                     session.Call<ConnectorService>(session.ProcessFor("connector"),
                                                    &ConnectorService::Stub::FileHolderNotices, request));
    filed += response.filed();
  }
  return filed;
}

absl::StatusOr<Output> FileNotices(Context& context, const Notices& notices) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  const FindParty find_party = FinderOf(*session);
  connector::v1::FileHolderNoticesRequest common;
  for (const auto section : notices.sections) common.add_sections(section);
  for (const std::string& role : notices.roles) common.add_visible_to_roles(role);
  for (const std::string& party : notices.parties) {
    ASSIGN_OR_RETURN(*common.add_visible_to_parties(), find_party(party));
  }
  std::vector<common::v1::BatteryId> batteries;
  for (const std::string& text : notices.batteries) {
    ASSIGN_OR_RETURN(const Identifier identifier, ParseIdentifier(text));
    ASSIGN_OR_RETURN(batteries.emplace_back(), ResolveBattery(identifier, find_party));
  }
  if (!notices.csv.empty()) RETURN_IF_ERROR(AppendFromCsv(notices.csv, find_party, batteries));
  ASSIGN_OR_RETURN(const uint64_t filed, FileInBatches(*session, context.random, common, batteries));
  Output output;
  output.json = {{"batteries", batteries.size()}, {"filed", filed}};
  output.Line(absl::StrCat("filed ", filed, " notices: this participant holds ", Words(common.sections()),
                           " of ", batteries.size(), " batteries"));
  return output;
}

void AddPreviewCommand(CLI::App& policy, Command& command) {
  auto preview = std::make_shared<Preview>();
  CLI::App* sub = policy.add_subcommand("preview", "what a party would get now, and why not the rest");
  sub->add_option("--as", preview->party, "label or DID of the party")->required();
  AddIdentifier(*sub, "--battery,--id", preview->identifier)->required();
  AddSections(*sub, preview->sections);
  sub->add_option("--purpose", preview->purpose,
                  "利用目的, such as reuse-assessment; when absent each that the rules about the party name");
  sub->callback(
      [&command, preview] { command = [preview](Context& c) { return PreviewRelease(c, *preview); }; });
}

}  // namespace

void AddPolicyCommands(CLI::App& app, Command& command) {
  CLI::App* policy =
      app.add_subcommand("policy", "who gets what: the rules of this participant")->require_subcommand(1);
  auto path = std::make_shared<std::string>();
  CLI::App* set = policy->add_subcommand("set", "replace the policy set");
  set->add_option("file", *path, "YAML: rules, each with id, action, parties or roles, sections …")
      ->required();
  set->callback([&command, path] { command = [path](Context& c) { return SetPolicies(c, *path); }; });
  policy->add_subcommand("list", "the policy set in force")->callback([&command] { command = ListPolicies; });
  AddPreviewCommand(*policy, command);
}

void AddAgreementCommands(CLI::App& app, Command& command) {
  CLI::App* agreement =
      app.add_subcommand("agreement", "agreements with other participants")->require_subcommand(1);
  agreement->add_subcommand("list", "as provider and as consumer")->callback([&command] {
    command = ListAgreements;
  });
}

void AddNoticeCommands(CLI::App& app, Command& command) {
  CLI::App* notice = app.add_subcommand("notice", "holder notices")->require_subcommand(1);
  auto notices = std::make_shared<Notices>();
  CLI::App* sub =
      notice->add_subcommand("file", "tell the makers' catalogs that this participant holds data");
  auto* batteries = sub->add_option("--battery", notices->batteries, kIdentifierHelp)
                        ->expected(1, kMaxNotices)
                        ->allow_extra_args(false);
  auto* csv = sub->add_option("--from", notices->csv,
                              "every battery in the columns serial and manufacturer of a CSV file");
  sub->callback([&command, notices, batteries, csv] {
    if (batteries->count() + csv->count() == 0) throw CLI::RequiredError("--battery or --from");
    command = [notices](Context& c) { return FileNotices(c, *notices); };
  });
  AddSections(*sub, notices->sections)->required();
  sub->add_option("--visible-to-role", notices->roles, "who may see the notice; may be repeated")
      ->expected(1, 64)
      ->allow_extra_args(false);
  sub->add_option("--visible-to-party", notices->parties, "label or DID; may be repeated")
      ->expected(1, 64)
      ->allow_extra_args(false);
}

}  // namespace tsunagi::cli
