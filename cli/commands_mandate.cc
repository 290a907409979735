// `tsunagi mandate`: one participant lets another act for it (代行).
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "tsunagi/identity/v1/mandate_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using identity::v1::ListedMandate;
using identity::v1::MandateService;

constexpr int kMaxDays = 1827;

struct Grant {
  std::string holder;
  std::vector<std::string> scopes;
  uint64_t days = 365;
};

std::string TimeText(const google::protobuf::Timestamp& timestamp) {
  const auto time = FromProto(timestamp);
  return time.ok() ? absl::FormatTime("%Y-%m-%d %H:%M UTC", *time, absl::UTCTimeZone()) : "?";
}

absl::StatusOr<Output> GrantMandate(Context& context, const Grant& grant) {
  identity::v1::GrantMandateRequest request;
  request.set_request_id(NewUuid(context.random));
  request.set_holder(grant.holder);
  for (const std::string& scope : grant.scopes) request.add_scopes(scope);
  request.set_ttl_seconds(grant.days * 24 * 60 * 60);
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<MandateService>(session->ProcessFor("connector"),
                                                 &MandateService::Stub::GrantMandate, request));
  Output output;
  output.json = ToJson(response);
  output.json["filed"] = response.filed();
  output.Line(absl::StrCat("mandate ", response.mandate().id(), ": ", grant.holder, " may do ",
                           absl::StrJoin(grant.scopes, ", "), " until ",
                           TimeText(response.mandate().valid_until())));
  output.Line(response.filed() ? "it counts as soon as this node has the next directory, within seconds"
                               : "the registrar could not be told yet: this node goes on trying, and the "
                                 "mandate counts from then");
  return output;
}

absl::StatusOr<Output> RevokeMandate(Context& context, const std::string& id) {
  identity::v1::RevokeMandateRequest request;
  request.set_id(id);
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const auto response,
                   session->Call<MandateService>(session->ProcessFor("connector"),
                                                 &MandateService::Stub::RevokeMandate, request));
  Output output;
  output.json = {{"id", id}, {"filed", response.filed()}};
  output.Line(absl::StrCat(
      "mandate ", id, " is revoked: this participant's processes refuse its holder from now on",
      response.filed() ? "" : "; the registrar could not be told yet, this node goes on trying"));
  return output;
}

std::string StateOf(const ListedMandate& listed) {
  const auto from = FromProto(listed.mandate().valid_from());
  const auto until = FromProto(listed.mandate().valid_until());
  std::string state = "in force";
  if (from.ok() && absl::Now() < *from) state = "not yet";
  if (until.ok() && absl::Now() >= *until) state = "over";
  if (listed.has_revoked_at()) state = absl::StrCat("revoked ", TimeText(listed.revoked_at()));
  return listed.listed() ? state : absl::StrCat(state, ", not in the directory yet");
}

absl::StatusOr<Output> ListMandates(Context& context) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const std::string own_did, session->PartyDid());
  Output output;
  output.json["mandates"] = Json::array();
  Table table{{"id", "", "participant", "scopes", "until", "state"}, {}};
  identity::v1::ListMandatesRequest request;
  do {
    ASSIGN_OR_RETURN(const auto page,
                     session->Call<MandateService>(session->ProcessFor("connector"),
                                                   &MandateService::Stub::ListMandates, request));
    for (const ListedMandate& listed : page.mandates()) {
      const auto& mandate = listed.mandate();
      const bool granted = mandate.grantor() == own_did;
      Json json = ToJson(listed);
      json["listed"] = listed.listed();
      output.json["mandates"].push_back(std::move(json));
      table.rows.push_back({mandate.id(), granted ? "to" : "from",
                            session->NameOf(granted ? mandate.holder() : mandate.grantor()),
                            absl::StrJoin(mandate.scopes(), ","), TimeText(mandate.valid_until()),
                            StateOf(listed)});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  output.Add(std::move(table));
  return output;
}

}  // namespace

void AddMandateCommands(CLI::App& app, Command& command) {
  CLI::App* mandate =
      app.add_subcommand("mandate", "let another participant act for this one (代行)")->require_subcommand(1);
  auto arguments = std::make_shared<Grant>();
  CLI::App* grant = mandate->add_subcommand("grant", "sign a mandate and file it with the registrar");
  grant->add_option("holder", arguments->holder, "label or DID of the participant that is to act")
      ->required();
  grant->add_option("--scope", arguments->scopes, "what it may do; may be repeated")
      ->required()
      ->check(CLI::IsMember({"passport-import", "passport-show", "policy", "amendment", "erase"}))
      ->expected(1, 8)
      ->allow_extra_args(false);
  grant->add_option("--days", arguments->days, "life of the mandate, at most 5 years")
      ->check(CLI::Range(1, kMaxDays));
  grant->callback(
      [&command, arguments] { command = [arguments](Context& c) { return GrantMandate(c, *arguments); }; });
  auto id = std::make_shared<std::string>();
  CLI::App* revoke =
      mandate->add_subcommand("revoke", "end a mandate, at once at this participant's processes");
  revoke->add_option("id", *id, "from `tsunagi mandate list`")->required();
  revoke->callback([&command, id] { command = [id](Context& c) { return RevokeMandate(c, *id); }; });
  mandate->add_subcommand("list", "the mandates that this participant granted or holds")
      ->callback([&command] { command = ListMandates; });
}

}  // namespace tsunagi::cli
